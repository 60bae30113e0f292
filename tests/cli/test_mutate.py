"""`selftune mutate`: from what was measured to candidates, to a measured candidate, to a patch that was paid for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.repository import committed, git
from tests.property.kitchen import BREW, kitchen
from tests.property.test_random_edits import one_process
from tests.property.workspace import CHECKOUT, Run, Workspace

TABLE = (
    "| When | Read | Note |\n|---|:---:|---|\n| milk | `references/milk.md` | hot \\| cold |\n| tap | references/water.md | x |\n"
)
CASES = [
    *BREW,
    {"id": "stolen", "prompt": "Serve a cappuccino beside the cake", "should_trigger": True, "tags": ["tune"]},
    {"id": "missed", "prompt": "Filter hard water, no drink", "should_trigger": True, "checks": [{"contains": "Filter"}]},
    {"id": "secret", "prompt": "A ristretto for the secret guest", "should_trigger": True, "tags": ["holdout"]},
]
SCRIBE = """\
import json, os, sys
request = json.load(sys.stdin)
with open(os.environ["TEST_LEDGER"], "a") as ledger:
    ledger.write(json.dumps({"prompt": request["prompt"], "role": request["role"], "model": request["model"]}) + "\\n")
proposals = [{"description": "Makes coffee, espresso, cappuccino and ristretto.", "reason": "names what guests order"}]
answer = "no idea" if sys.argv[1:] == ["--dull"] else json.dumps({"proposals": proposals})
print(json.dumps({"output": answer, "usage": {"input_tokens": 1, "output_tokens": 1, "cost_usd": 0.25}}))
"""


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """One process for the command lines of this file."""
    with one_process() as run:
        yield run


@pytest.fixture
def workspace(tmp_path: Path, run: Run) -> Workspace:
    """A package with prompts that a sibling takes, that nobody takes, and one that is held out; nothing is built."""
    workspace = kitchen(tmp_path / "repository", tmp_path / "ledger")
    workspace.run = run
    workspace.skill("brew", "Makes coffee and espresso.", f"Grind the beans.\n\n{TABLE}")
    workspace.evals("brew", CASES)
    manifest = json.loads(workspace.read("selftune.yaml"))
    house = manifest["defaults"]["agents"]["house"]
    for name, options in (("scribe", []), ("dull", ["--dull"])):
        argv = ["python3", "-I", "-S", "tools/scribe.py", *options]
        manifest["defaults"]["agents"][name] = {**house, "argv": argv, "free": False, "deterministic": False}
    workspace.write("selftune.yaml", json.dumps(manifest))
    workspace.write("tools/scribe.py", SCRIBE)
    workspace.write(".gitignore", ".selftune\n*.lock\n")
    committed(workspace.root)
    return workspace


def mutate(workspace: Workspace, *arguments: str, status: int = 0) -> dict[str, Any]:
    """The document of `selftune mutate brew`."""
    found, out, err = workspace.selftune("mutate", "brew", *arguments, "--json", "-C", str(workspace.root))
    assert found == status, (out, err)
    return dict(json.loads(out))


def asked(workspace: Workspace) -> list[dict[str, Any]]:
    return [line for line in workspace.lines() if line.get("role") == "complete"]


def test_candidates_are_kept_and_measured_and_what_was_paid_for_is_paid_for(workspace: Workspace) -> None:
    workspace.build()
    document = mutate(workspace)
    assert document["evidence"] == {"cases": 5, "measured": 5, "wrong": ["stolen", "missed"]}
    assert [candidate["surface"] for candidate in document["candidates"]] == [["metadata"]] * 3
    first = document["candidates"][0]
    assert first["reason"].startswith("stolen was missed in 1 of 1 samples (bake used), missed was missed in 1 of 1 samples")
    words = first["command"].split()
    assert words[:4] == ["selftune", "build", "verify", "brew"]
    built = workspace.build("brew", "--overlay", first["path"])
    assert built.report["overlay"]["candidate"] == first["digest"]
    changes = {each["target"]: (each["held_now"], each["held_then"]) for each in built.package("brew")["against"]["changes"]}
    assert changes["brew:replay[stolen]"] == (1, 0)
    assert built.calls
    assert git(workspace.root, "status", "--porcelain") == ""
    git(workspace.root, "apply", first["path"])
    assert workspace.build("brew").calls == []


def test_rows_of_the_routing_table_are_candidates_too_with_every_column(workspace: Workspace) -> None:
    workspace.build()
    document = mutate(workspace, "--mutator", "deterministic")
    patches = [candidate["patch"] for candidate in document["candidates"]]
    assert "-| tap | references/water.md | x |\n+| tap, filter, hard, water, drink | references/water.md | x |\n" in patches[0]
    assert {tuple(candidate["surface"]) for candidate in document["candidates"]} == {("body",)}


def test_the_document_of_a_candidate_is_what_its_schema_and_its_name_say(workspace: Workspace) -> None:
    workspace.build()
    schema = json.loads((CHECKOUT / "schemas/selftune-candidate-1.json").read_text(encoding="utf-8"))
    for candidate in mutate(workspace)["candidates"]:
        path = Path(candidate["path"])
        head, _, patch = path.read_text(encoding="utf-8").partition("\n")
        jsonschema.validate(json.loads(head), schema)
        assert f"sha256:{path.stem}" == candidate["digest"]
        assert path.parent.name == path.stem[:2]
        assert patch == candidate["patch"]


def test_the_same_evidence_gives_the_same_candidates_and_they_are_kept_once(workspace: Workspace) -> None:
    workspace.build()
    before = [candidate["path"] for candidate in mutate(workspace)["candidates"]]
    times = [Path(path).stat().st_mtime_ns for path in before]
    assert [candidate["path"] for candidate in mutate(workspace)["candidates"]] == before
    assert [Path(path).stat().st_mtime_ns for path in before] == times
    status, out, _ = workspace.selftune("store", "fsck", "--json", "-C", str(workspace.root))
    assert status == 0, out


def test_nobody_sees_a_case_that_is_held_out(workspace: Workspace) -> None:
    workspace.build()
    mutate(workspace, "--agent", "scribe", "--yes")
    (question,) = asked(workspace)
    assert "secret guest" not in question["prompt"]
    assert "ristretto" not in json.dumps(mutate(workspace))
    assert "Filter hard water" in question["prompt"]


def test_a_model_that_is_named_is_asked_once_and_its_answer_is_kept(workspace: Workspace) -> None:
    workspace.build()
    document = mutate(workspace, "--agent", "scribe")
    assert document["spend"]["calls"] == 1
    (candidate,) = document["candidates"]
    assert candidate["reason"] == "names what guests order"
    assert "+description: Makes coffee, espresso, cappuccino and ristretto.\n" in candidate["patch"]
    again = mutate(workspace, "--agent", "scribe")
    assert (again["spend"]["calls"], again["spend"]["reused"], again["candidates"]) == (0, 1, document["candidates"])
    assert len(asked(workspace)) == 1
    mutate(workspace, "--agent", "scribe", "--seed", "7")
    mutate(workspace, "--agent", "scribe", "--model", "m-2")
    assert [line["model"] for line in asked(workspace)] == [None, None, "m-2"]


def test_what_a_model_costs_is_said_before_and_a_plan_asks_nobody(workspace: Workspace) -> None:
    workspace.build()
    planned = mutate(workspace, "--agent", "scribe", "--dry-run")
    assert (planned["spend"]["missing"], planned["spend"]["price"]) == (1, "1 paid call, price not known yet")
    assert (planned["candidates"], asked(workspace)) == ([], [])
    assert not (workspace.root / ".selftune/candidates").exists()
    _, _, err = workspace.selftune("mutate", "brew", "--agent", "scribe", "-C", str(workspace.root))
    assert "1 question to scribe: 1 paid call, price not known yet" in err


def test_a_budget_of_nothing_asks_nobody(workspace: Workspace) -> None:
    workspace.build()
    status, out, _ = workspace.selftune(
        "mutate", "brew", "--agent", "scribe", "--max-calls", "0", "--json", "-C", str(workspace.root)
    )
    assert (status, json.loads(out)["error"]["code"], asked(workspace)) == (3, "no-budget", [])


def test_an_answer_that_is_none_is_no_candidate(workspace: Workspace) -> None:
    workspace.build()
    status, out, _ = workspace.selftune("mutate", "brew", "--agent", "dull", "--json", "-C", str(workspace.root))
    assert (status, json.loads(out)["error"]["code"]) == (3, "answer-invalid")
    assert not (workspace.root / ".selftune/candidates").exists()


def test_where_nothing_was_measured_the_build_to_type_is_named(workspace: Workspace) -> None:
    document = mutate(workspace, status=3)
    assert (document["candidates"], document["evidence"]["measured"]) == ([], 0)
    assert document["next_command"] == f"selftune build brew -C {workspace.root}"


def test_where_nothing_went_wrong_there_is_nothing_to_propose(workspace: Workspace) -> None:
    workspace.evals("brew", BREW)
    workspace.build()
    status, out, _ = workspace.selftune("mutate", "brew", "-C", str(workspace.root))
    assert status == 0
    assert "nothing to propose: no case went wrong in a way that this mutator mends" in out


def test_a_candidate_of_another_state_of_its_package_is_refused(workspace: Workspace) -> None:
    workspace.build()
    path = mutate(workspace)["candidates"][0]["path"]
    workspace.edit("brew/SKILL.md", "Makes coffee", "Brews coffee")
    status, out, _ = workspace.selftune("build", "--overlay", path, "--json", "-C", str(workspace.root))
    assert status == 2
    assert json.loads(out)["error"]["message"] == "the candidate was made from another state of brew"


FORGED = {
    "of another package": (lambda head: {**head, "package": "bake"}, "touches `brew/SKILL.md`"),
    "of no package": (lambda head: {**head, "package": "tools"}, "which is not here"),
    "of another surface": (lambda head: {**head, "surface": ["body"]}, "declares to touch body, and touches metadata"),
    "without a parent": (lambda head: {**head, "parent": "x"}, "`parent` is no digest"),
    "with more": (lambda head: {**head, "verdict": "pass"}, "is no candidate"),
    "of another format": (lambda head: {**head, "schema": "selftune.candidate/2"}, "no candidate of selftune.candidate/1"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_document_that_is_no_candidate_is_refused(name: str, workspace: Workspace) -> None:
    workspace.build()
    path = Path(mutate(workspace)["candidates"][0]["path"])
    change, said = FORGED[name]
    head, _, patch = path.read_text(encoding="utf-8").partition("\n")
    forged = workspace.root.parent / "forged.patch"
    forged.write_text(json.dumps(change(json.loads(head))) + "\n" + patch, encoding="utf-8")
    status, out, _ = workspace.selftune("build", "--overlay", str(forged), "--json", "-C", str(workspace.root))
    assert status == 2
    assert said in json.loads(out)["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("brew", "--mutator", "nobody"), "there is no mutator 'nobody'"),
        (("brew", "--mutator", "deterministic", "--agent", "scribe"), "asks no model"),
        (("nowhere",), "nowhere"),
    ],
)
def test_what_does_not_exist_is_named(arguments: tuple[str, ...], said: str, workspace: Workspace) -> None:
    status, out, _ = workspace.selftune("mutate", *arguments, "--json", "-C", str(workspace.root))
    assert status == 2
    assert said in json.loads(out)["error"]["message"]


def test_help_says_what_a_mutator_sees(workspace: Workspace) -> None:
    status, out, _ = workspace.selftune("mutate", "--help")
    assert status == 0
    assert "never a case that is tagged `holdout`" in " ".join(out.split())
