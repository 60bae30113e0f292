"""From the words of a command line to the targets that are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from selftune_build.errors import UsageError
from selftune_build.graph.targets import Stage, Target, Wanted
from selftune_build.probe import probed


class Selection(Struct, frozen=True):
    """The goals, and for a target that was narrowed to cases the ids that are asked for."""

    goals: tuple[Target, ...]
    cases: dict[Target, frozenset[str]]


def select(wanted: Sequence[Wanted], names: Mapping[str, str], root: Path, here: Path) -> Selection:
    """Resolve targets against the packages of a workspace.

    `names` maps package folder (relative to `root`) to package name; relative paths on the command line are taken from
    `here`. Bare stages and bare packages restrict each other; without either the goal is `verify` of everything.
    Raises UsageError for a package that is unknown or whose name stands for several.
    """
    qualified = [word for word in wanted if word.package is not None and word.stage is not None]
    stages = [word.stage for word in wanted if word.package is None and word.stage is not None]
    bare = [word.package for word in wanted if word.package is not None and word.stage is None]
    goals: dict[Target, None] = {}
    if stages or bare or not qualified:
        folders = _all_folders(bare, names, root, here) if bare else list(names)
        goals.update({Target(folder, stage): None for folder in folders for stage in stages or [Stage.VERIFY]})
    cases: dict[Target, set[str]] = {}
    for word in qualified:
        for target in _targets_of(word, names, root, here):
            goals[target] = None
            if word.case is not None:
                cases.setdefault(target, set()).add(word.case)
    return Selection(tuple(goals), {target: frozenset(ids) for target, ids in cases.items()})


def _targets_of(word: Wanted, names: Mapping[str, str], root: Path, here: Path) -> list[Target]:
    if word.package is None or word.stage is None:
        return []
    return [Target(folder, word.stage) for folder in find_packages(word.package, names, root, here)]


def _all_folders(texts: Sequence[str], names: Mapping[str, str], root: Path, here: Path) -> list[str]:
    found = {folder: None for text in texts for folder in find_packages(text, names, root, here)}
    return list(found)


def find_packages(text: str, names: Mapping[str, str], root: Path, here: Path) -> list[str]:
    """The package folders that a name or path stands for; a folder without SKILL.md stands for the packages below it."""
    by_name = [folder for folder, name in names.items() if name == text]
    if len(by_name) == 1:
        return by_name
    by_path = _by_path(text, names, root, here) or [folder for folder in names if folder == text.removeprefix("./")]
    if by_path:
        return by_path
    if by_name:
        raise UsageError(f"{len(by_name)} packages are called {text!r}", hint="name one by its folder: " + ", ".join(by_name))
    from selftune_build.meant import meant  # only who mistypes pays for it

    words = sorted({*names, *names.values(), *(stage.value for stage in Stage)})
    near = _meant_stage(text, names) or meant(text.removesuffix("/SKILL.md"), words)
    raise UsageError(
        f"there is no package {text!r} here",
        hint=f"did you mean {near!r}?"
        if near is not None
        else "name a package, a stage or a folder; `selftune build` takes all packages",
    )


def _meant_stage(text: str, names: Mapping[str, str]) -> str | None:
    """The target that is there, of which stage or package was mistyped."""
    from selftune_build.meant import meant

    package, colon, stage = text.rpartition(":")
    near, of = meant(stage, [each.value for each in Stage]), meant(package, [*names, *names.values()])
    return f"{of}:{near}" if colon and near is not None and of is not None else None


def _by_path(text: str, names: Mapping[str, str], root: Path, here: Path) -> list[str]:
    probed(here / text)
    folder = (here / text).resolve()
    if not folder.is_dir() or not folder.is_relative_to(root):
        return []
    relative = folder.relative_to(root).as_posix()
    if relative in names:
        return [relative]
    return [path for path in names if relative == "." or path.startswith(relative + "/")]
