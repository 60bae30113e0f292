"""What `init` would write for the packages that are there: manifests where they are needed, a line for git."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path, PurePosixPath

from msgspec import Struct

from selftune_build.engine.load import DATA_SUFFIXES, Universe, load_universe
from selftune_build.engine.registry import BUILTIN, Registry
from selftune_build.errors import InputError, UsageError
from selftune_build.limits import ADOPTED_FILE_BYTES, ADOPTED_FILES, ATTRIBUTES_BYTES
from selftune_build.model.case import Case
from selftune_build.model.package import LOCK_FILE, MANIFEST_FILE, Package, TreeFile
from selftune_build.reading.absent import no_package
from selftune_build.reading.discovery import discover
from selftune_build.reading.evals import read_eval_files, read_unit_tests
from selftune_build.relpath import is_glob
from selftune_build.scaffold.editor import EDITOR_LINE

ATTRIBUTES_FILE = ".gitattributes"
ATTRIBUTES = (
    "# Evidence of selftune. Its bytes are canonical, so line ends stay as they are; it is made by a program, but its diff is\n"
    "# what a reviewer reads, so it is shown. Merges are git's own: the next build heals what they leave.\n"
    f"{LOCK_FILE} text eol=lf linguist-generated=false\n"
)

_OUTSIDE = ("eval", "trigger")
_MATERIAL = frozenset({"assets", "references", "scripts", "templates", "examples", "fixtures", "files"})


class EvalFiles(Struct, frozen=True):
    """Package-relative paths of files with cases for an agent, and of files with unit tests."""

    evals: tuple[str, ...] = ()
    unit_tests: tuple[str, ...] = ()


class Adoption(Struct, frozen=True):
    """What is there and what has to be written; `extended` are files that only grow, `strays` packages that are no member."""

    universe: Universe
    contents: dict[str, bytes]
    extended: frozenset[str]
    unnamed: dict[str, EvalFiles]
    """Eval files that the manifest of a package does not name, by package folder; only where it has a manifest already."""
    strays: tuple[str, ...] = ()


def plan_adoption(start: Path, *, force: bool, registry: Registry = BUILTIN) -> Adoption:
    """What is missing around the packages that `start` belongs to or that lie below it; nothing is written.

    With `force` an existing workspace manifest is made anew. Raises UsageError where there is no package, InputError where a
    workspace manifest cannot be read.
    """
    universe = load_universe(start, registry=registry)
    found = discover(universe.root)
    members = sorted({*found, *(package.path for package in universe.packages), *(each.path for each in universe.broken)})
    if not members:
        raise no_package(universe.root)
    contents, unnamed = _package_manifests(universe.packages)
    if members != ["."] and (force or not universe.declared):
        contents[MANIFEST_FILE] = _workspace_manifest(members)
    attributes = _attributes(universe.root)
    if attributes is not None:
        contents[ATTRIBUTES_FILE] = attributes
    known = {package.path for package in universe.packages} | {each.path for each in universe.broken}
    strays = tuple(path for path in found if path not in known) if universe.declared and not force else ()
    return Adoption(universe, contents, frozenset({ATTRIBUTES_FILE}), unnamed, strays)


def member_patterns(members: Iterable[str]) -> list[str]:
    """Globs that cover these package folders and their later neighbours, one for each parent folder, sorted."""
    parents = {str(PurePosixPath(member).parent) for member in members if member != "."}
    return sorted("*" if parent == "." else f"{parent}/*" for parent in parents)


def _workspace_manifest(members: list[str]) -> bytes:
    patterns = "".join(f"    - {_quoted(pattern)}\n" for pattern in member_patterns(members))
    return (
        f"{EDITOR_LINE}"
        "# The packages below are one workspace: an agent is offered all of them at once, as in real life.\n"
        f"version: 1\nworkspace:\n  members:\n{patterns}"
    ).encode()


def _package_manifests(packages: Iterable[Package]) -> tuple[dict[str, bytes], dict[str, EvalFiles]]:
    contents: dict[str, bytes] = {}
    unnamed: dict[str, EvalFiles] = {}
    for package in packages:
        files = _unusual(package)
        if not files.evals and not files.unit_tests:
            continue
        if package.manifest.path is None:
            contents[str(PurePosixPath(package.path) / MANIFEST_FILE)] = _package_manifest(package, files)
        else:
            unnamed[package.path] = files
    return contents, unnamed


def _package_manifest(package: Package, files: EvalFiles) -> bytes:
    """A list in a manifest replaces the default, so it names what the default would have found as well."""
    lines = [EDITOR_LINE, "# Eval files of this package lie outside evals/ and tests/, so they are named here.\n", "version: 1\n"]
    for key, more, cases in (("evals", files.evals, package.evals), ("unit_tests", files.unit_tests, package.unit_tests)):
        if more:
            lines.append(f"{key}:\n")
            lines += [f"  - {_quoted(path)}\n" for path in sorted({*more, *_files_of(package, cases)})]
    return "".join(lines).encode()


def _files_of(package: Package, cases: Iterable[Case]) -> set[str]:
    """Package-relative paths of the files that the cases come from."""
    paths = {PurePosixPath(case.origin.at.path) for case in cases if case.origin is not None}
    return {str(path.relative_to(package.path)) for path in paths}


def _unusual(package: Package) -> EvalFiles:
    """Files that hold cases and lie where nobody looks by default. A file counts only if it reads without a complaint."""
    taken = _files_of(package, (*package.evals, *package.unit_tests))
    candidates = [file.path for file in package.tree if _is_candidate(file) and file.path not in taken][:ADOPTED_FILES]
    evals = tuple(path for path in candidates if _holds_cases(package, path, unit_tests=False))
    tests = tuple(path for path in candidates if path not in evals and _holds_cases(package, path, unit_tests=True))
    return EvalFiles(evals, tests)


def _is_candidate(file: TreeFile) -> bool:
    """Whether the name promises evals. Material of the skill itself may look like evals and is left alone."""
    *folders, name = file.path.lower().split("/")
    promising = any(word in part for part in (*folders, name) for word in _OUTSIDE)
    usual = folders[:1] in (["evals"], ["tests"])
    fits = name.endswith(DATA_SUFFIXES) and file.size <= ADOPTED_FILE_BYTES and not is_glob(file.path)
    return promising and fits and not usual and not _MATERIAL & set(folders)


def _holds_cases(package: Package, path: str, *, unit_tests: bool) -> bool:
    read = read_unit_tests if unit_tests else partial(read_eval_files, tree=[file.path for file in package.tree])
    try:
        reading = read([path], lambda name: (Path(package.root) / name).read_bytes(), True, package_name=package.name)
    except (InputError, OSError):
        return False
    return bool(reading.cases)


def _attributes(root: Path) -> bytes | None:
    """The whole new `.gitattributes`, None where a line about the lock is there already."""
    path = root / ATTRIBUTES_FILE
    try:
        with path.open("rb") as stream:
            there = stream.read(ATTRIBUTES_BYTES + 1)
    except FileNotFoundError:
        return ATTRIBUTES.encode()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="move it away or mend its permissions") from None
    if len(there) > ATTRIBUTES_BYTES or _names_the_lock(there):
        return None
    return there + (b"" if not there or there.endswith(b"\n") else b"\n") + ATTRIBUTES.encode()


def _names_the_lock(attributes: bytes) -> bool:
    patterns = (line.split(None, 1)[0] for line in attributes.splitlines() if line.strip())
    return any(pattern.rsplit(b"/", 1)[-1] == LOCK_FILE.encode() for pattern in patterns)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
