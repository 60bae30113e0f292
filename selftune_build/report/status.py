"""The status of all packages for people and for machines (schema `selftune.status/1`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from selftune_build.model.remote import RemoteState
from selftune_build.model.status import PackageStatus, Readiness
from selftune_build.report.cells import cells, indented, name, pad, sentence
from selftune_build.report.document import envelope
from selftune_build.report.remote import remote_state
from selftune_build.wording import counted

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def render_json(statuses: Sequence[PackageStatus], exit_code: int = 0, remote: RemoteState | None = None) -> str:
    """One document, newline at the end."""
    more = {"remote": msgspec.to_builtins(remote)} if remote is not None else {}
    return envelope("selftune.status/1", exit_code, packages=msgspec.to_builtins(statuses), **more) + "\n"


def render(statuses: Sequence[PackageStatus], now: datetime, width: int, remote: RemoteState | None = None) -> str:
    """One paragraph for each package: its state, why, how old its evidence is, the one command to type next; then the remote."""
    room = max((cells(_who(each)) for each in statuses), default=0)
    lines = [line for each in statuses for line in _package(each, now, room, width)]
    ready = sum(each.state is Readiness.READY_TO_PUBLISH for each in statuses)
    lines += ["", f"{ready} of {counted(len(statuses), 'package')} ready to publish", *remote_state(remote, width)]
    return "\n".join(lines) + "\n"


def _who(each: PackageStatus) -> str:
    return f"{name(each.name)} ({name(each.agent)})" if each.agent else name(each.name)


def _package(each: PackageStatus, now: datetime, room: int, width: int) -> Iterator[str]:
    yield f"{pad(_who(each), room)}  {each.state.value}"
    if each.state is not Readiness.READY_TO_PUBLISH:
        yield from indented(sentence(each.summary), width, 2)
    yield from indented(f"evidence: {', '.join(_evidence(each, now))}", width, 2)
    if each.next_command:
        yield f"  next: {sentence(each.next_command)}"


def _evidence(each: PackageStatus, now: datetime) -> Iterator[str]:
    if each.agent and not each.asked:
        yield "none, no case asks an agent"
        return
    yield name(each.origin) if each.origin else "none in the lock"
    if each.oldest is not None and each.newest is not None:
        ages = dict.fromkeys((_age(each.oldest, now), _age(each.newest, now)))
        yield f"samples {' to '.join(ages)} old"
    elif each.origin:
        yield "its samples are not in this store" if each.answered else "none of it of today"
    if len(each.models) > 1:
        yield f"served by different models: {', '.join(map(name, each.models))}"
    elif each.models:
        yield f"served by {name(each.models[0])}"


def _age(recorded: str, now: datetime) -> str:
    seconds = max((now.astimezone(UTC) - datetime.fromisoformat(recorded).astimezone(UTC)).total_seconds(), 0)
    unit, length = next((each for each in _UNITS if seconds >= each[1]), ("s", 1))
    return f"{int(seconds // length)} {unit}"
