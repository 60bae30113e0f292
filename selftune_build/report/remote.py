"""What came from a remote and went there, in a line or two."""

from __future__ import annotations

from collections.abc import Iterator

from selftune_build.model.remote import RemoteReport
from selftune_build.report.cells import indented, name, sentence, wrap
from selftune_build.wording import counted


def remote_lines(remote: RemoteReport | None, width: int) -> Iterator[str]:
    """Nothing where no remote was asked."""
    if remote is None:
        return
    told = [f"{counted(remote.taken, 'sample')} taken"]
    if remote.refused:
        why = ", ".join(f"{count} {name(code)}" for code, count in remote.refused.items())
        told.append(f"{sum(remote.refused.values())} refused ({why})")
    if remote.write is not None and (remote.sent or remote.unsent):
        told.append(f"{remote.sent} sent to {name(remote.write)}")
    if remote.unsent:
        told.append(f"{remote.unsent} not sent yet")
    yield from wrap(f"remote {sentence(remote.url)}: {', '.join(told)}", width, "  ")
    if remote.trouble:
        yield from indented(f"trouble: {sentence(remote.trouble)}", width, 2)
