"""What a model is told about a skill: texts of strangers as data, fenced so that they cannot pass for instructions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from selftune_build.fence import cut, fenced
from selftune_build.limits import (
    DRAFTED_CONTEXT_CHARACTERS,
    DRAFTED_DESCRIPTION_CHARACTERS,
    DRAFTED_EXISTING,
    DRAFTED_SKILL_CHARACTERS,
)
from selftune_build.model.package import Package
from selftune_build.scaffold.drafting.phrasing import printable


def data(title: str, text: str) -> str:
    """One text of strangers, fenced."""
    return fenced((title, text)).text


def skill_data(package: Package) -> str:
    """What a skill says of itself: name, description and the start of its body."""
    return data(f"SKILL.md of {_name(package)}", cut(f"{_shown(package)}\n\n{package.skill.body}", DRAFTED_SKILL_CHARACTERS))


def sibling_data(siblings: Sequence[Package]) -> str:
    """Name and description of sibling skills; a sentence where there is none."""
    if not siblings:
        return "There are no sibling skills."
    shown = "\n\n".join(cut(_shown(each), DRAFTED_DESCRIPTION_CHARACTERS) for each in siblings)
    return data("sibling skills that are installed beside it", shown)


def existing_data(prompts: Iterable[str]) -> str:
    """The prompts that are there already; a sentence where there is none."""
    shown = [printable(cut(prompt, DRAFTED_CONTEXT_CHARACTERS)) for prompt in prompts][:DRAFTED_EXISTING]
    return data("prompts that exist already", json.dumps(shown, indent=1, ensure_ascii=False)) if shown else ""


def _shown(package: Package) -> str:
    return f"name: {_name(package)}\ndescription: {package.skill.description}"


def _name(package: Package) -> str:
    return printable(package.name)
