"""Places in the workspace: readers know only the package, and messages are relative to the workspace."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path, PurePosixPath

import msgspec

from selftune_build.errors import InputError, UndecidedError
from selftune_build.model.case import Case, Check, Origin
from selftune_build.model.finding import Finding
from selftune_build.model.location import Location
from selftune_build.model.package import Package
from selftune_build.reading.evals.source import EvalReading


@lru_cache(maxsize=1024)  # asked for every case, and all cases of a file lie in one place
def inside(member: str, path: str) -> str:
    """A path of a package as the workspace sees it."""
    return (PurePosixPath(member) / path).as_posix()


def located(member: str, read: Callable[[], EvalReading]) -> EvalReading:
    """What a reader returns; errors that it raises have their place in the workspace."""
    try:
        return read()
    except (InputError, UndecidedError) as error:
        error.at = _place(error.at, member) if error.at else Location(member)
        raise


def _place(at: Location, member: str) -> Location:
    return msgspec.structs.replace(at, path=inside(member, at.path))


def moved(finding: Finding, member: str) -> Finding:
    """A finding about a package with its place in the workspace."""
    return msgspec.structs.replace(finding, at=_place(finding.at, member)) if finding.at else finding


def case_moved(case: Case, member: str) -> Case:
    """A case and its checks with their origins in the workspace."""
    checks = tuple([msgspec.structs.replace(check, origin=_origin(check, member)) for check in case.checks])
    return msgspec.structs.replace(case, checks=checks, origin=_origin(case, member))


def _origin(part: Case | Check, member: str) -> Origin | None:
    origin = part.origin
    return Origin(origin.format, _place(origin.at, member)) if origin is not None else None


def workspace_root(package: Package) -> Path:
    """The folder that places in the workspace are relative to."""
    root = Path(package.root)
    return root if package.path == "." else root.parents[len(PurePosixPath(package.path).parts) - 1]
