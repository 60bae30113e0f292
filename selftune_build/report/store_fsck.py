"""What an examination of the store found, for people and for machines (schema `selftune.store-fsck/1`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from selftune_build.report.cells import indented, sentence
from selftune_build.store.ailment import Ailment, Cure, Examination, Severity
from selftune_build.store.repair import Mended
from selftune_build.wording import counted


def render_json(store: Path, found: Examination, mended: Sequence[Mended]) -> str:
    """One document, newline at the end."""
    document = {
        "schema": "selftune.store-fsck/1",
        "ok": found.errors == 0,
        "exit_code": 4 if found.errors else 0,
        "store": str(store),
        "checked": found.checked,
        "findings": [_plain(ailment) for ailment in found.ailments],
        "repaired": msgspec.to_builtins(list(mended)),
    }
    return json.dumps(document, indent=1) + "\n"


def render(store: Path, found: Examination, mended: Sequence[Mended], width: int, *, verbose: bool) -> str:
    """What was mended, what is left, and the sum of it."""
    lines = [f"store: {sentence(str(store))}"]
    for each in mended:
        lines += indented(f"mended {sentence(each.path)} ({each.code}): {sentence(each.done)}", width, 0)
    shown = [ailment for ailment in found.ailments if verbose or ailment.severity is not Severity.NOTE]
    for ailment in shown:
        lines += indented(f"{ailment.severity}: {sentence(ailment.path)}: {sentence(ailment.message)} [{ailment.code}]", width, 0)
    return "\n".join([*lines, *_sum(found)]) + "\n"


def _plain(ailment: Ailment) -> dict[str, object]:
    return {
        "id": ailment.code,
        "severity": ailment.severity.value,
        "path": ailment.path,
        "message": ailment.message,
        "repairable": ailment.cure is not Cure.NONE,
    }


def _sum(found: Examination) -> Iterator[str]:
    files = sum(found.checked.values())
    counts = {severity: sum(each.severity is severity for each in found.ailments) for severity in Severity}
    told = ", ".join(counted(count, severity.value) for severity, count in counts.items() if count)
    yield f"{counted(files, 'file')} checked: {told or 'everything is what it claims to be'}"
    if any(each.cure is not Cure.NONE and each.severity is not Severity.NOTE for each in found.ailments):
        yield "  next: selftune store fsck --repair (moves aside and writes again; deletes no answer)"
