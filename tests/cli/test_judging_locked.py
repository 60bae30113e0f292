"""`--locked` with judged rows: who ruled stands in the lock, so keys are computed without asking, and another judge is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest

from tests.cli.judging import SENTENCE, Bench, codes, package, stage

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def built_bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judged")
    assert Bench(folder).build()["exit_code"] == 0
    return folder


@pytest.fixture
def clone(built_bench: Path, tmp_path: Path) -> Bench:
    """A fresh clone: files and locks, no store."""
    bench = Bench(tmp_path)
    shutil.copytree(built_bench / "workspace", tmp_path / "workspace", dirs_exist_ok=True)
    return bench


def messages(report: dict[str, object]) -> list[str]:
    return [problem["message"] for problem in package(report)["problems"] if problem["code"] == "agent-changed"]


def test_a_fresh_clone_passes_and_asks_nobody(clone: Bench) -> None:
    report = clone.build("--locked")
    assert (report["exit_code"], codes(report), clone.calls) == (0, set(), (0, 0))
    report = clone.build()
    assert (report["exit_code"], stage(report)["state"], clone.calls) == (0, "up-to-date", (0, 0))


def test_the_lock_fits_its_schema_and_has_the_judge_under_a_seal(clone: Bench) -> None:
    schema = json.loads((CHECKOUT / "schemas/selftune-lock-1.json").read_text(encoding="utf-8"))
    jsonschema.validate(clone.workspace.lock("brew"), schema)
    judge = clone.entry["judge"]
    assert (judge["name"], judge["origin"], judge["identity"]["plugin"]) == ("jury", "live", "command")
    document = clone.workspace.lock("brew")
    document["agents"]["house"]["judge"]["origin"] = "simulated"
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    clone.workspace.write({"brew/selftune.lock": text})
    report = clone.build("--locked")
    assert (report["exit_code"], "lock-tampered" in codes(report)) == (1, True)


def test_a_changed_sentence_is_not_what_was_judged(clone: Bench) -> None:
    clone.cases({**SENTENCE, "checks": [{"sentence": "It was done by heart"}]})
    report = clone.build("--locked")
    assert (report["exit_code"], "key-changed" in codes(report), messages(report)) == (1, True, [])


def test_more_votes_are_another_way_to_judge(clone: Bench) -> None:
    clone.manifest(judge={"agent": "jury", "votes": 3})
    report = clone.build("--locked")
    assert (report["exit_code"], "key-changed" in codes(report)) == (1, True)


def test_another_judge_another_model_and_another_program_are_told_apart(clone: Bench) -> None:
    clone.manifest(judge={"agent": "jury", "model": "another"})
    assert messages(clone.build("--locked")) == ["'model' of the judge 'jury' is not what was measured"]
    clone.manifest(judge="house")
    named = messages(clone.build("--locked"))
    assert named[0] == "the judge is 'house', and the lock has rulings of 'jury'"
    clone.manifest()
    clone.workspace.write({"tools/judge.py": "print('yes')\n"})
    report = clone.build("--locked")
    assert (report["exit_code"], messages(report)) == (1, ["'files' of the judge 'jury' is not what was measured"])


def test_a_judge_that_is_named_no_more_is_told(clone: Bench) -> None:
    clone.manifest(judge=None)
    report = clone.build("--locked")
    assert messages(report) == ["the lock has rulings of the judge 'jury', and no judge is to rule"]
    assert "key-changed" in codes(report)


def test_a_judge_that_was_never_asked_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.manifest(judge=None)
    bench.build()
    bench.manifest()
    report = bench.build("--locked")
    assert (report["exit_code"], "key-changed" in codes(report)) == (1, True)
    assert messages(report) == ["the lock has no rulings of the judge that the manifest names"]


def test_a_judge_of_a_plugin_that_is_not_installed_is_compared_as_far_as_it_is_declared(clone: Bench) -> None:
    agents = {"house": {"type": "nowhere"}, "jury": {"type": "nowhere-either"}}
    clone.manifest(agents=agents)
    told = messages(clone.build("--locked"))
    assert "'plugin' of the judge 'jury' is not what was measured" in told


def test_rulings_of_a_judge_that_is_no_model_are_not_live(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.manifest(jury={"deterministic": True}, policy={"origins": ["live"]})
    report = bench.build("replay")
    assert (report["exit_code"], codes(report)) == (1, {"evidence-simulated"})
    assert "the rulings of the judge jury are simulated" in package(report)["problems"][0]["message"]
    assert "judge-simulated" in {finding["code"] for finding in package(report)["findings"]}
    assert codes(bench.build("replay", "--locked")) == {"evidence-simulated"}
