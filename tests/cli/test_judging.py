"""Checks that need a judge: what is asked, when, and what never is asked again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from selftune_build.checks.votes import NO_JUDGE
from tests.cli.judging import SENTENCE, Bench, package, stage

RUBRIC = {"criteria": ["It was done by the book", {"text": "It was cold", "weight": 3}], "min": "0.25"}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def tea(*checks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "tea", "prompt": "Make tea", "should_trigger": True, "checks": list(checks), **more}


def test_the_first_build_asks_the_judge_and_the_second_asks_nobody(bench: Bench) -> None:
    report = bench.build()
    # Two samples an arm gave one and the same answer each: two questions.
    assert (bench.calls, report["spend"]["agent_calls"], report["spend"]["judge_calls"]) == ((4, 2), 4, 2)
    assert report["spend"]["cost_usd"] == pytest.approx(0.06)
    assert (bench.row()["passed"], bench.row(arm="without_skill")["passed"]) == (2, 0)
    lock = bench.workspace.lock("brew")
    again = bench.build()
    assert (bench.calls, again["spend"]["judge_calls"], again["exit_code"]) == ((0, 0), 0, 0)
    assert bench.workspace.lock("brew") == lock


def test_a_build_where_nothing_changed_reads_no_archive(bench: Bench) -> None:
    bench.build()
    shutil.rmtree(bench.workspace.environment["SELFTUNE_STORE"])
    report = bench.build()
    assert (bench.calls, report["exit_code"], stage(report)["state"]) == ((4, 2), 0, "up-to-date")


def test_without_a_judge_a_case_stays_undecided_and_the_report_says_how_to_name_one(bench: Bench) -> None:
    bench.manifest(judge=None)
    report = bench.build()
    assert (bench.calls, report["exit_code"]) == ((2, 0), 3)
    assert [(failure["evidence"], failure["measured"]) for failure in package(report)["failures"]] == [(NO_JUDGE, False)]
    assert "not measured in 2 of 2: brew:replay[tea]" in bench.run("build").stdout
    assert "judge" not in bench.entry
    assert package(report)["judge"] is None
    assert "passed" not in bench.row()


def test_naming_a_judge_later_asks_it_and_takes_no_new_sample_of_the_skill(bench: Bench) -> None:
    bench.manifest(judge=None)
    bench.build()
    bench.manifest()
    report = bench.build("replay")
    assert (bench.calls, report["spend"]["judge_calls"]) == ((2, 1), 1)
    assert [reason["message"] for reason in stage(report)["reasons"]] == [
        "2 samples reused, at most 1 judge call",
        "a judge rules now",
    ]
    assert (bench.row()["passed"], stage(report)["state"], stage(report)["reused"]) == (2, "built", 1)


def test_a_changed_sentence_asks_the_judge_and_never_the_agent_and_the_plan_says_so(bench: Bench) -> None:
    bench.build()
    assert bench.calls == (4, 2)
    bench.cases(tea({"sentence": "It was done by heart"}))
    plan = bench.build("--dry-run")
    assert (stage(plan)["state"], stage(plan)["run"], stage(plan)["reused"], stage(plan)["cases"]) == ("stale", 0, 1, ["tea"])
    assert {reason["code"]: reason["message"] for reason in stage(plan)["reasons"]} == {
        "judging": "2 samples reused, at most 1 judge call",
        "check-changed": "check 1 changed",
    }
    assert (bench.calls, package(plan)["failures"]) == ((0, 0), [])
    report = bench.build()
    assert (bench.calls, stage(report)["state"], bench.row()["passed"]) == ((0, 2), "built", 0)
    assert bench.row(arm="without_skill")["passed"] == 2
    bench.cases(SENTENCE)
    assert (bench.build()["exit_code"], bench.calls, bench.row()["passed"]) == (0, (0, 0), 2)


def test_another_judge_is_asked_anew_and_the_agent_is_not(bench: Bench) -> None:
    bench.build()
    bench.manifest(judge={"agent": "jury", "model": "another"})
    assert bench.calls == (4, 2)
    report = bench.build()
    assert (bench.calls, stage(report)["reasons"][1]["message"]) == ((0, 2), "model of the judge was added")
    assert bench.entry["judge"]["identity"]["model"] == "another"


def test_an_edited_program_of_the_judge_is_another_judge(bench: Bench) -> None:
    bench.build("replay")
    assert (bench.build("replay")["exit_code"], bench.calls) == (0, (2, 1))
    program = (bench.workspace.root / "tools/judge.py").read_text()
    bench.workspace.write({"tools/judge.py": program + "# edited\n"})
    assert (bench.build("replay")["exit_code"], bench.calls) == (0, (0, 1))


def test_a_raised_threshold_asks_nobody(bench: Bench) -> None:
    bench.build()
    bench.manifest(gates={"task-pass-rate": {"min": 0.9}})
    assert (bench.calls, bench.build()["exit_code"], bench.calls) == ((4, 2), 3, (0, 0))


def test_the_floor_of_a_rubric_is_not_part_of_what_is_asked(bench: Bench) -> None:
    bench.cases(tea({"rubric": RUBRIC}))
    bench.build("replay")
    assert (bench.calls, bench.row()["passed"]) == ((2, 1), 2)
    bench.cases(tea({"rubric": RUBRIC | {"min": "0.5"}}))
    report = bench.build("replay")
    assert (bench.calls, bench.row()["passed"]) == ((0, 0), 0)
    assert '0.25 of the weight is met, 0.5 asked for; not met: "It was cold"' in package(report)["failures"][0]["evidence"]


def test_cases_with_one_transcript_share_what_is_said_of_it(bench: Bench) -> None:
    bench.cases(SENTENCE, tea({"sentence": "It was done by the book"}, limits={"timeout_s": 20}) | {"id": "more-tea"})
    bench.build("replay")
    assert (bench.calls, bench.row()["passed"], bench.row("more-tea")["passed"]) == ((4, 1), 2, 2)


def test_an_edit_that_no_sample_saw_asks_nobody_and_one_they_saw_asks_both(bench: Bench) -> None:
    bench.build("replay")
    assert bench.calls == (2, 1)
    bench.workspace.write({"brew/references/unread.md": "Nobody looks.\n"})
    assert (bench.build("replay")["exit_code"], bench.calls) == (0, (0, 0))
    text = (bench.workspace.root / "brew/SKILL.md").read_text()
    bench.workspace.write({"brew/SKILL.md": text + "Another line.\n"})
    bench.build("replay")
    assert bench.calls == (2, 0), "the answers are the same, so the judge has ruled on them already"


def test_votes_decide_by_majority_and_their_agreement_is_told(bench: Bench) -> None:
    bench.manifest(judge={"agent": "jury", "votes": 3})
    bench.behave({"role": "complete", "sample": 1, "true": False})
    report = bench.build("replay")
    assert (bench.calls, bench.row()["passed"]) == ((2, 3), 2)
    judge = package(report)["judge"]
    assert (judge["name"], judge["rulings"], judge["votes"], judge["agreeing"]) == ("jury", 2, 6, 4)
    assert judge["checks"] == [
        {
            "target": "brew:replay[tea]",
            "arm": "with_skill",
            "check": 'sentence "It was done by the book"',
            "rulings": 2,
            "votes": 6,
            "agreeing": 4,
        }
    ]
    shown = bench.run("show", "brew:replay[tea]")
    assert "judge (2 of 3 votes): so it says\n      votes 3, agreement 66 %" in shown.stdout
    bench.cases(tea({"sentence": "They went by the book"}))
    said = bench.run("build", "replay", "-y").stdout
    assert "judge jury: 2 rulings by 6 votes, 66 % agreement" in said
    assert "0 agent calls, 3 judge calls" in said


def test_more_votes_top_up_and_fewer_ask_nobody(bench: Bench) -> None:
    bench.build("replay")
    bench.manifest(judge={"agent": "jury", "votes": 3})
    bench.build("replay")
    assert bench.calls == (2, 3)
    bench.manifest(judge="jury")
    bench.build("replay")
    assert (bench.calls, bench.row()["passed"]) == ((0, 0), 2)
    assert [call["sample"] for call in bench.ledger("complete")] == [0, 1, 2]
    assert len({call["call_id"] for call in bench.ledger("complete")}) == 3


def test_a_deterministic_judge_is_asked_once_whatever_votes_there_are(bench: Bench) -> None:
    bench.manifest(judge={"agent": "jury", "votes": 9}, jury={"deterministic": True})
    bench.build("replay")
    assert (bench.calls, bench.row()["passed"]) == ((2, 1), 2)


def test_what_the_judge_gets_is_the_schema_and_a_fenced_record(bench: Bench) -> None:
    bench.build("replay")
    (call,) = bench.ledger("complete")
    assert call["schema"]["required"] == ["evidence", "holds"]
    assert "Make tea: done by the book" in call["prompt"]
    assert call["prompt"].endswith("Statement: It was done by the book\n")


def test_a_plan_of_many_judge_calls_needs_leave(bench: Bench) -> None:
    bench.manifest(judge=None)
    bench.cases(*(tea({"sentence": "Fine"}) | {"id": f"tea-{number}", "prompt": f"Make tea {number}"} for number in range(6)))
    bench.build("replay")
    bench.manifest(judge={"agent": "jury", "votes": 9})
    finished = bench.run("build", "replay")
    assert (finished.status, bench.calls) == (3, (12, 0))
    assert "54 paid calls" in finished.stderr
    bench.manifest(judge={"agent": "jury", "votes": 9}, jury={"free": True})
    bench.run("build", "replay")
    assert bench.calls == (0, 54)


def test_a_script_case_can_ask_a_judge(bench: Bench) -> None:
    bench.workspace.write({"brew/scripts/say.py": "print('by the book')\n"})
    cases = {"id": "say", "run": ["python3", "scripts/say.py"], "checks": [{"sentence": "It went by the book"}]}
    tests = {"format": "selftune.unit-tests/1", "cases": [cases]}
    bench.workspace.write({"brew/tests/say.yaml": json.dumps(tests)})
    bench.build("unit-tests")
    assert (bench.calls, bench.row("say", "script")["passed"]) == ((0, 1), 1)


def test_a_package_whose_scripts_fail_asks_no_judge(bench: Bench) -> None:
    bench.manifest(judge=None)
    bench.build()
    bench.manifest()
    cases = {"id": "say", "run": ["python3", "-c", "raise SystemExit(1)"], "checks": [{"exit": 0}]}
    bench.workspace.write({"brew/tests/say.yaml": json.dumps({"format": "selftune.unit-tests/1", "cases": [cases]})})
    report = bench.build("verify")
    assert (bench.calls[1], report["exit_code"], stage(report)["state"]) == (0, 1, "blocked")
    report = bench.build("verify", "--keep-going")
    assert (bench.calls[1], stage(report)["state"], bench.row()["passed"]) == (2, "built", 2)


def test_the_plan_names_what_the_judge_would_be_asked(bench: Bench) -> None:
    bench.build("replay")
    bench.cases(tea({"sentence": "It was done by heart"}))
    plan = json.loads(bench.run("plan", "replay", "--json").stdout)
    (told,) = (each for package in plan["packages"] for each in package["stages"] if each["target"] == "brew:replay")
    assert (told["missing"], told["judge_calls"], told["by_store"]) == (0, 1, 1)
    assert [(each["agent"], each["calls"]) for each in plan["expenses"]] == [("jury", 1)]
    assert "brew:replay: at most 1 judge call; 1 row reused" in bench.run("plan", "replay").stdout
