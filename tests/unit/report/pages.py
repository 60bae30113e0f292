"""Reports that fill a page: everything that can be said is said, by whoever the test wants to say it."""

from __future__ import annotations

from selftune_build.model.case import Case, CaseFile, Check, Origin
from selftune_build.model.detail import LockDiff, PackageDetail
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.report import Accepted, Failure, PackageReport, Problem, Report, RowReport, RowState, Spend
from selftune_build.model.sample import FileChange, Reply, Sample, ToolCall, Transcript, Usage
from selftune_build.model.shown import ShownCase, ShownCheck, ShownSample
from selftune_build.model.verdict import CheckResult, GateResult, Metric, Score, Verdict

MARKER = "OWNED"
ATTACKS = (
    f"<script>window.{MARKER}=1</script>",
    f"</script></style></title><img src=x onerror=window.{MARKER}=1>",
    f'" onmouseover="window.{MARKER}=1" x="',
    f"' autofocus onfocus='window.{MARKER}=1",
    f"javascript:window.{MARKER}=1",
    f"<!--{MARKER}--><svg/onload=window.{MARKER}=1>",
    f"{MARKER}\x00\x1b[31m\u202egnp.exe\u2066\u200b\ud800",
    f"]]>{MARKER}<![CDATA[ &lt;b&gt; &amp;",
    f"<base href=//e.vil/><meta http-equiv=refresh content=0;url=//e.vil/{MARKER}>",
    f"[{MARKER}](http://e.vil/) http://e.vil/",
)
RATE = Metric(0.75, 0.5, 0.9, 8)
LIFT = Metric(-0.25, -0.5, 0.1, 8)


def said_by(stranger: str, *, mode: str = "build") -> Report:
    """A report in which every text that a skill, a model, a plugin or a lock can choose is the stranger's."""
    return Report(Verdict.FAIL, 1, Spend(3, 2, "0.50", 7), (package(stranger),), mode)


def package(word: str, *, rows: tuple[RowReport, ...] = (), verdict: Verdict = Verdict.FAIL) -> PackageReport:
    """One package, every word in it the same."""
    target, other = f"{word}:replay[{word}]", f"{word}:baseline[{word}]"
    own = (
        RowReport(target, word, "with_skill", RowState.FAILED, 3, 2, 1, True, word, 3),
        RowReport(other, word, "without_skill", RowState.HELD, 3, None, 0, True, word, 3),
    )
    shown = {place: shown_case(word, place, arm) for place, arm in ((target, "with_skill"), (other, "without_skill"))}
    cases = {place: each.case for place, each in shown.items()}
    return PackageReport(
        name=word,
        path=word,
        agent=word,
        origin="live",
        verdict=verdict,
        metrics={"task_pass_rate": RATE, "lift": LIFT},
        gates=(GateResult("task-pass-rate", Verdict.FAIL, word), GateResult(word, Verdict.PASS, word, required=False)),
        problems=(Problem("gate-failed", target, word, word, 2, word),),
        findings=(Finding("odd", Severity.WARNING, word, Location(word, 1, 2, word), word),),
        failures=(Failure(target, word, word, 2, 3),),
        rows=rows or own,
        next_command=word,
        remark=word,
        accepted=(Accepted(target, word, word, Finding("odd", Severity.WARNING, word, Location(word, 1, 2, word), word)),),
        switched_off={word: word},
        detail=PackageDetail(cases, shown, {"task_pass_rate": 0.5, "lift": 0.0}, LockDiff("HEAD", (word,))),
    )


def shown_case(word: str, target: str, arm: str, *, samples: int = 1, output: str | None = None, files: int = 1) -> ShownCase:
    """One row with its samples."""
    origin = Origin("native", Location(word, 3, 1, word))
    case = Case(
        word, f"{word}\nand more", files=(CaseFile(word, b""),), should_trigger=True, checks=(Check("contains"),), origin=origin
    )
    calls = (ToolCall(word, {word: word}),)
    reply = Reply(output if output is not None else word, (word,), (word,), calls, Usage(), word, word, (word,))
    content = f"a {word}".replace("\0", "").encode("utf-8", "replace")
    left = tuple(FileChange(f"{word}{number}", content) for number in range(files))
    transcript = Transcript(reply, left, 0, word, True)
    taken = Sample("sha256:0", "sha256:1", 0, "sha256:2", frozenset(), transcript, "sha256:3")
    check = ShownCheck(word, word, 2, CheckResult(False, word, votes=3, agreeing=2))
    every = (ShownSample(taken, True, False, (check,), Score(0, 0, 2)),) * samples
    return ShownCase(target, word, "live", arm, case, None, (), every, word)
