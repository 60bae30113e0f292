"""Results as skill-creator keeps them, so that its viewer and its scripts open them.

Facts about what these read, from `eval-viewer/generate_review.py`, `eval-viewer/viewer.html` and
`scripts/aggregate_benchmark.py` of github.com/anthropics/skills (2026-07-01): a run is a folder with `outputs/`; its prompt and
number stand in `eval_metadata.json` there or one folder up; numbers of evals are subtracted from each other, so they are
numbers; `configuration` is rewritten as text without being asked whether it is there; of `run_summary` every key but `delta` is
a configuration, the first two are shown, and `mean` and `stddev` of what is given there must both be numbers; differences are
text with a sign. A `timing` in `grading.json` makes the script take the length of the answer for its tokens, so times stand in
`timing.json` alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean, stdev
from typing import Any

from msgspec import Struct

from selftune_build.escape import one_line
from selftune_build.limits import EVIDENCE_CHARACTERS
from selftune_build.model.case import Case
from selftune_build.model.shown import ShownCase, ShownSample
from selftune_build.relpath import fault

WITH, WITHOUT = "with_skill", "without_skill"
_MEASURES = ("pass_rate", "time_seconds", "tokens")
_DIGITS = 4


class Run(Struct, frozen=True):
    """One sample of one case under one arm; `number` counts the samples of that arm from 1."""

    eval_id: int
    case: Case
    configuration: str
    number: int
    shown: ShownSample

    @property
    def folder(self) -> str:
        """Where it lies, seen from the workspace."""
        return f"eval-{self.eval_id}/{self.configuration}/run-{self.number}"


def workspace(skill_name: str, skill_path: str, shown: Sequence[ShownCase]) -> dict[str, bytes]:
    """Every file of a workspace by its path: runs with their outputs, `benchmark.json` and `.md`, and the trigger results.

    Only samples that count are runs. What was not measured is a note, never a failed expectation.
    """
    runs = list(_runs(shown))
    files = {path: content for run in runs for path, content in _run_files(run)}
    for eval_id, case in {run.eval_id: run.case for run in runs}.items():
        files[f"eval-{eval_id}/eval_metadata.json"] = _encoded(_metadata(eval_id, case))
    document = benchmark(skill_name, skill_path, runs, shown)
    files["benchmark.json"] = _encoded(document)
    files["benchmark.md"] = markdown(document).encode("utf-8", "replace")
    files["trigger_results.json"] = _encoded(triggers(skill_name, shown))
    return files


def grading(run: Run) -> dict[str, Any]:
    """`grading.json`: the checks that were measured, under both names in use for them, and how often tools were called."""
    found = expectations(run.shown)
    reply = run.shown.sample.transcript.reply
    calls = Counter(call.name for call in reply.tool_calls or ())
    return {
        "expectations": found,
        "assertion_results": found,
        "summary": _summary(found),
        "execution_metrics": {
            "tool_calls": dict(sorted(calls.items())),
            "total_tool_calls": sum(calls.values()),
            "errors_encountered": 0,
            "output_chars": len(reply.output),
        },
        "user_notes_summary": {"uncertainties": _notes(run.shown), "needs_review": [], "workarounds": []},
    }


def timing(shown: ShownSample) -> dict[str, Any]:
    """`timing.json`: tokens and time, each only where the agent or its archive tells."""
    told: dict[str, Any] = {}
    tokens, duration = _tokens(shown), _seconds(shown)
    if tokens is not None:
        told["total_tokens"] = tokens
    if duration is not None:
        told |= {"duration_ms": shown.sample.transcript.milliseconds, "total_duration_seconds": duration}
    return told


def expectations(shown: ShownSample) -> list[dict[str, Any]]:
    """The checks that hold or do not, as the viewer names their parts. It tells them apart by their text, so no two are equal."""
    seen: Counter[str] = Counter()
    found = []
    for each in shown.checks:
        seen[each.check] += 1
        if each.result.held is not None:
            text = each.check if seen[each.check] == 1 else f"{each.check} ({seen[each.check]})"
            evidence = one_line(each.result.evidence, EVIDENCE_CHARACTERS)
            found.append({"text": text, "passed": each.result.held, "evidence": evidence})
    return found


def benchmark(skill_name: str, skill_path: str, runs: Sequence[Run], shown: Sequence[ShownCase]) -> dict[str, Any]:
    """`benchmark.json`; without an arm there is no difference to it, rather than one from nothing."""
    arms = [arm for arm in (WITH, WITHOUT) if any(run.configuration == arm and expectations(run.shown) for run in runs)]
    summary: dict[str, Any] = {arm: _statistics([run for run in runs if run.configuration == arm]) for arm in arms}
    if len(arms) == 2:
        summary["delta"] = _delta(summary[WITH], summary[WITHOUT])
    models = sorted({run.shown.sample.transcript.reply.model or "" for run in runs} - {""})
    numbers = Counter((run.eval_id, run.configuration) for run in runs)
    metadata = {
        "skill_name": skill_name,
        "skill_path": skill_path,
        "executor_model": ", ".join(models) or ", ".join(sorted({case.agent for case in shown})),
        "analyzer_model": "",
        "timestamp": max((run.shown.sample.recorded for run in runs), default=""),
        "evals_run": sorted({run.eval_id for run in runs}),
        "runs_per_configuration": max(numbers.values(), default=0),
    }
    origins = sorted({case.origin for case in shown})
    notes = [f"the evidence is {' and '.join(origins)}"] if origins else []
    notes += ["means and deviations over runs, not over cases: gates of `selftune build` decide by cases"]
    return {"metadata": metadata, "runs": [_result(run) for run in runs], "run_summary": summary, "notes": notes}


def markdown(document: dict[str, Any]) -> str:
    """`benchmark.md`: the summary as a table, and the notes."""
    metadata, summary = document["metadata"], document["run_summary"]
    arms = [arm for arm in summary if arm != "delta"]
    head = ["Metric", *(arm.replace("_", " ").title() for arm in arms), *(["Delta"] if "delta" in summary else [])]
    lines = [
        f"# Skill benchmark: {metadata['skill_name']}",
        "",
        f"Model: {metadata['executor_model']}  ",
        f"Date: {metadata['timestamp'] or 'not recorded'}  ",
        f"Evals: {', '.join(map(str, metadata['evals_run'])) or 'none'}, up to {metadata['runs_per_configuration']} runs each",
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
    ]
    for measure, label in (("pass_rate", "Pass rate"), ("time_seconds", "Seconds"), ("tokens", "Tokens")):
        cells = [_cell(measure, summary[arm].get(measure)) for arm in arms]
        if any(cell != "—" for cell in cells):
            difference = [summary["delta"].get(measure, "—")] if "delta" in summary else []
            lines.append(f"| {' | '.join([label, *cells, *difference])} |")
    return "\n".join([*lines, "", "## Notes", "", *(f"- {note}" for note in document["notes"]), ""])


def triggers(skill_name: str, shown: Sequence[ShownCase]) -> dict[str, Any]:
    """What skill-creator's trigger evaluation reports: how often each query activated the skill, more than half counts."""
    results = []
    for case in shown:
        answers = [sample.activated for sample in case.samples if sample.counts and sample.activated is not None]
        if case.arm != WITH or case.case.should_trigger is None or not answers:
            continue
        rate = sum(answers) / len(answers)
        passed = (rate >= 0.5) is case.case.should_trigger
        results.append(
            {
                "query": case.case.prompt,
                "should_trigger": case.case.should_trigger,
                "trigger_rate": round(rate, _DIGITS),
                "triggers": sum(answers),
                "runs": len(answers),
                "pass": passed,
            }
        )
    held = sum(bool(result["pass"]) for result in results)
    summary = {"total": len(results), "passed": held, "failed": len(results) - held}
    return {"skill_name": skill_name, "results": results, "summary": summary}


