"""The temporary folder of one sample: what the case brings, the skills beside it, a home, and what the run leaves behind."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from msgspec import Struct

from selftune_build import relpath
from selftune_build.agents import observation
from selftune_build.agents.leftovers import changed_files, remove_folder
from selftune_build.agents.protocol import SKILLS_FOLDER
from selftune_build.errors import InputError, refuse_machine
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.fingerprint.unchanged import read_file
from selftune_build.model.case import CaseFile
from selftune_build.model.location import Location
from selftune_build.model.package import TreeFile
from selftune_build.model.sample import FileChange
from selftune_build.store.atomic import store_errors
from selftune_build.store.guard import started
from selftune_build.store.reading import read_regular

_PREFIX = "selftune-"
_MARK = ".stage"
_GIT_FILES = {
    "HEAD": b"ref: refs/heads/main\n",
    "config": b"[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n",
}


class SkillSource(Struct, frozen=True):
    """A skill to stage: its name, the package's folder, the files of it that an agent gets."""

    name: str
    package_root: Path
    staged: tuple[TreeFile, ...]
    overlay: Mapping[str, bytes] = {}
    """Bytes that stand for those on disk, by path in the package."""


class Staging:
    """The workspace of one sample (`agents.protocol.Workspace`); each part is made when it is first asked for.

    Making a part raises InputError for a case file that leads out or a package file that changed meanwhile, StoreError
    where the temporary folder cannot be written.
    """

    def __init__(
        self,
        files: Sequence[CaseFile] = (),
        skills: Mapping[str, SkillSource] | None = None,
        skills_folder: str = SKILLS_FOLDER,
    ) -> None:
        self._files = files
        self._skills = dict(skills or {})
        self._skills_folder = skills_folder
        self._base: Path | None = None
        self._root: Path | None = None
        self._home: Path | None = None
        self._initial: dict[str, str] = {}
        self._placed: dict[str, tuple[Path, tuple[str, ...]]] = {}

    @classmethod
    def reopen(cls, workspace: str, initial: Mapping[str, str], skills_folder: str = SKILLS_FOLDER) -> Staging | None:
        """The stage of a call that outlived its process, from its intent; None where it is gone or was never ours, and where the
        machine was started anew since: a power cut leaves of files and of access times whatever it likes. Raises
        StoreError where the machine refuses to tell."""
        root = Path(workspace)
        base = root.parent
        try:
            ours = (
                base.name.startswith(_PREFIX)
                and base.lstat().st_uid == os.geteuid()
                and read_regular(base / _MARK, 64) == started()
            )
        except OSError as error:
            refuse_machine(error, base)
            return None
        if not ours or base.is_symlink() or root.is_symlink() or not root.is_dir():
            return None
        stage = cls(skills_folder=skills_folder)
        stage._base, stage._root, stage._home = base, root, base / "home"
        stage._initial = dict(initial)
        stage._placed = _placed_in(root, initial, skills_folder)
        return stage

    def __enter__(self) -> Staging:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def root(self) -> Path:
        """Absolute folder with the case's files, a git repository of its own."""
        if self._root is None:
            root = self._part("root")
            _make_repository(root / ".git")
            self._root = root
            for file in self._files:
                self._place(self._destination(file.dest), file.content, executable=False, at=Location(file.dest))
        return self._root

    @property
    def home(self) -> Path:
        """Absolute folder that serves as HOME; `tmp/` in it as TMPDIR."""
        if self._home is None:
            home = self._part("home")
            with store_errors("create", home):
                (home / "tmp").mkdir()
            self._home = home
        return self._home

    def skill(self, name: str) -> Path:
        """Absolute folder of a staged skill, its files in place."""
        if name not in self._placed:
            source = self._skills[name]
            folder = self._skill_folder(name)
            with store_errors("create", self.root / folder):
                (self.root / folder).mkdir(parents=True)
            for file in source.staged:
                content = read_file(source.package_root, file, source.overlay)
                self._place(f"{folder}/{_inside(file.path)}", content, file.executable, Location(file.path))
            self._placed[name] = (self.root / folder, tuple(file.path for file in source.staged))
        return self._placed[name][0]

    def place_all(self) -> None:
        """Make everything at once, for a host that looks around by itself."""
        _ = self.root, self.home
        for name in self._skills:
            self.skill(name)

    def initial(self) -> dict[str, str]:
        """Digest of every file placed so far, by workspace-relative path."""
        return dict(self._initial)

    def touched(self) -> frozenset[str] | None:
        """Facets whose files were read or changed (`observation.touched_names`); ask before anything else reads them."""
        return observation.touched_names(self._base, self._placed) if self._base is not None else frozenset()

    def changes(self) -> tuple[FileChange, ...]:
        """What the run created, changed or removed in the workspace, by path; skills, `.git` and caches of Python left out.

        Raises AgentFailure(FLOOD) where it left more than the limits allow.
        """
        if self._root is None:
            return ()
        skipped = frozenset(f"{self._skills_folder}/{name}" for name in self._placed)
        before = {path: digest for path, digest in self._initial.items() if not _is_below(path, skipped)}
        return changed_files(self._root, before, skipped)

    def close(self) -> None:
        """Remove everything, whatever the run did to permissions; what another process still writes into may stay behind."""
        if self._base is not None:
            remove_folder(self._base)

    def _part(self, name: str) -> Path:
        with store_errors("create a folder in", os.environ.get("TMPDIR", "the temporary folder")):
            if self._base is None:
                import tempfile

                self._base = Path(os.path.realpath(tempfile.mkdtemp(prefix=_PREFIX)))
                (self._base / _MARK).write_bytes(started())
            (self._base / name).mkdir()
        return self._base / name

    def _skill_folder(self, name: str) -> str:
        found = relpath.fault(name)
        if found is not None or "/" in name:
            raise InputError(f"{name!a} cannot be the folder of a skill", hint="use lower-case letters, digits and hyphens")
        return f"{self._skills_folder}/{name}"

    def _destination(self, dest: str) -> str:
        path = relpath.safe(dest, at=Location(dest))
        reserved = frozenset(f"{self._skills_folder}/{name}" for name in self._skills)
        if ".git" in path.lower().split("/") or _is_below(path, reserved):
            hint = "put it somewhere else in the workspace"
            raise InputError(f"`{path}` is where git or a staged skill keeps its files", at=Location(dest), hint=hint)
        return path

    def _place(self, path: str, content: bytes, executable: bool, at: Location) -> None:
        target = self.root / path
        try:
            with store_errors("write", target):
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as file:
                    os.fchmod(file.fileno(), 0o755 if executable else 0o644)
                    file.write(content)
                observation.set_old_times(target)
        except Exception as error:
            if isinstance(error.__cause__, (FileExistsError, NotADirectoryError, IsADirectoryError)):
                raise InputError(f"`{path}` is in the way of another file of the case", at=at) from error
            raise
        self._initial[path] = digest_bytes(content)


