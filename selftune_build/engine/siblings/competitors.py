"""Which skills are staged beside the package under test."""

from __future__ import annotations

import re
from collections.abc import Sequence

from selftune_build.errors import InputError
from selftune_build.model.location import Location
from selftune_build.model.package import Package

_WORD = re.compile(r"[a-z0-9]+")


def competitors(package: Package, workspace: Sequence[Package]) -> tuple[Package, ...]:
    """All other packages of the workspace, none, the nearest few, or the ones the manifest names. Raises InputError.

    A package of the same name is never staged beside another: hosts show one of the two, and which is chance.
    """
    chosen = package.manifest.competitors
    if chosen == "none":
        return ()
    others = [other for other in workspace if other.path != package.path and other.name != package.name]
    if isinstance(chosen, int):
        return tuple(sorted(nearest(package, others)[:chosen], key=lambda other: other.path))
    if isinstance(chosen, tuple):
        return tuple(_named(path, package, others) for path in chosen)
    return tuple(others)


def nearest(package: Package, others: Sequence[Package]) -> list[Package]:
    """The others, the likeliest to be taken for this one first: by the share of words in common (Jaccard index)."""
    mine = _words(package)

    def distance(other: Package) -> tuple[float, str]:
        theirs = _words(other)
        return (-len(mine & theirs) / max(1, len(mine | theirs)), other.path)

    return sorted(others, key=distance)


def _words(package: Package) -> frozenset[str]:
    return frozenset(_WORD.findall(f"{package.name} {package.skill.description}".lower()))


def _named(path: str, package: Package, others: Sequence[Package]) -> Package:
    for other in others:
        if other.path == path:
            return other
    raise InputError(
        f"the competitor {path!r} is no package of this workspace",
        at=Location(package.manifest.path or package.path, pointer="/competitors"),
        hint="name the folder of a package, relative to the manifest",
    )
