"""From a folder on disk to the packages of its workspace, each read once and whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.engine.handles import with_handles
from selftune_build.engine.package_files import reader, skill_text
from selftune_build.engine.places import case_moved, inside, located, moved
from selftune_build.engine.registry import BUILTIN, Registry
from selftune_build.errors import PLUGIN_MISSING, InputError, SelftuneError, UndecidedError
from selftune_build.fingerprint.disk import DISK, Disk
from selftune_build.fingerprint.facets import facets
from selftune_build.fingerprint.tree import find_boundary, scan, staged_files, tree_digest
from selftune_build.model.case import Case
from selftune_build.model.location import Location
from selftune_build.model.manifest import Manifest
from selftune_build.model.package import MANIFEST_FILE, SKILL_FILE, Package
from selftune_build.model.report import PackageReport
from selftune_build.probe import about
from selftune_build.reading.evals.claude_plugin import PROMPT
from selftune_build.reading.evals.left_over import unread_folder
from selftune_build.reading.evals.recognise import Format
from selftune_build.reading.evals.source import EvalReading
from selftune_build.reading.evals.suite import Read, read_eval_files, read_unit_tests
from selftune_build.reading.idle_globs import idle_globs
from selftune_build.reading.manifest import ManifestFile, effective
from selftune_build.reading.skill import read_skill
from selftune_build.reading.workspace import Workspace, find_workspace, manifest_at
from selftune_build.relpath import match_glob
from selftune_build.stages.spec import check_spec
from selftune_build.stages.spec_rules.catalogue import Profile
from selftune_build.stages.spec_rules.second_opinion import SecondOpinion, ask_second_opinion

DATA_SUFFIXES = (".json", ".yaml", ".yml")
CANDIDATES = (*DATA_SUFFIXES, f"/{PROMPT}")
"""How the paths of files end that may hold evals: data, and the prompts of suites that are made of text."""

SecondOpinionOf = Callable[[bytes, str], SecondOpinion]
Standards = Callable[[str, Manifest], Manifest]
"""Folder of a package and its own manifest → the manifest that it is judged by."""


def by_its_own(_member: str, manifest: Manifest) -> Manifest:
    """What a package is judged by where nobody says otherwise."""
    return manifest


Said = tuple[str, PackageReport]
"""A report, and the group of packages under one agent that it belongs to (`agent_group`)."""
NOTHING_TOLD: Mapping[str, tuple[Said, ...]] = {}
NOBODY: Mapping[str, Package] = {}
Known = Callable[[Path], Mapping[str, Package]]
"""The root of a workspace → packages that need not be read, by folder relative to it."""


def nothing_known(_root: Path) -> Mapping[str, Package]:
    """Every package is read."""
    return NOBODY


class Broken(Struct, frozen=True):
    """A package that could not be read, and why."""

    path: str
    error: SelftuneError


class Universe(Struct, frozen=True):
    """Everything there is: the workspace with its packages, and those that could not be read."""

    root: Path
    declared: bool
    packages: tuple[Package, ...]
    broken: tuple[Broken, ...] = ()
    told: Mapping[str, tuple[Said, ...]] = NOTHING_TOLD
    """What was said of packages that did not change since, by folder: they stand in `packages` without cases and body."""

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        packages: Sequence[Package],
        broken: Sequence[Broken] = (),
        told: Mapping[str, tuple[Said, ...]] = NOTHING_TOLD,
    ) -> Universe:
        """The packages of a workspace, in the order of their folders, with the words that address them."""
        return cls(workspace.root, workspace.declared, with_handles(packages), tuple(broken), told)

    @property
    def siblings(self) -> tuple[Package, ...]:
        """What competes in this workspace; without a workspace manifest nothing does."""
        return self.packages if self.declared else ()

    @property
    def names(self) -> dict[str, str]:
        """Package name by folder."""
        return {package.path: package.name for package in self.packages}


def load_universe(
    start: Path,
    second_opinion: SecondOpinionOf = ask_second_opinion,
    registry: Registry = BUILTIN,
    standards: Standards = by_its_own,
    disk: Disk = DISK,
    known: Known = nothing_known,
) -> Universe:
    """Read the workspace that a folder belongs to, its packages from `disk`.

    Raises InputError for a workspace manifest that cannot be read.
    """
    workspace = find_workspace(start)
    there = known(workspace.root) if workspace.declared else {}
    return Universe.of(workspace, *load_members(workspace, workspace.members, second_opinion, registry, standards, disk, there))


def load_members(
    workspace: Workspace,
    members: Iterable[str],
    second_opinion: SecondOpinionOf = ask_second_opinion,
    registry: Registry = BUILTIN,
    standards: Standards = by_its_own,
    disk: Disk = DISK,
    there: Mapping[str, Package] = NOBODY,
) -> tuple[list[Package], list[Broken]]:
    """The packages in these folders of a workspace but those that are `there` already, and those that cannot be read."""
    packages: list[Package] = []
    broken: list[Broken] = []
    for member in members:
        try:
            with about(workspace.root / member):
                package = there.get(member) or load_package(workspace, member, second_opinion, registry, standards, disk)
            packages.append(package)
        except (InputError, UndecidedError) as error:
            broken.append(Broken(member, error))
    return packages, broken


def seen_by_others(package: Package) -> Package:
    """What other packages see of one: all but its cases and its body."""
    return replace(package, evals=(), unit_tests=(), skill=replace(package.skill, body=""))


def load_package(
    workspace: Workspace,
    member: str,
    second_opinion: SecondOpinionOf = ask_second_opinion,
    registry: Registry = BUILTIN,
    standards: Standards = by_its_own,
    disk: Disk = DISK,
) -> Package:
    """Read one package. Raises InputError where its manifest, its evals or its tree cannot be read at all.

    Raises UndecidedError where a plugin that should read its evals is missing or breaks.
    """
    root = workspace.root / member
    own = _own_manifest(workspace, member)
    declared = effective(workspace.manifest_file, own, member)
    manifest = standards(member, declared)
    tree = scan(root, manifest.exclude, find_boundary(root, workspace.root), disk=disk)
    content = skill_text(root, member, disk)
    reading = read_skill(content, inside(member, SKILL_FILE), root.name)
    name = reading.skill.name if is_safe_name(reading.skill.name) else root.name
    paths = [file.path for file in tree.files]
    idle = idle_globs(own, paths, tree.idle_excludes)
    readers = _readers(manifest, paths, member, registry.under(manifest.policy).readers)
    evals = _evals(reader(root, disk), manifest, paths, name, member, readers)
    unit_tests = _unit_tests(reader(root, disk), manifest, paths, name, member, evals.cases)
    staged = staged_files(tree.files, is_eval_file(manifest))
    findings = check_spec(
        reading.skill,
        [*reading.findings, *(moved(finding, member) for finding in tree.findings)],
        tree.files,
        root.name,
        spec_profile(manifest),
        path=inside(member, SKILL_FILE),
        locations=reading.locations,
        second_opinion=second_opinion(content, root.name),
    )
    return Package(
        name=name,
        handle=name,
        path=member,
        root=str(root),
        skill=reading.skill,
        manifest=manifest,
        declared=declared,
        tree=tree.files,
        tree_digest=tree_digest(tree.files),
        staged=staged,
        facets=facets(reading.skill, staged),
        evals=tuple(case_moved(case, member) for case in evals.cases),
        unit_tests=tuple(case_moved(case, member) for case in unit_tests.cases),
        findings=(*findings, *idle, *(moved(finding, member) for finding in (*evals.findings, *unit_tests.findings))),
        overlay=disk.contents(root, paths),
    )


def spec_profile(manifest: Manifest) -> Profile:
    """Which severities the rules of `spec` have."""
    return manifest.gates["spec"].profile if "spec" in manifest.gates else "hosts"


def is_safe_name(name: str) -> bool:
    """Whether a name can be the name of a staged folder and of a facet."""
    return 0 < len(name) <= 64 and name.isprintable() and not set(name) & set("/\\: ") and name not in (".", "..")


def _own_manifest(workspace: Workspace, member: str) -> ManifestFile | None:
    at_root = workspace.manifest_file if member == "." else None
    return at_root or manifest_at(workspace.root / member, inside(member, MANIFEST_FILE))


def read_cases(
    read: Read, manifest: Manifest, paths: Sequence[str], name: str, member: str, readers: Mapping[str, Format]
) -> tuple[Case, ...]:
    """All cases of a package whose files are `paths`, wherever they are kept. Raises as `load_package`."""
    evals = _evals(read, manifest, paths, name, member, _readers(manifest, paths, member, readers))
    return (*evals.cases, *_unit_tests(read, manifest, paths, name, member, evals.cases).cases)


def _readers(manifest: Manifest, paths: Sequence[str], member: str, readers: Mapping[str, Format]) -> dict[str, Format]:
    """Path → format of the files that the manifest gives to a reader. Raises UndecidedError where nobody supplies one."""
    at = Location(manifest.path or member, pointer="/readers")
    found: dict[str, Format] = {}
    for name, globs in manifest.readers.items():
        format_ = readers.get(name)
        if format_ is None:
            hint = "install it, or see with `selftune plugins list` what is there; under --locked policy.plugins has to name it"
            raise UndecidedError(f"no plugin supplies the reader {name!r}", at=at, hint=hint, code=PLUGIN_MISSING)
        for path in _chosen(paths, globs, ""):
            if path in found:
                raise InputError(f"two readers are to read {path}", at=at, hint="let their globs not overlap")
            found[path] = format_
    return found


def _evals(
    read: Read, manifest: Manifest, paths: Sequence[str], name: str, member: str, readers: Mapping[str, Format]
) -> EvalReading:
    chosen = list(dict.fromkeys([*_chosen(paths, manifest.evals, "evals/"), *readers]))
    explicit = manifest.evals is not None
    reading = located(
        member,
        lambda: read_eval_files(chosen, read, explicit, package_name=name, limits=manifest.limits, readers=readers, tree=paths),
    )
    return reading if explicit else EvalReading(reading.cases, (*reading.findings, *unread_folder(paths, reading)))


def _unit_tests(
    read: Read, manifest: Manifest, paths: Sequence[str], name: str, member: str, evals: Iterable[Case]
) -> EvalReading:
    given_away = {path for globs in manifest.readers.values() for path in _chosen(paths, globs, "")}
    chosen = [path for path in _chosen(paths, manifest.unit_tests, "tests/") if path not in given_away]
    taken = frozenset(case.id for case in evals)
    explicit = manifest.unit_tests is not None
    return located(
        member, lambda: read_unit_tests(chosen, read, explicit, package_name=name, limits=manifest.limits, taken=taken)
    )


def _chosen(paths: Sequence[str], globs: Sequence[str] | None, folder: str) -> list[str]:
    if globs is not None:
        return [path for path in paths if any(match_glob(pattern, path) for pattern in globs)]
    return [path for path in paths if path.startswith(folder) and path.endswith(CANDIDATES)]


def is_eval_file(manifest: Manifest) -> Callable[[str], bool]:
    """Whether a path is one that the manifest gives to a reader of cases."""
    given_away = (pattern for globs in manifest.readers.values() for pattern in globs)
    globs = (*(manifest.evals or ()), *(manifest.unit_tests or ()), *given_away)
    return lambda path: any(match_glob(pattern, path) for pattern in globs)
