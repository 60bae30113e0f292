"""The report for people, line by line."""

from __future__ import annotations

import pytest

from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.report import Failure, PackageReport, Problem, Reason, Report, Spend, StageReport, TargetState
from selftune_build.model.verdict import GateResult, Metric, Verdict
from selftune_build.report import text
from selftune_build.report.cells import cells

STAGES = (
    StageReport("pdf:spec", TargetState.BUILT, run=1),
    StageReport("pdf:evals", TargetState.BUILT),
    StageReport("pdf:unit-tests", TargetState.BUILT, run=3, reused=2),
    StageReport("pdf:replay", TargetState.BUILT, run=12, reused=3),
    StageReport("pdf:baseline", TargetState.UP_TO_DATE, reused=6),
    StageReport("pdf:package-evaluation", TargetState.BUILT),
    StageReport("pdf:verify", TargetState.BUILT),
)
GATES = (
    GateResult("spec", Verdict.PASS, "no errors"),
    GateResult("unit-tests", Verdict.PASS, "all 5 hold"),
    GateResult("trigger-recall", Verdict.PASS, "at least 0.50"),
    GateResult("lift", Verdict.INCONCLUSIVE, "6 cases cannot show it", required=False),
)
METRICS = {
    "unit_tests": Metric(1.0, 0.57, 1.0, 5),
    "trigger_recall": Metric(0.92, 0.65, 0.99, 12),
    "lift": Metric(-0.1, -0.3, 0.1, 6),
}


def package(**changes: object) -> PackageReport:
    fields: dict[str, object] = {
        "name": "pdf",
        "path": "skills/pdf",
        "agent": "embedded",
        "origin": "simulated",
        "verdict": Verdict.PASS,
        "stages": STAGES,
        "gates": GATES,
        "metrics": METRICS,
    }
    return PackageReport(**{**fields, **changes})  # type: ignore[arg-type]  # the fields of the struct, by name


def shown(
    *packages: PackageReport, mode: str = "build", verdict: Verdict = Verdict.PASS, exit_code: int = 0, verbose: bool = False
) -> list[str]:
    report = Report(verdict, exit_code, Spend(agent_calls=15, cost_usd="0.0105", reused=11), packages, mode)
    return text.render(report, 80, False, verbose=verbose).splitlines()


def test_simulated_evidence_says_so_before_anything_else() -> None:
    assert shown(package())[:2] == ["structure check, no model was run", "with a real agent: selftune build verify --agent NAME"]


def test_live_evidence_says_nothing_of_structure_checks() -> None:
    assert "structure check" not in "\n".join(shown(package(origin="live")))


def test_what_an_agent_says_of_all_its_evidence_stands_first_and_once() -> None:
    chat = package(origin="live", agent="llm", remark="chat-only: " + "no script was run, " * 5 + "no \x1b file")
    lines = shown(chat, package(origin="live", agent="claude"), chat)
    assert " ".join(lines[:2]).startswith("agent llm: chat-only: no script was run,")
    assert max(map(len, lines)) <= 80
    assert "\n".join(lines).count("chat-only") == 1
    assert "\x1b" not in "\n".join(lines)


def test_of_two_origins_the_simulated_one_names_its_agent() -> None:
    assert shown(package(origin="live", agent="house"), package())[0] == "structure check, no model was run (agent embedded)"


def test_a_package_that_could_not_be_read_does_not_count_as_an_agent() -> None:
    broken = package(name="bad", agent="", origin="", stages=(), gates=(), verdict=Verdict.INCONCLUSIVE)
    lines = shown(broken, package())
    assert lines[0] == "structure check, no model was run"
    assert [line.split() for line in lines if line.startswith(("bad", "pdf"))][:2] == [["bad", "inconclusive"], ["pdf", "pass"]]


def test_the_table_has_counts_rates_with_intervals_and_verdicts() -> None:
    assert shown(package())[3:12] == [
        "                     run  reused  rate [interval] n      verdict",
        "pdf                                                      pass",
        "  spec                 1       0                         pass",
        "  unit-tests           3       2  1.00 [0.57, 1.00] 5    pass",
        "  replay              12       3",
        "    trigger-recall                0.92 [0.65, 0.99] 12   pass",
        "  baseline             0       6",
        "    lift (optional)               -0.10 [-0.30, 0.10] 6  inconclusive",
        "",
    ]


def test_a_gate_that_does_not_pass_says_why() -> None:
    gates = (GateResult("lift", Verdict.INCONCLUSIVE, "6 cases cannot show it, 11 can"),)
    lines = shown(package(gates=gates))
    assert lines[lines.index("inconclusive: gate lift of pdf") + 1] == "  6 cases cannot show it, 11 can"


def test_a_gate_that_decides_nothing_explains_itself_on_request() -> None:
    assert "inconclusive, not required: gate lift of pdf" not in shown(package())
    assert "inconclusive, not required: gate lift of pdf" in shown(package(), verbose=True)


