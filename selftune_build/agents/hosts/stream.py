"""An answer of a host: our opening line, the host's own event stream, and what we add when it is over; all of it JSON lines."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from selftune_build.agents.observation import set_old_times
from selftune_build.agents.protocol import AgentFailure, RunRequest
from selftune_build.limits import (
    HOST_REFUSAL_CHARACTERS,
    HOST_REFUSALS,
    HOST_SESSION_BYTES,
    HOST_SIGN_CHARACTERS,
    HOST_SIGN_LETTERS,
    HOST_SIGNS,
    SKILL_FILE_BYTES_MAX,
)
from selftune_build.model.package import SKILL_FILE
from selftune_build.model.sample import ErrorKind

CLOSING = "selftune.closing/1"
_OPENING_START = b'{"type":"selftune.opening/1"'

_NUMBER = re.compile(r"^\s*\d+(?:\t|: ?|\s{2,})")
"""How `nl`, `cat -n` and `grep -n` number what they print."""
_REFUSED = re.compile(r"(Permission denied|Read-only file system|Operation not permitted)\.?(?:: '.*')?\s*$")
"""At the end of a line, or with the path behind it, as Python writes it."""


class Opening(Struct, frozen=True, tag_field="type", tag="selftune.opening/1"):
    """What has to be known to read the stream: written before the host starts, so that an answer can be read alone."""

    workspace: str = ""
    skills: dict[str, tuple[str, ...]] = {}
    """Of each staged skill the first lines of its body that no other one has: who has seen one of them has read it."""
    invoked: tuple[str, ...] = ()
    """Skills that the prompt calls by the host's own sign, which puts their body before the model without any event."""

    def relative(self, path: str) -> str:
        """A path as seen from the workspace."""
        for root in (self.workspace, "{workspace}"):
            if root and path.startswith(f"{root}/"):
                return path[len(root) + 1 :]
        return path

    def is_outside(self, path: str) -> bool:
        """Whether a path leads out of the workspace."""
        path = posixpath.normpath(path)
        return path.startswith("../") or (path.startswith("/") and self.relative(path) == path)

    def read_in(self, text: str) -> frozenset[str]:
        """The skills whose body shows in a text."""
        lines = {_NUMBER.sub("", line).strip()[:HOST_SIGN_CHARACTERS] for line in text.splitlines()}
        return frozenset(name for name, signs in self.skills.items() if lines.intersection(signs))


class Stream(Struct, frozen=True):
    """An answer taken apart."""

    opening: Opening
    events: tuple[dict[str, Any], ...]
    closing: dict[str, Any] | None = None
    """None where we did not live to see the end."""

    def last(self, *kinds: str) -> dict[str, Any] | None:
        """The last event of one of these types."""
        return next((event for event in reversed(self.events) if event.get("type") in kinds), None)


def opening_of(request: RunRequest, invoked: Callable[[str, Iterable[str]], tuple[str, ...]]) -> Opening:
    """The opening of a run."""
    names = [skill.name for skill in request.skills]
    lines = {name: _telling_lines(request.workspace.skill(name) / SKILL_FILE) for name in names}
    counts = Counter(each for found in lines.values() for each in found)
    signs = {name: tuple(each for each in found if counts[each] == 1)[:HOST_SIGNS] for name, found in lines.items()}
    return Opening(str(request.workspace.root), signs, invoked(request.prompt, names))


def called_names(prompt: str, names: Iterable[str], pattern: str) -> tuple[str, ...]:
    """The skills that a prompt calls, `pattern` being how the host has them written with {} for the name."""
    return tuple(name for name in names if re.search(pattern.format(re.escape(name)), prompt))


def line(document: Struct | Mapping[str, Any]) -> bytes:
    """A document as one line."""
    return msgspec.json.encode(document) + b"\n"


def without(content: bytes, beginning: bytes) -> bytes:
    """The lines that do not begin like this; all of them where it is empty."""
    if not beginning:
        return content
    return b"".join(each for each in content.splitlines(keepends=True) if not each.startswith(beginning))


def parse_stream(raw: bytes) -> Stream:
    """The events of an answer; lines that are no object are passed over. Raises AgentFailure(PROTOCOL) without an opening."""
    first, _, rest = raw.partition(b"\n")
    try:
        if not first.startswith(_OPENING_START):
            raise msgspec.DecodeError("another line")
        opening = msgspec.json.decode(first, type=Opening)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AgentFailure(ErrorKind.PROTOCOL, "the answer does not begin as an answer of a host") from error
    events = tuple(_objects(rest))
    closing = events[-1] if events and events[-1].get("type") == CLOSING else None
    return Stream(opening, tuple(event for event in events if event.get("type") != CLOSING), closing)


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a log that a host keeps in its home, an object a line; none of a file that is not there."""
    if path.is_file():
        with path.open("rb") as stream:
            yield from _objects(stream.read(HOST_SESSION_BYTES))


def refusals_in(tool: str, text: str) -> Iterator[str]:
    """The lines with which the system refused what a command tried, where they stand in its output."""
    for each in text.splitlines():
        if _REFUSED.search(each):
            yield f"{tool}: {each.strip()}"


def bounded(refused: Iterable[str]) -> tuple[str, ...]:
    """So many refusals as a sample keeps, each on one line."""
    lines = dict.fromkeys(" ".join(each.split())[:HOST_REFUSAL_CHARACTERS] for each in refused)
    return tuple(lines)[:HOST_REFUSALS]


def _objects(content: bytes) -> Iterator[dict[str, Any]]:
    for each in content.splitlines():
        if not each.lstrip().startswith(b"{"):
            continue
        try:
            found = msgspec.json.decode(each)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found


def _telling_lines(path: Path) -> tuple[str, ...]:
    """The lines of a staged body that are more than a heading's worth; its times stay as they were staged.

    Of a file without a body the line with its name: then that is all there is to read.
    """
    with path.open("rb") as stream:
        text = stream.read(SKILL_FILE_BYTES_MAX).decode("utf-8", "replace")
    set_old_times(path)
    head, _, body = text.partition("---")[2].partition("\n---") if text.startswith("---") else ("", "", text)
    lines = _stripped(body) or [each for each in _stripped(head) if each.startswith("name:")]
    telling = [each for each in lines if sum(map(str.isalnum, each)) >= HOST_SIGN_LETTERS] or lines
    return tuple(dict.fromkeys(telling))


def _stripped(text: str) -> list[str]:
    return [stripped for each in text.splitlines() if (stripped := each.strip()[:HOST_SIGN_CHARACTERS])]
