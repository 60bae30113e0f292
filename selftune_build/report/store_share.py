"""What pushing, pulling and comparing brought about, for people and for machines (schemas `selftune.store-push/1` and so on)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from selftune_build.limits import SHOWN_PATHS
from selftune_build.report.cells import sentence
from selftune_build.report.store_stats import size
from selftune_build.sharing.pulling import Pulled, reasons
from selftune_build.sharing.pushing import Pushed
from selftune_build.sharing.standing import Standing
from selftune_build.wording import counted


def render_push_json(done: Pushed, url: str) -> str:
    """One document, newline at the end."""
    return _document("push", url, 4 if done.trouble else 0, msgspec.to_builtins(done))


def render_push(done: Pushed, url: str) -> str:
    """What was sent, what was there, what was not."""
    lines = [f"{sentence(url)}: {counted(done.sent, 'sample')} sent, {done.there} there already"]
    if done.free:
        lines.append(f"{counted(done.free, 'sample')} left out: free to have again")
    if done.unsound:
        lines.append(f"{counted(done.unsound, 'sample')} left out: not sound, `selftune store fsck` says why")
    if done.trouble:
        lines += [
            f"{counted(done.failed, 'sample')} not sent: {sentence(done.trouble)}",
            "  next: the same again; what was sent stays",
        ]
    return "\n".join(lines) + "\n"


def render_pull_json(done: Pulled, url: str, status: int) -> str:
    """One document, newline at the end."""
    fields = {"taken": done.taken, "here": done.here, "refused": msgspec.to_builtins(done.refused), "trouble": done.trouble}
    return _document("pull", url, status, fields)


def render_pull(done: Pulled, url: str) -> str:
    """What was taken, what was here, what was refused and why."""
    lines = [f"{sentence(url)}: {counted(done.taken, 'sample')} taken, {done.here} here already"]
    told = ", ".join(f"{count} {code}" for code, count in reasons(done.refused).items())
    if told:
        lines.append(f"{len(done.refused)} refused: {told}")
    lines += [f"  {sentence(each.name)}: {sentence(each.message)} [{each.code}]" for each in done.refused[:SHOWN_PATHS]]
    return "\n".join(lines) + "\n"


def render_status_json(found: Sequence[Standing], url: str) -> str:
    """One document, newline at the end."""
    return _document("status", url, 0, {"tiers": msgspec.to_builtins(list(found))})


def render_status(found: Sequence[Standing], url: str) -> str:
    """A line for each tier."""
    lines = [
        f"{each.tier}: {counted(each.both, 'sample')} on both sides, {each.here} only here, {each.there} only there"
        f" ({size(each.bytes)} there)" + (f"; {each.free} free to have again, not to be sent" if each.free else "")
        for each in found
    ]
    return "\n".join([sentence(url), *(f"  {line}" for line in lines)]) + "\n"


def _document(verb: str, url: str, status: int, fields: dict[str, Any]) -> str:
    head = {"schema": f"selftune.store-{verb}/1", "ok": status == 0, "exit_code": status, "url": url}
    return json.dumps({**head, **fields}, indent=1) + "\n"
