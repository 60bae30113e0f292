"""How packages are addressed on the command line: by name, where that says which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from selftune_build.graph.targets import Stage
from selftune_build.model.package import Package


def with_handles(packages: Sequence[Package]) -> tuple[Package, ...]:
    """The packages, each with the word that addresses it: its name; its folder where that is the name of others or of a stage."""
    names = Counter(package.name for package in packages)
    return tuple(msgspec.structs.replace(package, handle=_handle(package, names[package.name])) for package in packages)


def _handle(package: Package, bearers: int) -> str:
    if bearers == 1 and package.name not in tuple(Stage):
        return package.name
    return package.path if "/" in package.path else f"./{package.path}"
