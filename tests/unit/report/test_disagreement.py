"""Where agents disagree: named by case in every report for people, and what came of it under each."""

from __future__ import annotations

from selftune_build.model.report import PackageReport, Report, RowReport, RowState, Spend
from selftune_build.model.verdict import Verdict
from selftune_build.report import markdown, text
from selftune_build.report.disagreement import disagreements, shown
from selftune_build.report.html.page import render

TWO = {"claude": {"a": RowState.HELD, "b": RowState.HELD}, "pi": {"a": RowState.HELD, "b": RowState.FAILED}}


def row(case: str, state: RowState, arm: str = "with_skill") -> RowReport:
    good = 3 if state is RowState.HELD else 1
    n = 0 if state is RowState.MISSING else 3
    return RowReport(f"pdf:replay[{case}]", case, arm, state, n, good if n else None, None, True if n else None)


def report(agents: dict[str, dict[str, RowState]], name: str = "pdf") -> Report:
    packages = [
        PackageReport(name, name, agent, "live", Verdict.PASS, rows=tuple(row(case, state) for case, state in rows.items()))
        for agent, rows in agents.items()
    ]
    return Report(Verdict.PASS, 0, Spend(), tuple(packages))


def lines(found: Report, width: int = 80, *, verbose: bool = False) -> list[str]:
    return text.render(found, width, False, verbose=verbose).splitlines()


def test_a_case_that_comes_out_differently_is_named_with_both_outcomes() -> None:
    told = lines(report(TWO))
    start = told.index("claude and pi disagree in 1 of 2 cases of pdf:")
    assert told[start + 1 : start + 3] == ["                 claude    pi", "  pdf:replay[b]  held 3/3  failed 1/3"]


def test_a_terminal_that_is_too_narrow_gets_the_same_below_each_other() -> None:
    told = " ".join(line.strip() for line in lines(report(TWO), width=30))
    assert "pdf:replay[b]: claude held 3/3, pi failed 1/3" in told


def test_agents_that_agree_are_told_so_in_a_line_and_one_agent_is_told_nothing() -> None:
    assert "claude and pi agree in 1 case of pdf" in lines(report({"claude": {"a": RowState.HELD}, "pi": {"a": RowState.HELD}}))
    assert list(disagreements(report({"claude": {"a": RowState.HELD}}))) == []


def test_an_agent_without_evidence_does_not_disagree() -> None:
    missing = {"claude": {"a": RowState.HELD, "b": RowState.HELD}, "pi": {"a": RowState.MISSING, "b": RowState.HELD}, "codex": {}}
    (found,) = disagreements(report({**missing, "codex": {"a": RowState.FAILED}}))
    assert (found.cases, [each.target for each in found.differing]) == (2, ["pdf:replay[a]"])
    assert [shown(each) for each in found.differing[0].rows] == ["held 3/3", "no evidence", "failed 1/3"]
    assert list(disagreements(report({"claude": {"a": RowState.HELD}, "pi": {"a": RowState.MISSING}}))) == []


def test_the_arm_without_the_skill_is_not_compared() -> None:
    found = report(TWO)
    bare = tuple(row("b", state, "without_skill") for state in (RowState.UNDECIDED,))
    changed = PackageReport("pdf", "pdf", "claude", "live", Verdict.PASS, rows=bare)
    assert list(disagreements(Report(Verdict.PASS, 0, Spend(), (changed, found.packages[1])))) == []


def test_so_many_as_are_shown_are_cut_and_said() -> None:
    many = {f"c{number}": RowState.HELD for number in range(25)}
    told = report({"claude": many, "pi": dict.fromkeys(many, RowState.FAILED)})
    assert "  and 5 more cases (-v shows all)" in lines(told)
    assert sum(line.startswith("  pdf:replay[") for line in lines(told, verbose=True)) == 25


def test_markdown_has_a_table_an_agent_a_column() -> None:
    told = markdown.render(report(TWO)).splitlines()
    start = told.index("| case | `claude` | `pi` |")
    assert told[start + 2] == "| `pdf:replay[b]` | held 3/3 | failed 1/3 |"
    assert "claude and pi agree in 1 case of pdf" in markdown.render(
        report({"claude": {"a": RowState.HELD}, "pi": {"a": RowState.HELD}})
    )


def test_the_page_has_one_too_and_strangers_stay_text() -> None:
    hostile = report({"<b>x": {"a": RowState.HELD}, "pi": {"a": RowState.FAILED}}, "<script>")
    page = render(hostile)
    assert "&lt;b&gt;x and pi disagree in 1 of 1 case of &lt;script&gt;" in page
    assert "<b>x" not in page
    assert page.count("pdf:replay[a]") >= 1
    assert "<script>:" not in page
