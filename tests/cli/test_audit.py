"""`selftune audit`: honest locks pass, inventions are found, nothing but a store of its own changes, nothing is paid twice."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.cli.judging import SENTENCE, Bench
from tests.cli.moody import NONCE, RATES, Moody, all_pass
from tests.fault.workspace import until
from tests.property.workspace import CHECKOUT, Workspace
from tests.unit.lock.locks import written

SCHEMA = Draft202012Validator(json.loads((CHECKOUT / "schemas/selftune-audit-1.json").read_text()))
OTHER = "ff" * 16


@pytest.fixture(scope="session")
def built_moody(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a package that was measured once."""
    folder = tmp_path_factory.mktemp("moody") / "one"
    assert Moody(folder).furnish().build()["exit_code"] == 0
    return folder


@pytest.fixture
def moody(built_moody: Path, tmp_path: Path) -> Moody:
    """Such a package of one's own, its ledger empty."""
    shutil.copytree(built_moody, tmp_path / "own")
    (tmp_path / "own/rules/ledger").unlink()
    return Moody(tmp_path / "own")


def names(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rows of a draw in its order."""
    return [(row["target"], row["arm"]) for row in document["rows"]]


def worse(document: Mapping[str, Any]) -> set[str]:
    """Targets of the rows of which the lock says more than came out."""
    return {row["target"] for row in document["rows"] if any(each["locked"] > each["fresh"] for each in row["claims"])}


def test_an_honest_lock_passes_and_nothing_changes_but_the_store_of_the_audit(moody: Moody) -> None:
    before = moody.files()
    document = moody.audit("--fraction", "0.5")
    SCHEMA.validate(document)
    assert (document["verdict"], document["population"], len(document["rows"])) == ("consistent", 24, 12)
    assert document["p"] >= document["alpha"]
    assert all(row["n"] == row["fresh_n"] == 3 and row["claims"] and not row["missing"] for row in document["rows"])
    assert (document["spend"]["agent_calls"], len(moody.calls())) == (36, 36)
    assert moody.files() == before
    report = moody.build()
    assert (report["exit_code"], report["spend"]["agent_calls"]) == (0, 0)
    assert moody.files().items() >= before.items()


def test_fresh_samples_are_such_as_nobody_has_asked_for_before_and_other_ones_for_each_nonce(moody: Moody) -> None:
    moody.audit()
    one = moody.calls()
    moody.audit(nonce=OTHER)
    other = moody.calls()[len(one) :]
    taken = {path.stem for path in moody.store.glob("samples/*/*/*.zst")}
    asked = [call["call_id"].removeprefix("sha256:") for call in (*one, *other)]
    assert len(asked) == len(set(asked)) == 18
    assert not taken & set(asked)
    assert {call["sample"] for call in one}.isdisjoint(call["sample"] for call in other)


def test_the_nonce_draws_the_rows_and_without_one_nobody_knows_them_before(moody: Moody) -> None:
    plans = [moody.audit("--dry-run", "--fraction", "0.25", nonce=nonce) for nonce in (NONCE, NONCE.upper(), OTHER, None, None)]
    drawn = [names(plan) for plan in plans]
    assert drawn[0] == drawn[1]
    assert len({tuple(each) for each in drawn}) == 4
    assert len({plan["nonce"] for plan in plans}) == 4
    larger = names(moody.audit("--dry-run", "--fraction", "0.75"))
    assert larger[: len(drawn[0])] == drawn[0]
    assert len(set(larger)) == 18


def test_a_dry_run_shows_draw_and_price_and_neither_asks_nor_writes(moody: Moody) -> None:
    before = moody.files()
    document = moody.audit("--dry-run")
    SCHEMA.validate(document)
    assert (document["verdict"], document["calls"], document["price"]) == ("planned", 9, "9 paid calls, about 0.09 USD")
    assert {row["fresh_n"] for row in document["rows"]} == {0}
    said = moody.run("audit", "--dry-run", "--nonce", NONCE).stdout
    assert f"{names(document)[0][0]} {names(document)[0][1]}, agent house: 3 samples" in said
    assert "nothing was run" in said
    assert (moody.calls(), moody.files(), (moody.store / "audits").exists()) == ([], before, False)


def test_at_least_one_row_is_drawn_and_a_target_narrows_what_is_drawn_from(moody: Moody) -> None:
    document = moody.audit("--fraction", "0.001", "tend:replay[case-03]")
    assert (document["population"], names(document)) == (1, [("tend:replay[case-03]", "with_skill")])
    assert [call["prompt"] for call in moody.calls()] == ["Tend bed case-03 at 100 %"] * 3


def test_a_consistent_forgery_holds_when_locked_and_is_refuted_with_the_right_rows_named(moody: Moody, tmp_path: Path) -> None:
    key = tmp_path / "key"
    assert moody.run("publish", "--new-key", str(key)).status == 0
    assert moody.run("lock", "sign", "--key", str(key)).status == 0
    moody.forge(all_pass)
    assert moody.run("build", "--locked").status == 0
    assert moody.run("build", "--locked", "--require-signature", f"{key}.pub").status == 1
    document = moody.audit("--fraction", "1", status=1)
    SCHEMA.validate(document)
    assert (document["verdict"], document["caught"]) == ("refuted", [])
    assert document["p"] < 1e-4
    hopeless = {f"tend:replay[{name}]" for name, rate in RATES.items() if rate == 0}
    sure = {f"tend:replay[{name}]" for name, rate in RATES.items() if rate == 100}
    assert hopeless <= worse(document)
    assert not sure & worse(document)
    said = moody.run("audit", "--nonce", NONCE, "--fraction", "1")
    assert said.status == 1
    told = "with_skill, agent house: passed: locked 3 of 3, now 0 of 3"
    assert any(f"{row} {told}" in said.stdout for row in hopeless)  # of equals not all are shown
    assert "An honest lock looks at least this good beside fresh samples with a probability of less than 0.1 %" in said.stdout
    hint = next(line.strip() for line in said.stdout.splitlines() if "selftune show" in line)
    store, _, words = hint.partition(" selftune ")
    shown = moody.workspace.run(*shlex.split(words), environment={"SELFTUNE_STORE": store.partition("=")[2]})
    assert (shown.status, shown.stdout.count("no idea") >= 3) == (0, True)


def test_answers_without_the_skill_that_are_better_than_the_lock_says_refute_it_too(moody: Moody) -> None:
    moody.behave(unaided=100)
    document = moody.audit("--fraction", "0.5", "tend:baseline", status=1)
    (without,) = document["kinds"]
    assert (without["kind"], without["locked"], without["fresh"]) == ("passed-without-the-skill", 18, 0)
    said = moody.run("audit", "tend:baseline", "--nonce", NONCE, "--fraction", "0.5").stdout
    assert "passed without the skill  6 rows: locked 0 of 18, now 18 of 18; p < 0.001" in said


def test_a_lock_that_is_too_modest_is_no_fraud(moody: Moody) -> None:
    moody.behave(rate=100)
    document = moody.audit("tend:replay", "--fraction", "1")
    assert (document["verdict"], [kind["p"] for kind in document["kinds"]]) == ("consistent", [1.0, 1.0])


def test_an_audit_that_was_cut_short_goes_on_where_it_was_and_pays_nothing_twice(moody: Moody) -> None:
    cut = moody.audit("--max-calls", "4", status=3)
    assert (cut["verdict"], len(moody.calls())) == ("inconclusive", 4)
    assert {row["missing"] for row in cut["rows"]} >= {"the budget of this invocation is used up"}
    rest = moody.audit()
    assert (rest["verdict"], rest["calls"], len(moody.calls())) == ("consistent", 5, 9)
    again = moody.audit()
    assert (again["spend"]["agent_calls"], again["spend"]["reused"], len(moody.calls())) == (0, 9, 9)
    assert (again["rows"], again["p"]) == (rest["rows"], rest["p"])
    assert set(Counter(call["call_id"] for call in moody.calls()).values()) == {1}


def test_an_interrupt_keeps_what_is_running_and_says_how_to_go_on(moody: Moody) -> None:
    process = moody.start("audit", "-y", "-j", "1", "--fraction", "1", "--nonce", NONCE)
    until(lambda: len(moody.calls()) >= 2)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 130, stderr
    assert f"the same command with --nonce {NONCE} goes on" in " ".join(stdout.split())
    paid = len(moody.calls())
    assert moody.audit("--fraction", "1")["spend"]["agent_calls"] == 72 - paid
    assert set(Counter(call["call_id"] for call in moody.calls()).values()) == {1}


def test_errors_of_the_agent_leave_a_row_out_and_the_audit_open(moody: Moody) -> None:
    moody.behave(failing="case-03")
    document = moody.audit("--fraction", "1", status=3)
    broken = [row for row in document["rows"] if row["missing"]]
    assert {row["target"] for row in broken} == {"tend:replay[case-03]", "tend:baseline[case-03]"}
    assert {row["missing"] for row in broken} == {"out of service"}
    moody.behave()
    assert moody.audit("--fraction", "1")["calls"] == 6


def test_a_lock_that_does_not_hold_is_refused_before_anything_is_paid(moody: Moody) -> None:
    skill = moody.root / "tend/SKILL.md"
    skill.write_text(skill.read_text() + "More.\n")
    document = moody.audit(status=1)
    SCHEMA.validate(document)
    assert (document["verdict"], document["rows"], moody.calls()) == ("refused", [], [])
    assert {problem["code"] for problem in document["problems"]} == {"tree-changed", "key-changed"}
    assert "not audited" in moody.run("audit").stdout


def test_a_package_that_cannot_be_read_is_bad_input(moody: Moody) -> None:
    manifest = moody.root / "tend/selftune.yaml"
    manifest.write_text("version: 1\nsamples: {min: many}\n")
    document = moody.audit(status=2)
    assert (document["verdict"], moody.calls()) == ("refused", [])
    assert [problem["code"] for problem in document["problems"]] == ["bad-input"]


def test_part_of_a_lock_does_not_hold_by_itself(moody: Moody) -> None:
    evals = moody.root / "tend/evals/cases.yaml"
    evals.write_text(evals.read_text().replace("case-07", "case-77"))
    assert moody.audit("tend:replay[case-03]", status=1)["verdict"] == "refused"


def test_a_large_draw_of_paid_calls_is_not_run_unless_somebody_agrees(moody: Moody) -> None:
    done = moody.run("audit", "--fraction", "1", "--nonce", NONCE, "--json")
    assert (done.status, moody.calls()) == (3, [])
    assert done.document["error"]["code"] == "not-confirmed"
    assert "72 paid calls, about 0.72 USD" in done.document["error"]["message"]


def test_an_agent_that_got_worse_is_told_from_an_invention_by_the_model_that_serves(moody: Moody) -> None:
    moody.behave(rate=0, model="served-2")
    document = moody.audit("--fraction", "0.75", status=1)
    assert document["notes"] == ["house is served by served-2 now, and was by served-1 when the lock was made"]
    shutil.rmtree(moody.store / "samples")
    assert moody.audit("--fraction", "0.75", status=1)["notes"] == []


@pytest.mark.parametrize(
    "words",
    [
        *(("--nonce", text) for text in ("", "xyz", "0" * 31, "0" * 30, "0" * 130, "../" * 11, "０" * 32)),
        *(("--fraction", text) for text in ("0", "-0.1", "1.1", "nan", "inf", "all")),
        ("tend:replay[nothing]",),
        ("elsewhere",),
    ],
)
def test_what_cannot_be_meant_is_bad_input(moody: Moody, words: tuple[str, ...]) -> None:
    done = moody.run("audit", *words)
    assert (done.status, done.stdout) == (2, "")
    assert "fix:" in done.stderr
    assert not (moody.store / "audits").exists()


def audit(workspace: Workspace, *arguments: str, status: int = 0) -> dict[str, Any]:
    """An audit of a kitchen."""
    words = ("audit", *arguments, "--fraction", "1", "--json", "-C", str(workspace.root))
    done, stdout, stderr = workspace.selftune(*words)
    assert done == status, (stdout, stderr)
    return dict(json.loads(stdout))


def test_a_deterministic_agent_has_to_answer_the_same_and_one_difference_is_enough(built: Workspace) -> None:
    honest = audit(built)
    assert (honest["verdict"], honest["p"], honest["kinds"], len(honest["rows"])) == ("consistent", None, [], 8)
    document = json.loads(built.lock("brew"))
    document["agents"]["house"]["cases"]["latte"]["without_skill"]["passed"] = 1
    built.lock_path("brew").write_bytes(written(document))
    assert built.build("--locked").status == 0
    found = audit(built, "brew", status=1)
    ((differing, claim),) = ((row, each) for row in found["rows"] for each in row["claims"] if each["locked"] != each["fresh"])
    assert (differing["target"], differing["arm"], claim["exact"]) == ("brew:baseline[latte]", "without_skill", True)
    _, said, _ = built.selftune("audit", "brew", "--fraction", "1", "-C", str(built.root))
    assert "passed without the skill: locked 1 of 1, now 0 of 1; this answer repeats exactly, so that is no chance" in " ".join(
        said.split()
    )
    assert "An honest lock cannot look like this" in said


def test_another_answer_with_the_same_outcome_is_told_and_decides_nothing(built: Workspace) -> None:
    document = json.loads(built.lock("brew"))
    document["agents"]["house"]["cases"]["song"]["with_skill"]["evidence"] = "sha256:" + "0" * 64
    built.lock_path("brew").write_bytes(written(document))
    found = audit(built)
    assert [(row["target"], row["note"]) for row in found["rows"] if row["note"]] == [
        ("brew:replay[song]", "the answer is another than the one behind the lock")
    ]


def test_a_script_is_run_again_and_not_under_no_exec(built: Workspace) -> None:
    built.write("bake/scripts/hello.py", "print('hello')\n")
    case = {"id": "greets", "run": ["python3", "scripts/hello.py"], "checks": [{"contains": "hello"}]}
    built.write("bake/tests/scripts.yaml", json.dumps({"format": "selftune.unit-tests/1", "cases": [case]}))
    assert built.build().status == 0
    assert [row["arm"] for row in audit(built, "bake:unit-tests")["rows"]] == ["script"]
    refused = audit(built, "bake:unit-tests", "--no-exec", "--nonce", NONCE, status=3)
    assert refused["rows"][0]["missing"] == "scripts of the package are not run under --no-exec"


def test_a_judge_is_asked_anew_and_its_votes_on_one_side_hang_together(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.build()
    assert bench.calls == (4, 2)
    done = bench.run("audit", "--fraction", "1", "--json", "-y")
    assert (done.status, bench.calls) == (0, (4, 2)), done.stdout
    claims = [each for row in done.document["rows"] for each in row["claims"] if each["kind"].startswith("passed")]
    assert [(each["n"], each["exact"], each["block"]) for each in claims] == [(2, False, True)] * 2
    assert done.document["spend"]["judge_calls"] == 2


def test_what_is_compared_with_answers_without_the_skill_gets_fresh_ones_to_compare_with(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.cases({**SENTENCE, "checks": [{"pairwise": "It was done by the book"}]})
    bench.build()
    before = bench.calls
    done = bench.run("audit", "--fraction", "1", "--json", "-y")
    document = done.document
    assert (done.status, document["verdict"]) == (0, "consistent"), done.stdout
    assert [(row["target"], row["fresh_n"]) for row in document["rows"]] == [("brew:replay[tea]", 2)]
    assert (bench.calls, before[0]) == ((4, document["spend"]["judge_calls"]), 4)


def test_a_package_without_rows_leaves_nothing_to_audit(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace", tmp_path / "ledger")
    workspace.skill("brew", "Makes coffee.", "Grind the beans.")
    workspace.build("brew")
    assert workspace.lock_path("brew").exists()
    document = audit(workspace, "brew", status=3)
    assert (document["verdict"], document["population"]) == ("inconclusive", 0)
