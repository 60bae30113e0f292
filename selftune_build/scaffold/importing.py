"""Evals from anywhere, read as what they are and written into a package in our own format, for review."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from msgspec import Struct

from selftune_build.engine.load import CANDIDATES
from selftune_build.errors import InputError, UsageError
from selftune_build.fingerprint.tree import find_boundary
from selftune_build.limits import EVAL_FILE_BYTES, IMPORT_FILES
from selftune_build.model.case import Case
from selftune_build.model.finding import Finding
from selftune_build.model.location import Location
from selftune_build.model.package import SKILL_FILE, Package
from selftune_build.reading.discovery import SKIPPED_FOLDERS, holds_skill
from selftune_build.reading.evals import read_eval_files
from selftune_build.reading.evals.identifiers import with_unique_ids
from selftune_build.scaffold.native_file import NativeFile, native_file

IMPORTED_FILE = "evals/imported.yaml"
_HEAD = """\
Written by `selftune eval import` from evals in other formats. Nobody has reviewed it yet: read each case, and see whether what
it checks is what its author meant. Comments say where a case comes from and what could not be said here."""


class Imported(Struct, frozen=True):
    """What was read, and the files to be written, by their path in the package."""

    cases: tuple[Case, ...]
    findings: tuple[Finding, ...]
    left_out: tuple[tuple[Case, str], ...]
    contents: dict[str, bytes]

    @property
    def written(self) -> int:
        """How many cases are in the file."""
        return len(self.cases) - len(self.left_out)


class _Place(Struct, frozen=True):
    """One thing to import: the folder that all paths start at, what is in it, and which of that is asked for."""

    root: Path
    tree: tuple[str, ...]
    candidates: tuple[str, ...]
    explicit: bool


def plan_import(package: Package, sources: Sequence[Path], target: str = IMPORTED_FILE) -> Imported:
    """Read these files and folders for a package; nothing is written.

    Paths in them may lead anywhere in the clone that they lie in, never out of it. Raises UsageError for a source that is not
    there, InputError for a file that is in no format that is read here.
    """
    cases: list[Case] = []
    findings: list[Finding] = []
    for source in sources:
        for reading in _readings(package, _place(source)):
            cases += reading.cases
            findings += reading.findings
    kept = {case.id for case in (*package.evals, *package.unit_tests) if not _comes_from(case, package, target)}
    unique = with_unique_ids(cases, taken=kept, strict=())
    made = _written(package, unique.cases, target)
    contents = {target: made.content, **made.files} if unique.cases else {}
    return Imported(unique.cases, (*findings, *unique.findings), made.left_out, contents)


def _written(package: Package, cases: Sequence[Case], target: str) -> NativeFile:
    folder = posixpath.splitext(target)[0]
    return native_file(cases, _HEAD, folder, package.manifest.limits)


def _comes_from(case: Case, package: Package, path: str) -> bool:
    """Whether a case is of the file that will be written: it makes room."""
    return case.origin is not None and case.origin.at.path == str(PurePosixPath(package.path) / path)


def _place(source: Path) -> _Place:
    if not source.exists():
        raise UsageError(f"there is no file or folder {str(source)!r}", hint="name what is to be imported")
    asked = source.resolve()
    folder = asked if asked.is_dir() else asked.parent
    root = find_boundary(folder, _skill_above(folder))
    tree = tuple(_listed(root))
    inside = asked.relative_to(root).as_posix()
    if asked.is_file():
        return _Place(root, tree, (inside,), explicit=True)
    prefix = "" if inside == "." else f"{inside}/"
    candidates = tuple(path for path in tree if path.startswith(prefix) and f"/{path}".endswith(CANDIDATES))
    return _Place(root, tree, candidates, explicit=False)


def _skill_above(folder: Path) -> Path:
    """The nearest folder upwards with a skill, since paths of suites start there; without one the folder itself."""
    return next((place for place in (folder, *folder.parents) if holds_skill(place)), folder)


def _listed(root: Path) -> Iterator[str]:
    """Files below a folder, links left out. Raises InputError where there are too many."""
    count = 0
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in SKIPPED_FOLDERS)
        inside = Path(folder).relative_to(root)
        for name in sorted(files):
            count += 1
            if count > IMPORT_FILES:
                hint = "name a folder that holds less"
                raise InputError(f"more than {IMPORT_FILES:,} files around it", at=Location(str(root)), hint=hint)
            yield (inside / name).as_posix()


def _readings(package: Package, place: _Place) -> Iterator[Imported]:
    """One reading for each skill that the candidates lie in, since their paths start at its folder."""
    by_home: dict[str, list[str]] = {}
    for path in place.candidates:
        by_home.setdefault(_home(package, place, path), []).append(path)
    for home, paths in sorted(by_home.items()):
        reading = read_eval_files(
            paths,
            _reader(place.root),
            place.explicit,
            package_name=package.name,
            limits=package.manifest.limits,
            tree=place.tree,
            home=home,
        )
        yield Imported(reading.cases, reading.findings, (), {})


def _home(package: Package, place: _Place, path: str) -> str:
    """The nearest folder upwards with a skill, else the package itself where it lies below the same root, else the root."""
    known = set(place.tree)
    folder = posixpath.dirname(path)
    while True:
        if posixpath.join(folder, SKILL_FILE) in known:
            return folder
        if not folder:
            break
        folder = posixpath.dirname(folder)
    root = Path(package.root).resolve()
    return root.relative_to(place.root).as_posix() if root.is_relative_to(place.root) and root != place.root else ""


def _reader(root: Path) -> Callable[[str], bytes]:
    """Reads regular files below the root, wherever links lead; raises OSError for everything else."""

    def read(path: str) -> bytes:
        file = (root / path).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            raise FileNotFoundError(2, "it is not there", path)
        if file.stat().st_size > EVAL_FILE_BYTES:
            raise InputError(f"the file is larger than {EVAL_FILE_BYTES:,} bytes", at=Location(path))
        return file.read_bytes()

    return read