def _runs(shown: Sequence[ShownCase]) -> Iterator[Run]:
    """Cases numbered in their order, whichever arm is met first; one without checks is in the trigger results only."""
    numbers: dict[str, int] = {}
    for case in shown:
        counted = [sample for sample in case.samples if sample.counts]
        if not any(sample.checks for sample in counted):
            continue
        eval_id = numbers.setdefault(case.case.id, len(numbers) + 1)
        for number, sample in enumerate(counted, 1):
            yield Run(eval_id, case.case, case.arm, number, sample)


def _run_files(run: Run) -> Iterator[tuple[str, bytes]]:
    yield f"{run.folder}/grading.json", _encoded(grading(run))
    yield f"{run.folder}/timing.json", _encoded(timing(run.shown))
    yield f"{run.folder}/outputs/response.md", run.shown.sample.transcript.reply.output.encode("utf-8", "replace")
    for change in run.shown.sample.transcript.files:
        if change.content is not None and not fault(change.path) and change.path != "response.md":
            yield f"{run.folder}/outputs/{change.path}", change.content


def _metadata(eval_id: int, case: Case) -> dict[str, Any]:
    from selftune_build.checks.registry import check_id

    texts = [check_id(check) for check in case.checks]
    return {"eval_id": eval_id, "eval_name": case.id, "prompt": case.prompt, "assertions": texts}


