"""The figures of a store for people and for machines (schema `selftune.store-stats/1`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from selftune_build.report.cells import cells, name, pad, sentence
from selftune_build.store.figures import Figures, Heap, Tally
from selftune_build.wording import counted

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_HEAPS = {
    "aside": "moved aside, not used",
    "call": "calls in flight or left behind",
    "foreign": "not of this tool",
}
"""Kinds of files worth a line of their own."""


def render_json(figures: Figures) -> str:
    """One document, newline at the end; money as decimal strings."""
    groups = {"by_agent": figures.agents, "by_package": figures.packages, "by_month": figures.months}
    document = {
        "schema": "selftune.store-stats/1",
        "ok": True,
        "exit_code": 0,
        "store": figures.store,
        "total": _plain(figures.total),
        **{title: {label: _plain(tally) for label, tally in sorted(tallies.items())} for title, tallies in groups.items()},
        "other_files": {kind: {"count": heap.count, "bytes": heap.bytes} for kind, heap in sorted(figures.heaps.items())},
        "unreadable": figures.unreadable,
    }
    return json.dumps(document, indent=1) + "\n"


def render(figures: Figures, width: int) -> str:
    """The total, one table for each question, and what else lies there."""
    return "\n".join([*_head(figures), *_tables(figures, width), *_rest(figures)]) + "\n"


def money(tally: Tally) -> str:
    """What a tally cost, and of how many calls nobody knows."""
    if tally.unknown:
        known = f"{dollars(tally.usd)} and " if tally.usd else ""
        return f"{known}{counted(tally.unknown, 'call')} of unknown price"
    return "free" if tally.free == tally.samples + tally.attempts else dollars(tally.usd)


def dollars(usd: Decimal) -> str:
    """An amount of money: cents, or what is below them as far as it goes."""
    return f"{usd:.2f} USD" if usd == usd.quantize(Decimal("0.01")) else f"{usd.normalize():f} USD"


def size(count: int) -> str:
    """A number of bytes in the unit that suits it."""
    amount, unit = float(count), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return counted(count, "byte") if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"


def _plain(tally: Tally) -> dict[str, Any]:
    return {
        "samples": tally.samples,
        "attempts": tally.attempts,
        "cost_usd": f"{tally.usd:f}",
        "unknown_cost": tally.unknown,
        "free": tally.free,
        "bytes": tally.bytes,
    }


def _head(figures: Figures) -> Iterator[str]:
    total = figures.total
    yield f"store: {sentence(figures.store)}"
    yield f"{_amount(total)}, {size(total.bytes)}: {money(total)}"


def _amount(tally: Tally) -> str:
    return f"{counted(tally.samples, 'sample')}, {counted(tally.attempts, 'failed attempt')}"


def _tables(figures: Figures, width: int) -> Iterator[str]:
    for title, tallies in (("agent", figures.agents), ("package", figures.packages), ("month", figures.months)):
        if tallies:
            yield from ("", f"by {title}", *_table(tallies, width))


def _table(tallies: Mapping[str, Tally], width: int) -> Iterator[str]:
    rows = [(name(label), _amount(tally), size(tally.bytes), money(tally)) for label, tally in sorted(tallies.items())]
    rooms = [min(max(cells(row[column]) for row in rows), width) for column in range(3)]
    for row in rows:
        yield "  " + "  ".join([*(pad(text, room) for text, room in zip(row, rooms, strict=False)), row[3]])


def _rest(figures: Figures) -> Iterator[str]:
    lines = [_heap(label, figures.heaps[kind]) for kind, label in _HEAPS.items() if kind in figures.heaps]
    if figures.unreadable:
        lines.append(f"{counted(figures.unreadable, 'file')} cannot be read: `selftune store fsck` says why")
    if lines:
        yield from ("", *lines)


def _heap(label: str, heap: Heap) -> str:
    return f"{label}: {counted(heap.count, 'file')}, {size(heap.bytes)}"