def test_a_gate_of_a_plugin_stands_under_the_evaluation() -> None:
    lines = shown(package(gates=(GateResult("house-style", Verdict.PASS, ""),)))
    assert lines[lines.index("  package-evaluation") + 1].split() == ["house-style", "pass"]


def test_a_gate_whose_stage_was_not_built_is_shown_all_the_same() -> None:
    lines = shown(
        package(stages=(StageReport("pdf:spec", TargetState.BUILT, run=1),), gates=(GateResult("lift", Verdict.FAIL, "none"),))
    )
    assert any(line.startswith("    lift") and line.endswith("fail") for line in lines)


@pytest.mark.parametrize("state", [TargetState.STALE, TargetState.FAILED, TargetState.BLOCKED, TargetState.SKIPPED])
def test_a_stage_that_is_not_done_says_why_not(state: TargetState) -> None:
    lines = shown(package(stages=(StageReport("pdf:replay", state),), gates=()))
    assert any(line.startswith("  replay") and line.endswith(state.value) for line in lines)


def test_the_last_line_has_verdict_calls_cost_and_reuse() -> None:
    assert shown(package())[-1] == "pass: 15 agent calls, 0 judge calls, 0.0105 USD, 11 reused"


def test_the_last_line_names_an_exit_status_that_is_not_0() -> None:
    assert shown(package(), verdict=Verdict.FAIL, exit_code=1)[-1].endswith("11 reused (exit status 1)")


@pytest.mark.parametrize(
    ("cost", "said"), [("0", "0.00"), ("1.5", "1.50"), ("0.0105", "0.0105"), ("1E-3", "0.001"), ("12", "12.00")]
)
def test_money_has_two_decimals_and_more_where_they_are_needed(cost: str, said: str) -> None:
    report = Report(Verdict.PASS, 0, Spend(cost_usd=cost), (package(),))
    assert f" {said} USD," in text.render(report, 80, False)


def test_a_failure_shows_case_check_evidence_and_the_next_command() -> None:
    failure = Failure("pdf:replay[fill form]", 'contains "total"', "the output has no total", 2, 3)
    lines = shown(package(failures=(failure,)))
    start = lines.index("failed in 2 of 3: pdf:replay[fill form]")
    assert lines[start + 1 : start + 4] == [
        '  check: contains "total"',
        "  evidence: the output has no total",
        "  next: selftune show 'pdf:replay[fill form]'",
    ]


def test_many_failures_are_cut_and_counted_unless_all_are_wanted() -> None:
    failures = tuple(Failure(f"pdf:replay[{number}]", "exit 0", f"it was {number}", 1, 1) for number in range(25))
    assert "  and 5 more failed checks (-v shows all)" in shown(package(failures=failures))
    assert "failed in 1 of 1: pdf:replay[24]" in shown(package(failures=failures), verbose=True)


def test_a_problem_shows_place_and_fix() -> None:
    problem = Problem("key-changed", "pdf:replay[a]", "the body changed", "skills/pdf/SKILL.md", 3, "selftune build pdf")
    lines = shown(package(problems=(problem,)))
    start = lines.index("key-changed: pdf:replay[a]")
    assert lines[start + 1 : start + 4] == ["  the body changed", "  at skills/pdf/SKILL.md:3", "  fix: selftune build pdf"]


def test_errors_are_all_shown_and_warnings_counted() -> None:
    errors = tuple(Finding(f"e{number}", Severity.ERROR, "bad", Location("SKILL.md", number)) for number in range(1, 6))
    warnings = tuple(Finding(f"w{number}", Severity.WARNING, "odd") for number in range(5))
    notes = (Finding("n", Severity.NOTE, "by the way"),)
    lines = shown(package(findings=(*errors, *warnings, *notes)))
    assert [line for line in lines if line.startswith("error:")] == [f"error: SKILL.md:{n}: bad [e{n}]" for n in range(1, 6)]
    assert "5 warnings about pdf, the first 3 (-v shows all):" in lines
    assert len([line for line in lines if line.startswith("warning:")]) == 3
    assert "note: by the way [n]" not in lines
    assert "note: by the way [n]" in shown(package(findings=notes), verbose=True)


def test_what_only_the_second_agent_of_a_package_found_is_shown_too() -> None:
    both, second = (Finding(code, Severity.WARNING, f"about {code}") for code in ("both", "second"))
    lines = shown(package(findings=(both,)), package(findings=(both, second), agent="house"))
    assert [line for line in lines if "about" in line and "[" in line] == [
        "warning: about both [both]",
        "warning: about second [second]",
    ]


def test_a_package_under_two_agents_has_its_findings_once() -> None:
    finding = (Finding("e", Severity.ERROR, "bad"),)
    lines = shown(package(findings=finding), package(findings=finding, agent="house"))
    assert lines.count("error: bad [e]") == 1
    assert [line.split("  ")[0] for line in lines if line.startswith("pdf (")] == ["pdf (embedded)", "pdf (house)"]