def _result(run: Run) -> dict[str, Any]:
    found = expectations(run.shown)
    calls = run.shown.sample.transcript.reply.tool_calls
    result: dict[str, Any] = {**_summary(found), "tool_calls": len(calls or ()), "errors": 0}
    told = {"time_seconds": _seconds(run.shown), "tokens": _tokens(run.shown)}
    return {
        "eval_id": run.eval_id,
        "eval_name": run.case.id,
        "configuration": run.configuration,
        "run_number": run.number,
        "result": result | {name: value for name, value in told.items() if value is not None},
        "expectations": found,
        "notes": _notes(run.shown),
    }


def _summary(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    passed = sum(each["passed"] for each in found)
    rate = round(passed / len(found), _DIGITS) if found else 0.0
    return {"passed": passed, "failed": len(found) - passed, "total": len(found), "pass_rate": rate}


def _notes(shown: ShownSample) -> list[str]:
    return [
        f"not measured: {each.check}: {one_line(each.result.evidence, EVIDENCE_CHARACTERS)}"
        for each in shown.checks
        if each.result.held is None
    ]


def _statistics(runs: Sequence[Run]) -> dict[str, Any]:
    """Mean, sample deviation and range of what was measured; what nobody told is not there."""
    graded = [_result(run)["result"] for run in runs if expectations(run.shown)]
    columns = {measure: [float(result[measure]) for result in graded if measure in result] for measure in _MEASURES}
    return {measure: _spread(values) for measure, values in columns.items() if values}


def _spread(values: Sequence[float]) -> dict[str, float]:
    deviation = stdev(values) if len(values) > 1 else 0.0
    told = {"mean": fmean(values), "stddev": deviation, "min": min(values), "max": max(values)}
    return {name: round(value, _DIGITS) for name, value in told.items()}


def _delta(first: dict[str, Any], second: dict[str, Any]) -> dict[str, str]:
    """With the skill less without it, as text with a sign."""
    formats = {"pass_rate": "+.2f", "time_seconds": "+.1f", "tokens": "+.0f"}
    both: Iterable[str] = (measure for measure in _MEASURES if measure in first and measure in second)
    return {measure: format(first[measure]["mean"] - second[measure]["mean"], formats[measure]) for measure in both}


def _cell(measure: str, spread: dict[str, float] | None) -> str:
    if spread is None:
        return "—"
    if measure == "pass_rate":
        return f"{spread['mean'] * 100:.0f}% ± {spread['stddev'] * 100:.0f}%"
    return f"{spread['mean']:.1f} ± {spread['stddev']:.1f}"


def _seconds(shown: ShownSample) -> float | None:
    return None if shown.sample.transcript.milliseconds is None else round(shown.sample.transcript.milliseconds / 1000, 3)


def _tokens(shown: ShownSample) -> int | None:
    usage = shown.sample.transcript.reply.usage
    return None if usage is None else usage.input_tokens + usage.output_tokens


def _encoded(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "replace")
