"""One case as JSON, schema `selftune.show/1`."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import msgspec

from selftune_build.model.lock import Row
from selftune_build.model.sample import FileChange
from selftune_build.model.shown import ShownCase, ShownCheck, ShownSample
from selftune_build.report.document import envelope


def render(cases: Sequence[ShownCase]) -> str:
    """One document; bytes of files as text where they are UTF-8, else as `content_base64`. Newline at the end."""
    complete = all(case.samples for case in cases)
    return envelope("selftune.show/1", 0 if complete else 3, cases=[_case(case) for case in cases]) + "\n"


def _case(shown: ShownCase) -> dict[str, Any]:
    return {
        "target": shown.target,
        "agent": shown.agent,
        "origin": shown.origin,
        "arm": shown.arm,
        "judge": shown.judge or None,
        "prompt": shown.case.prompt,
        "run": list(shown.case.run),
        "should_trigger": shown.case.should_trigger,
        "row": _row(shown.row),
        "reasons": [msgspec.to_builtins(reason) for reason in shown.reasons],
        "samples": [_sample(sample) for sample in shown.samples],
        "stolen": None if shown.stolen is None else msgspec.to_builtins(shown.stolen),
        "flaky": [msgspec.to_builtins(flaky) for flaky in shown.flaky],
    }


def _row(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else {name: value for name, value in msgspec.to_builtins(row).items() if name != "extra"}


def _sample(shown: ShownSample) -> dict[str, Any]:
    transcript = shown.sample.transcript
    return {
        "call_id": shown.sample.call_id,
        "index": shown.sample.index,
        "counts": shown.counts,
        "activated": shown.activated,
        "observed": sorted(shown.sample.observed),
        "reply": msgspec.to_builtins(transcript.reply),
        "files": [_file(change) for change in transcript.files],
        "exit_status": transcript.exit_status,
        "stderr": transcript.stderr,
        "limit": transcript.limit,
        "checks": [_check(check) for check in shown.checks],
        "score": {"held": shown.score.held, "unknown": shown.score.unknown, "total": shown.score.total},
    }


def _check(shown: ShownCheck) -> dict[str, Any]:
    return {"id": shown.id, "check": shown.check, "weight": shown.weight, **msgspec.to_builtins(shown.result)}


def _file(change: FileChange) -> dict[str, Any]:
    if change.content is None:
        return {"path": change.path, "removed": True}
    try:
        return {"path": change.path, "content": change.content.decode()}
    except UnicodeDecodeError:
        return {"path": change.path, "content_base64": base64.b64encode(change.content).decode()}
