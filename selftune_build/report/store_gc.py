"""What of the store could go or has gone, for people and for machines (schema `selftune.store-gc/1`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from selftune_build.engine.upkeep.collecting import Collection
from selftune_build.limits import SHOWN_PATHS
from selftune_build.report.cells import indented, name, sentence
from selftune_build.report.store_stats import dollars, size
from selftune_build.store.sweeping import Garbage
from selftune_build.wording import counted


def render_json(store: Path, found: Collection, gone: Sequence[Garbage] | None) -> str:
    """One document, newline at the end. `deleted` is null for a dry run."""
    document = {
        "schema": "selftune.store-gc/1",
        "ok": True,
        "exit_code": 0,
        "store": str(store),
        "locks": found.locks,
        "unreadable_locks": list(found.opaque),
        "garbage": [_plain(each) for each in found.garbage],
        "garbage_price": _price(found.garbage),
        "spared": [_plain(each) for each in found.spared],
        "spared_price": _price(found.spared),
        "kept": dict(sorted(found.kept.items())),
        "deleted": None if gone is None else [each.path for each in gone],
    }
    return json.dumps(document, indent=1) + "\n"


def render(store: Path, found: Collection, gone: Sequence[Garbage] | None, width: int) -> str:
    """What goes and its price, what is spared, why the rest stays."""
    lines = [f"store: {sentence(str(store))}", f"{counted(found.locks, 'lock')} read in all refs, stashes and worktrees"]
    for place in found.opaque:
        lines += indented(f"cannot be read, so every sample stays: the lock in {sentence(place)}", width, 0)
    chosen = found.garbage if gone is None else gone
    lines += ["", f"{'would delete' if gone is None else 'deleted'} {_sum(chosen)}"]
    for each in chosen[:SHOWN_PATHS]:
        lines += indented(_line(each), width, 2)
    if len(chosen) > SHOWN_PATHS:
        lines.append(f"  and {len(chosen) - SHOWN_PATHS} more (--json names all)")
    return "\n".join([*lines, *_rest(found, gone)]) + "\n"


def _rest(found: Collection, gone: Sequence[Garbage] | None) -> Iterator[str]:
    if found.spared:
        yield f"spared, since it was paid for: {_sum(found.spared)}"
        yield "  --paid --older-than DAYS gives it up"
    yield from (f"{counted(count, 'sample')} kept: {reason}" for reason, count in sorted(found.kept.items()))
    if gone is None and found.garbage:
        yield "  next: the same with --delete"


def _line(each: Garbage) -> str:
    price = "unknown price" if each.usd is None else dollars(each.usd) if each.usd else "free"
    about = f" {name(each.about)!r}" if each.about else ""
    return f"{each.kind}{about}, {price}, {sentence(each.path.rpartition('/')[2])}: {sentence(each.reason)}"


def _sum(those: Sequence[Garbage]) -> str:
    if not those:
        return "nothing"
    price = _price(those)
    usd, unknown = Decimal(price["usd"]), price["unknown"]
    known = [dollars(usd)] if usd else []
    told = [*known, *([f"{counted(unknown, 'file')} of unknown price"] if unknown else [])] or ["free to have again"]
    return f"{counted(len(those), 'file')}, {size(sum(each.bytes for each in those))}: {' and '.join(told)}"


def _price(those: Sequence[Garbage]) -> dict[str, Any]:
    known = sum((each.usd for each in those if each.usd is not None), Decimal(0))
    return {"usd": f"{known:f}", "unknown": sum(each.usd is None for each in those)}


def _plain(each: Garbage) -> dict[str, Any]:
    usd = None if each.usd is None else f"{each.usd:f}"
    fields = {"path": each.path, "kind": each.kind, "bytes": each.bytes, "usd": usd}
    return {**fields, "about": each.about, "reason": each.reason}