def test_a_plan_shows_what_would_run_and_why() -> None:
    stale = StageReport(
        "pdf:replay", TargetState.STALE, run=2, reasons=(Reason("body-changed", "pdf:body", "the body of pdf changed"),)
    )
    lines = shown(package(stages=(stale,), gates=()), mode="dry-run")
    assert "a plan, nothing was executed" in lines
    assert any("to run  reused" in line for line in lines)
    assert lines[lines.index("pdf:replay has to run:") + 1] == "  body-changed: the body of pdf changed"


def test_a_check_of_the_lock_says_that_nothing_was_executed() -> None:
    lines = shown(package(), mode="locked")
    assert "judged from tree and lock alone, nothing was executed" in lines
    assert any("to run  reused" in line for line in lines)


def test_a_long_table_folds_packages_that_pass_with_nothing_run() -> None:
    idle = tuple(StageReport(f"pdf:{stage}", TargetState.UP_TO_DATE, reused=4) for stage in ("unit-tests", "replay", "baseline"))
    many = [package(name=f"p{number}", stages=idle) for number in range(40)]
    busy = package(name="busy")
    lines = shown(*many, busy)
    assert lines[4].split() == ["p0", "0", "12", "all", "up", "to", "date", "pass"]
    assert any(line.startswith("    trigger-recall") for line in lines)
    assert len(lines) < 70
    assert len(shown(*many, busy, verbose=True)) > 200


def test_next_commands_are_said_once_each() -> None:
    lines = shown(package(next_command="selftune create"), package(next_command="selftune create"))
    assert lines.count("next: selftune create") == 1


def test_without_a_package_the_report_says_so() -> None:
    assert shown()[0] == "no package was selected"


def test_every_line_fits_the_width_however_long_names_and_sentences_are() -> None:
    long_name = "a-very-long-name-for-a-skill-" * 4
    stages = (StageReport(f"{long_name}:replay", TargetState.BUILT, run=100, reused=200),)
    crowded = package(
        name=long_name,
        stages=stages,
        gates=(*GATES, GateResult("trigger-specificity", Verdict.INCONCLUSIVE, "word " * 60)),
        findings=(Finding("code", Severity.ERROR, "日本語" * 40, hint="x" * 200),),
        problems=(Problem("tree-changed", "t", "y" * 300),),
        failures=(Failure("pdf:replay[a]", "contains", "z" * 300, 1, 1),),
    )
    too_long = [line for line in shown(crowded) if cells(line) > 80]
    assert too_long == []
    assert any("日本語" in line for line in shown(crowded))


def test_nothing_from_a_package_reaches_the_terminal_raw() -> None:
    evil = "x\x1b[2J\n\u202eoops\r"
    hostile = package(
        name=evil,
        agent=evil,
        next_command=evil,
        stages=(StageReport(f"{evil}:replay[{evil}]", TargetState.STALE, reasons=(Reason(evil, evil, evil),)),),
        gates=(GateResult(evil, Verdict.FAIL, evil),),
        problems=(Problem(evil, evil, evil, evil, 1, evil),),
        findings=(Finding(evil, Severity.ERROR, evil, Location(evil, 1, 1, evil), evil),),
        failures=(Failure(evil, evil, evil, 1, 1),),
    )
    for verbose in (False, True):
        report = text.render(Report(Verdict.FAIL, 1, Spend(), (hostile, package())), 80, False, verbose=verbose)
        assert not [character for character in report.replace("\n", "") if not character.isprintable()]
        assert "oops" in report


def test_colour_changes_nothing_but_the_colour() -> None:
    report = Report(Verdict.FAIL, 1, Spend(), (package(verdict=Verdict.FAIL),))
    coloured = text.render(report, 80, True)
    assert "\x1b[31mfail\x1b[0m" in coloured
    bare = coloured
    for code in ("0", "1", "2", "31", "32", "33"):
        bare = bare.replace(f"\x1b[{code}m", "")
    assert bare == text.render(report, 80, False)


def test_of_several_agents_every_gate_and_every_failed_check_names_its_own() -> None:
    gates = (GateResult("trigger-recall", Verdict.INCONCLUSIVE, "2 of 2"),)
    failure = (Failure("pdf:replay[a]", 'contains "x"', "not there", 1, 1),)
    both = [package(agent=agent, gates=gates, failures=failure) for agent in ("claude", "codex")]
    lines = shown(*both, verdict=Verdict.INCONCLUSIVE)
    assert [line for line in lines if "gate trigger-recall" in line] == [
        f"inconclusive: gate trigger-recall of pdf ({agent})" for agent in ("claude", "codex")
    ]
    assert [line for line in lines if line.startswith("failed in")] == [
        f"failed in 1 of 1: pdf:replay[a] ({agent})" for agent in ("claude", "codex")
    ]
    assert not any("(claude)" in line for line in shown(both[0]))
