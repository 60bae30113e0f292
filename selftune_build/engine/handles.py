"""How packages are addressed on the command line: by name, where that says which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from selftune_build.errors import UsageError
from selftune_build.graph.targets import parse_target
from selftune_build.model.package import Package


def with_handles(packages: Sequence[Package]) -> tuple[Package, ...]:
    """The packages, each with the word that addresses it: its name; its folder where that is the name of others, or where a
    command line takes it for something else: a stage, an option, a case."""
    names = Counter(package.name for package in packages)
    return tuple(msgspec.structs.replace(package, handle=_handle(package, names[package.name])) for package in packages)


def _handle(package: Package, bearers: int) -> str:
    if bearers == 1 and _is_word_for_a_package(package.name):
        return package.name
    return package.path if "/" in package.path else f"./{package.path}"


def _is_word_for_a_package(name: str) -> bool:
    try:
        return parse_target(name).package == name and not name.startswith("-")
    except UsageError:
        return False
