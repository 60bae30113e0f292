"""One case as text: prompt, transcript, files, each check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selftune_build.advice import command
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS, SHOWN_FILE_LINES, SHOWN_TEXT_LINES
from selftune_build.model.repeated import Repeated
from selftune_build.model.sample import FileChange, ToolCall
from selftune_build.model.shown import ShownCase, ShownSample
from selftune_build.report.cells import name, percent, sentence
from selftune_build.report.routing import stolen_by
from selftune_build.report.statistics import flaky_rate

_MARKS = {True: "held", False: "failed", None: "not measured"}


def render(cases: Sequence[ShownCase], *, verbose: bool = False, place: Repeated) -> str:
    """Each case whole; texts of strangers line by line, without control characters. Ends in a newline.

    `place`: for the commands to type next.
    """
    return "\n\n".join("\n".join(_case(case, verbose, place)) for case in cases) + "\n"


def _case(shown: ShownCase, verbose: bool, place: Repeated) -> Iterator[str]:
    yield f"{name(shown.target)}  {shown.arm}, agent {name(shown.agent)} ({shown.origin})"
    yield from _asked(shown, verbose)
    if shown.judge:
        yield f"  judge {name(shown.judge)}"
    yield from _standing(shown)
    for sample in shown.samples:
        yield ""
        yield from _sample(sample, shown, verbose)
    if not shown.samples:
        again = ("--resample", "1") if shown.row is not None else ()  # what the lock has settled is not run again by itself
        yield f"  no sample of it is in this store; next: {sentence(command('build', shown.target, *again, place=place))}"


def _asked(shown: ShownCase, verbose: bool) -> Iterator[str]:
    case = shown.case
    if case.origin is not None:
        yield f"  from {name(str(case.origin.at))}"
    if case.run:
        yield f"  runs {sentence(' '.join(case.run))}"
    yield from _text("  ", "prompt", case.prompt, verbose)
    if case.files:
        yield f"  files {sentence(', '.join(file.dest for file in case.files))}"
    if case.should_trigger is not None:
        yield f"  should {'' if case.should_trigger else 'not '}trigger"


def _standing(shown: ShownCase) -> Iterator[str]:
    row = shown.row
    if row is not None:
        counts = [f"triggered {row.triggered}" if isinstance(row.triggered, int) else ""]
        counts += [f"passed {row.passed}" if isinstance(row.passed, int) else ""]
        yield f"  lock: n {row.n}" + "".join(f", {count}" for count in counts if count)
        yield f"  depends on {sentence(', '.join(row.observed) or 'nothing but what was asked')}"
    for flaky in shown.flaky:
        yield f"  flaky: {flaky_rate(flaky)}"
    if shown.stolen is not None:
        yield f"  stolen: {stolen_by(shown.stolen)}"
    for reason in shown.reasons:
        yield f"  stale: {sentence(reason.message)}"


def _sample(shown: ShownSample, case: ShownCase, verbose: bool) -> Iterator[str]:
    reply, transcript = shown.sample.transcript.reply, shown.sample.transcript
    aside = "" if shown.counts else ", of an earlier text: it does not count today"
    yield f"  sample {shown.sample.index}{aside}"
    if transcript.limit:
        yield "    the time limit was reached"
    if transcript.exit_status is not None:
        yield f"    exit status {transcript.exit_status}"
    if case.arm != "script":
        yield f"    skills used: {_listed(reply.skills_used)}"
        yield f"    files read: {_listed(reply.files_read)}"
        yield from _calls(reply.tool_calls, verbose)
    if reply.model is not None:
        yield f"    served by {name(reply.model)}"
    yield from _text("    ", "output", reply.output, verbose)
    yield from _text("    ", "stderr", transcript.stderr, verbose)
    for change in transcript.files:
        yield from _change(change, verbose)
    for check in shown.checks:
        weight = f" (weight {check.weight})" if check.weight != 1 else ""
        yield f"    {_MARKS[check.result.held]}: {sentence(check.check)}{weight}"
        yield f"      {sentence(check.result.evidence)}"
        if check.result.votes:
            yield f"      votes {check.result.votes}, agreement {percent(check.result.agreeing, check.result.votes)}"
    yield from _score(shown)
    if case.case.should_trigger is not None and case.arm == "with_skill":
        held = None if shown.activated is None else shown.activated is case.case.should_trigger
        yield f"    {_MARKS[held]}: should {'' if case.case.should_trigger else 'not '}trigger"


def _score(shown: ShownSample) -> Iterator[str]:
    """How the checks add up, where the author weighed any: without weights the marks say as much."""
    score = shown.score
    if any(check.weight != 1 for check in shown.checks):
        unknown = f", {score.unknown} not measured" if score.unknown else ""
        yield f"    score by weight: {score.held} of {score.total}{unknown}"


def _listed(items: Sequence[str] | None) -> str:
    if items is None:
        return "the agent does not tell"
    return sentence(", ".join(items)) or "none"


def _calls(calls: Sequence[ToolCall] | None, verbose: bool) -> Iterator[str]:
    if calls is None:
        yield "    tool calls: the agent does not tell"
        return
    for call in calls if verbose else calls[:SHOWN_TEXT_LINES]:
        yield f"    called {name(call.name)} {sentence(str(call.input) if call.input else '')}".rstrip()
    if not verbose and len(calls) > SHOWN_TEXT_LINES:
        yield f"    and {len(calls) - SHOWN_TEXT_LINES} more calls (-v shows all)"


def _change(change: FileChange, verbose: bool) -> Iterator[str]:
    if change.content is None:
        yield f"    removed {name(change.path)}"
        return
    yield f"    left {name(change.path)} ({len(change.content)} bytes)"
    if b"\0" not in change.content:
        yield from _lines("      | ", change.content.decode(errors="replace"), SHOWN_FILE_LINES, verbose)


def _text(indent: str, label: str, text: str, verbose: bool) -> Iterator[str]:
    if text:
        yield f"{indent}{label}:"
        yield from _lines(f"{indent}  | ", text, SHOWN_TEXT_LINES, verbose)


def _lines(indent: str, text: str, most: int, verbose: bool) -> Iterator[str]:
    lines = text.rstrip("\n").split("\n")
    shown = lines if verbose else lines[:most]
    yield from (indent + one_line(line, MESSAGE_CHARACTERS) for line in shown)
    if len(lines) > len(shown):
        yield f"{indent}… {len(lines) - len(shown)} more lines (-v shows all)"
