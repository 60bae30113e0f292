"""Calls of tools in an event stream, with what came of them, and what they tell: activations, reads, refused writes. All pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from selftune_build.agents.hosts.stream import Opening, refusals_in
from selftune_build.model.package import SKILL_FILE
from selftune_build.model.sample import ToolCall


class Use(Struct, frozen=True):
    """A call of a tool and what came of it."""

    name: str
    input: dict[str, Any]
    result: str | None
    """None where the call has no result."""
    error: bool

    @property
    def succeeded(self) -> bool:
        """Whether there is a result, and no error."""
        return self.result is not None and not self.error


class Tools(Struct, frozen=True):
    """What the tools of a host are for: of each the argument that counts, by the tool's name."""

    activate: dict[str, str] = {}
    """The argument names a skill."""
    read: dict[str, str] = {}
    """The argument is the path of a file."""
    write: dict[str, str] = {}
    """The argument is the path of a file."""
    shell: dict[str, str] = {}
    """The argument is a command."""


def calls_of(uses: Iterable[Use]) -> tuple[ToolCall, ...]:
    """The calls, without what came of them."""
    return tuple(ToolCall(use.name, use.input) for use in uses)


def activated(opening: Opening, uses: Iterable[Use], tools: Tools) -> tuple[str, ...]:
    """The skills whose body reached the model: called by name and launched, opened, printed, or called in the prompt itself."""
    found = dict.fromkeys(opening.invoked)
    for use in uses:
        if use.succeeded:
            found.update(dict.fromkeys(_activated_by(opening, use, tools)))
    return tuple(found)


def files_read(opening: Opening, uses: Iterable[Use], tools: Tools) -> tuple[str, ...]:
    """The files that were opened by a tool for it, seen from the workspace."""
    read = (use for use in uses if use.name in tools.read and use.succeeded)
    return tuple(dict.fromkeys(opening.relative(_given(use, tools.read)) for use in read))


def refused(opening: Opening, uses: Iterable[Use], tools: Tools) -> Iterator[str]:
    """What was refused: by the system to a command, as its output says, and every write outside that failed."""
    for use in uses:
        if use.name in tools.shell:
            yield from refusals_in(use.name, use.result or "")
        elif use.name in tools.write and use.error and opening.is_outside(_given(use, tools.write)):
            yield f"{use.name}: {_given(use, tools.write)}: not written"


def _given(use: Use, arguments: dict[str, str]) -> str:
    return str(use.input.get(arguments[use.name], ""))


def _activated_by(opening: Opening, use: Use, tools: Tools) -> list[str]:
    if use.name in tools.activate:
        name = _given(use, tools.activate).rpartition(":")[2].removeprefix("/")
        return [name] if name in opening.skills else []
    if use.name in tools.read:
        path = _given(use, tools.read)
        return [name for name in opening.skills if path.endswith(f"/{name}/{SKILL_FILE}")]
    if use.name in tools.shell and SKILL_FILE in _given(use, tools.shell):
        return sorted(opening.read_in(use.result or ""))
    return []
