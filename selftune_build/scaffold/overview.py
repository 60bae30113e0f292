"""What many packages lack, said so that it can be read: once for all of them where it is the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from selftune_build.scaffold.missing import Missing


class SharedLack(Struct, frozen=True):
    """What several packages lack alike, in how many, and what to do in each of them."""

    what: str
    packages: int
    fix: str


class Overview(Struct, frozen=True):
    """What each package lacks alone, by its folder, and what several lack alike, the most important first."""

    own: dict[str, tuple[Missing, ...]]
    shared: tuple[SharedLack, ...]


def overview(lacks: Mapping[str, tuple[Missing, ...]]) -> Overview:
    """The lacks of all packages, by folder, with those taken together that more than one package has."""
    counted = Counter(lack.shared for each in lacks.values() for lack in each if lack.shared)
    fixes = {lack.shared: lack.fix for each in lacks.values() for lack in each}
    shared = tuple(SharedLack(what, count, fixes[what]) for what, count in counted.items() if count > 1)
    taken = {lack.what for lack in shared}
    return Overview({path: tuple(lack for lack in each if lack.shared not in taken) for path, each in lacks.items()}, shared)
