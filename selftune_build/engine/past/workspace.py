"""A workspace as a commit has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath

from msgspec import Struct

from selftune_build.engine.load import is_eval_file, read_cases
from selftune_build.engine.registry import Registry
from selftune_build.errors import InputError
from selftune_build.fingerprint.links import is_excluded
from selftune_build.fingerprint.tree import is_staged
from selftune_build.limits import DISCOVERY_DEPTH, EVAL_FILE_BYTES, MANIFEST_BYTES, SKILL_FILE_BYTES_MAX
from selftune_build.model.case import Case
from selftune_build.model.manifest import Manifest
from selftune_build.model.package import MANIFEST_FILE, SKILL_FILE, TreeFile
from selftune_build.reading.discovery import SKIPPED_FOLDERS
from selftune_build.reading.manifest import ManifestFile, effective, read_manifest
from selftune_build.reading.skill import read_skill
from selftune_build.relpath import join, match_glob, match_segment
from selftune_build.revision.revision import Revision


class PastPackage(Struct, frozen=True):
    """A package as a commit has it."""

    manifest: Manifest
    staged: frozenset[str]
    """Paths of what an agent got, relative to the package."""
    files: tuple[TreeFile, ...]
    """All files that count, without their digests."""
    cases: dict[str, Case]


class PastWorkspace:
    """The folders of a workspace as a commit has them."""

    def __init__(self, root: Path, revision: Revision) -> None:
        self.revision = revision
        """The commit, seen from the root of the repository."""
        self._prefix = root.resolve().relative_to(revision.folder).as_posix()

    def place(self, path: str) -> str:
        """A path of the workspace, from the root of the repository."""
        return (PurePosixPath(self._prefix) / path).as_posix()

    def manifest_of(self, member: str) -> Manifest:
        """The effective manifest of a package; of one that the commit does not know what its workspace says of all."""
        place = PurePosixPath(self.place(member))
        for folder in (place, *place.parents):
            file = self._manifest_at(folder)
            if file is not None and file.is_workspace:
                own = file if folder == place else self._manifest_at(place)
                return effective(file, own, place.relative_to(folder).as_posix())
        return effective(None, self._manifest_at(place), ".")

    def home(self, member: str) -> str:
        """Where a package was: where it is or, if there was none, in the only folder of its name that stands there no more."""
        if self.has(member, SKILL_FILE):
            return member
        name = PurePosixPath(self.place(member)).name
        named = [path for path in self.members() or () if PurePosixPath(self.place(path)).name == name]
        moved = [path for path in named if not self.stands(f"{path}/{SKILL_FILE}")]
        return moved[0] if len(moved) == 1 else member

    def members(self) -> frozenset[str] | None:
        """Folders of the packages that this workspace's manifest names there; None where it has none there."""
        file = self._manifest_at(PurePosixPath(self.place(".")))
        if file is None or not file.is_workspace:
            return None
        folders = {".", *(folder for pattern in file.data["workspace"]["members"] for folder in self._matching(pattern))}
        return frozenset(folder for folder in folders if self.has(folder, SKILL_FILE))

    def _matching(self, pattern: str) -> set[str]:
        """Folders that fit a member glob; only those on its way are looked into."""
        level = {"."}
        for segment in pattern.split("/"):
            if segment == "**":
                level = set(self._all_below(level))
            elif segment not in ("", "."):
                level = {
                    _joined(folder, name) for folder in level for name in self._folders(folder) if match_segment(segment, name)
                }
        return level

    def _all_below(self, level: set[str]) -> Iterator[str]:
        for _ in range(DISCOVERY_DEPTH + 1):
            yield from level
            level = {_joined(folder, name) for folder in level for name in self._folders(folder)}

    def _folders(self, folder: str) -> list[str]:
        return [name for name in self.revision.folders(self.place(folder)) if name not in SKIPPED_FOLDERS]

    def package(self, member: str, registry: Registry) -> PastPackage | None:
        """A package with its cases, None where the commit has none there. Raises InputError for one that cannot be read."""
        skill = self.revision.read(self.place(f"{member}/{SKILL_FILE}"), SKILL_FILE_BYTES_MAX)
        if skill is None:
            return None
        manifest = self.manifest_of(member)
        paths = self.paths(member, manifest)
        folder = PurePosixPath(self.place(member)).name
        name = read_skill(skill, SKILL_FILE, folder).skill.name
        cases = read_cases(self._reader(member), manifest, paths, name, member, registry.under(manifest.policy).readers)
        is_eval = is_eval_file(manifest)
        return PastPackage(
            manifest=manifest,
            staged=frozenset(path for path in paths if is_staged(path, is_eval)),
            files=tuple(TreeFile(path, "", 0) for path in paths),
            cases={case.id: case for case in cases},
        )

    def paths(self, member: str, manifest: Manifest) -> list[str]:
        """The files of a package that count, relative to it."""
        return [path for path in self._files(member) if not is_left_out(path, manifest.exclude)]

    def changed(self, member: str, paths: Iterable[str]) -> list[str]:
        """Which paths of a package the working tree has otherwise."""
        return [path for path in sorted(set(paths)) if self.revision.changed([self.place(f"{member}/{path}")])]

    def has(self, member: str, path: str) -> bool:
        """Whether the commit has a file under a path of a package."""
        return self.revision.has(self.place(f"{member}/{path}"))

    def stands(self, path: str) -> bool:
        """Whether the working tree has something under a path of the workspace."""
        return (self.revision.folder / self.place(path)).exists()

    def _files(self, member: str) -> list[str]:
        start = self.place(member)
        return [path if start == "." else path[len(start) + 1 :] for path in self.revision.files(start)]

    def _manifest_at(self, folder: PurePosixPath) -> ManifestFile | None:
        path = (folder / MANIFEST_FILE).as_posix()
        content = self.revision.read(path, MANIFEST_BYTES)
        return None if content is None else read_manifest(content, f"{self.revision.commit[:12]}:{path}")

    def _reader(self, member: str) -> Callable[[str], bytes]:
        def read(path: str) -> bytes:
            content = self.revision.read(self.place(f"{member}/{path}"), EVAL_FILE_BYTES)
            if content is None:
                raise FileNotFoundError(path)
            return content

        return read


def agent_files(manifest: Manifest) -> Iterator[str]:
    """As `files_of_agents`, of the agents that the package is built with."""
    return files_of_agents(manifest, manifest.agent)


def files_of_agents(manifest: Manifest, names: Iterable[str]) -> Iterator[str]:
    """Elements of an agent's command that may be files of the workspace; whether there is one is for the reader to see."""
    for name in names:
        definition = manifest.agents.get(name)
        for element in definition.argv if definition is not None else ():
            try:
                yield join(definition.base if definition is not None else ".", element)
            except InputError:  # no path inside of the workspace
                continue


def _joined(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def is_left_out(path: str, exclude: tuple[str, ...]) -> bool:
    """Whether a path of a package is no part of it: by its name, or since the manifest excludes it or a folder above."""
    parts = PurePosixPath(path).parts
    steps = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    return any(map(is_excluded, parts)) or any(match_glob(pattern, step) for pattern in exclude for step in steps)