def path_tokens(workspace: str, home: str) -> dict[str, str]:
    """The tokens for the paths of a sample, as its archive names them."""
    return {workspace: "{workspace}", home: "{home}"}


def tokenise(text: str, tokens: Mapping[str, str]) -> str:
    """`text` with every path of a stage replaced by its token, so that equal messages are equal anywhere."""
    for path in sorted(filter(None, tokens), key=len, reverse=True):
        text = text.replace(path, tokens[path])
    return text


def _make_repository(folder: Path) -> None:
    """The least that git accepts as a repository (gitrepository-layout), so that a host's git sees this and nothing above it."""
    with store_errors("create", folder):
        for name in ("objects", "refs/heads"):
            (folder / name).mkdir(parents=True)
        for name, content in _GIT_FILES.items():
            (folder / name).write_bytes(content)


def _inside(path: str) -> str:
    """A path of a package tree, which only has to stay inside: packages may hold names that other systems refuse."""
    if path.startswith("/") or ".." in path.split("/"):
        raise InputError(f"{path!a} leads out of its package", at=Location(path))
    return path


def _is_below(path: str, folders: frozenset[str]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _placed_in(root: Path, initial: Mapping[str, str], skills_folder: str) -> dict[str, tuple[Path, tuple[str, ...]]]:
    placed: dict[str, list[str]] = {}
    for path in initial:
        if path.startswith(f"{skills_folder}/"):
            name, _, inside = path.removeprefix(f"{skills_folder}/").partition("/")
            placed.setdefault(name, []).append(inside)
    return {name: (root / skills_folder / name, tuple(paths)) for name, paths in placed.items()}
