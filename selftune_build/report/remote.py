"""What came from a remote and went there, in a line or two."""

from __future__ import annotations

from collections.abc import Iterator

from selftune_build.model.remote import RemoteReport, RemoteState
from selftune_build.report.cells import indented, name, sentence, wrap
from selftune_build.wording import counted


def remote_state(remote: RemoteState | None, width: int) -> Iterator[str]:
    """The remote in one line; nothing where none is named."""
    if remote is None:
        return
    told = ["it answers" if remote.reached else f"it cannot be reached: {sentence(remote.trouble)}"]
    told.append(f"reads {', '.join(map(name, remote.read))}" if remote.read else "reads nothing")
    told.append(f"writes {name(remote.write)}" if remote.write is not None else "writes nothing")
    if remote.unsent:
        told.append("not everything that was paid for is there: `selftune store push`, or the next build")
    yield from wrap(f"remote {sentence(remote.url)}: {'; '.join(told)}", width, "  ")


def remote_lines(remote: RemoteReport | None, width: int, *, plan: bool) -> Iterator[str]:
    """Nothing where no remote was asked."""
    if remote is None:
        return
    told = [f"{counted(remote.taken, 'sample')} {'would be ' if plan else ''}taken"] if remote.taken else []
    if remote.refused:
        why = ", ".join(f"{count} {name(code)}" for code, count in remote.refused.items())
        told.append(f"{sum(remote.refused.values())} refused ({why})")
    if remote.sent:
        told.append(f"{remote.sent} sent to {name(remote.write or '')}")
    if remote.unsent:
        told.append(f"{remote.unsent} not sent yet")
    if not (told or remote.trouble):
        told.append("nothing there that is asked for")
    yield from wrap(f"remote {sentence(remote.url)}: {', '.join(told) or 'trouble'}", width, "  ")
    if remote.trouble:
        yield from indented(sentence(remote.trouble), width, 2)
    if remote.refused:
        yield "  `selftune store pull` says which and why"
    if remote.unsent:
        yield "  next: selftune store push, or any build: what was paid for is here and stays"
