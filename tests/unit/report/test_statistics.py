"""What is said beside the gates, from hand-made reports: names of strangers are escaped, long lists are cut."""

from __future__ import annotations

from typing import Any

from selftune_build.model.noise import Firing, Noise, PackageNoise
from selftune_build.model.report import PackageReport, Report, Spend
from selftune_build.model.statistics import Against, Body, Change, Efficiency, Effort, Flaky, Routing, Statistics, Stolen
from selftune_build.model.verdict import GateResult, Verdict
from selftune_build.report import noise
from selftune_build.report.text import render


def shown(*packages: PackageReport, mode: str = "build", verbose: bool = False, width: int = 100) -> str:
    """A report over these packages as text."""
    return render(Report(Verdict.PASS, 0, Spend(), packages, mode), width, False, verbose=verbose)


def package(statistics: Statistics, name: str = "pdf", **more: Any) -> PackageReport:
    return PackageReport(name, f"skills/{name}", "house", "live", Verdict.PASS, statistics=statistics, **more)


def flaky(number: int) -> Flaky:
    return Flaky(f"pdf:replay[c{number}]", "trigger", 1, 2, (0.5, 0.0), (0.5, 1.0))


def test_a_plan_says_what_cannot_be_settled_and_a_build_leaves_it_to_the_gates() -> None:
    statistics = Statistics(unsettled=("lift cannot be settled: 3 cases cannot show it; 5 would do",))
    assert "before anything is spent: pdf: lift cannot be settled" in shown(package(statistics), mode="dry-run")
    assert "before anything" not in shown(package(statistics))


def test_flaky_cases_are_cut_and_what_to_do_is_said_once() -> None:
    text = shown(package(Statistics(flaky=tuple(map(flaky, range(30))))))
    assert "flaky: pdf:replay[c0]: the skill was used as it should in 1 of 2 samples (2 in a row: 0.00)" in text
    assert "and 10 more flaky cases (-v shows all)" in text
    assert text.count("to do: look at a sample that held") == 1


def test_a_thief_cannot_write_to_the_terminal() -> None:
    stolen = Stolen("pdf:replay[a]", 3, {"ev\x1b[31mil": 2, **{f"t{n}": 1 for n in range(8)}})
    text = shown(package(Statistics(routing=Routing(3, 1, stolen.by, 0, 0, (stolen,)))))
    assert "\x1b" not in text
    assert "and 4 others of 3 samples instead of pdf" in " ".join(text.split())


def test_a_matrix_that_does_not_fit_is_left_out_and_the_prompts_are_named() -> None:
    stolen = Stolen("pdf:replay[a]", 3, {f"another-skill-{n}": 1 for n in range(40)})
    text = shown(package(Statistics(routing=Routing(3, 0, stolen.by, 0, 0, (stolen,)))))
    assert "prompts of" not in text
    assert "stolen: pdf:replay[a]" in text


def test_a_comparison_names_the_worst_cases_first_and_what_was_left_out() -> None:
    changes = (Change("pdf:replay[up]", "checks", 3, 3, 0, 3), Change("pdf:replay[down]", "trigger", 0, 3, 3, 3))
    against = Against("main", "0123456789ab", 0.2, changes=changes, left_out=tuple(f"c{n}" for n in range(9)))
    gate = GateResult("regression", Verdict.INCONCLUSIVE, "nothing is shown", required=False, advice="take more")
    text = shown(package(Statistics(against=against), gates=(gate,)))
    lines = [line.strip() for line in text.splitlines()]
    assert lines.index("pdf:replay[down] triggers as it should less often: 0 of 3, was 3 of 3") < lines.index(
        "pdf:replay[up] holds more often: 3 of 3, was 0 of 3"
    )
    assert "nothing is shown" in lines
    assert "to do: take more" in lines
    assert "c0, c1, c2, c3, c4 and 4 more" in " ".join(text.split())


def test_what_a_skill_takes_and_how_it_is_written_is_told_on_request() -> None:
    efficiency = Efficiency(2, Effort(6, 1500.0, seconds=1.25), Effort(6, 900.0, seconds=0.5))
    statistics = Statistics(efficiency=efficiency, body=Body(20, 400, 1000, 0.7, 1.0, 0.5, 0.25))
    text = " ".join(shown(package(statistics), verbose=True).split())
    assert "2 cases with against without pdf: tokens in 1500 against 900; seconds 1.25 against 0.5" in text
    assert "about 20 tokens always, 400 when used, 1000 when asked for" in text
    assert "50% of its references and scripts are led to; 25% of the prompts" in text
    assert "tokens" not in shown(package(statistics))


def test_a_noise_run_tells_each_gate_and_the_sum() -> None:
    firing = Firing("lift", 1, 1, 0.2, 1.0, 0.25)
    measured = PackageNoise("pdf", "pdf", "house", "simulated", 4, 3, ("a\x1b",), (firing,))
    text = noise.render(Noise((measured,), firing, Firing("comparisons", 0, 0, 0, 1, 0), 12, "0.5", 0, ("pdf: b\x1broke",)), 100)
    assert "\x1b" not in text
    assert "pdf (agent house, simulated)" in text
    assert "4 cases, 3 samples of each against 3 others of the same bytes" in text
    assert "lift  told them apart; in 100 of 400 other splits" in text
    assert "gates gave another verdict, or saw a lift in 1 of 1 [0.20, 1.00]" in text
    assert "12 agent calls, 0.5 USD" in text


def test_without_anything_measured_a_noise_run_has_no_sum() -> None:
    nothing = PackageNoise("pdf", "pdf", "house", "live", 0, 0, remark="this agent gives the same answer each time")
    text = noise.render(Noise((nothing,), Firing("gates", 0, 0, 0, 1, 0), Firing("comparisons", 0, 0, 0, 1, 0), 0, "0", 3), 100)
    assert "this agent gives the same answer each time" in text
    assert "another verdict" not in text
