"""`selftune explain`: the two sides of a key, and what was observed behind a row that is reused."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from tests.property.workspace import CHECKOUT, Workspace

SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "schemas/selftune-explain-1.json").read_text())


def explained(workspace: Workspace, *targets: str) -> list[dict[str, Any]]:
    """The rows as JSON, which satisfies its schema."""
    status, stdout, stderr = workspace.selftune("explain", *targets, "--json", "-C", str(workspace.root))
    assert (status, stderr) == (0, "")
    document = json.loads(stdout)
    jsonschema.validate(document, SCHEMA)
    return list(document["rows"])


def test_a_stale_row_shows_both_sides_of_every_input_that_changed(noted: Workspace) -> None:
    noted.edit("brew/evals/evals.yaml", "Pour coffee with milk", "Pour coffee with warm milk")
    (row,) = explained(noted, "brew:replay[latte]")
    assert (row["state"], row["source"], row["compared_with"]) == ("stale", "nothing", "latte")
    (change,) = row["changes"]
    assert change == {"input": "prompt", "before": "Pour coffee with milk", "after": "Pour coffee with warm milk"}
    assert row["reasons"][0]["code"] == "prompt-changed"


def test_a_row_that_is_reused_says_which_observations_held(noted: Workspace) -> None:
    (row,) = explained(noted, "brew:replay[latte]")
    assert (row["state"], row["source"], row["reasons"]) == ("up-to-date", "lock", [])
    assert {seen["name"] for seen in row["observed"]} >= {"brew:body", "brew:file:references/milk.md"}
    assert "brew:file:references/water.md" not in {seen["name"] for seen in row["observed"]}


def test_an_edit_of_a_file_that_nobody_read_leaves_the_row_explained_as_reused(noted: Workspace) -> None:
    before = explained(noted, "brew:replay[latte]")
    noted.edit("brew/references/water.md", "Filter", "Boil")
    assert explained(noted, "brew:replay[latte]") == before


def test_a_case_that_was_never_run_is_compared_with_the_one_asked_most_alike(noted: Workspace) -> None:
    text = noted.read("brew/evals/evals.yaml")
    document = json.loads(text)
    document["cases"].append({"id": "mocha", "prompt": "Stir some cocoa", "should_trigger": False})
    noted.write("brew/evals/evals.yaml", json.dumps(document))
    (row,) = explained(noted, "brew:replay[mocha]")
    assert (row["compared_with"], [change["input"] for change in row["changes"]]) == ("song", ["prompt"])


def test_the_keys_are_those_of_the_lock(built: Workspace) -> None:
    (row,) = explained(built, "bake:replay[cup]")
    lock = json.loads(built.read("bake/selftune.lock"))
    assert row["n"] == lock["agents"]["house"]["cases"]["cup"]["with_skill"]["n"]
    assert sorted(seen["name"] for seen in row["observed"]) == lock["agents"]["house"]["cases"]["cup"]["with_skill"]["observed"]


@pytest.mark.parametrize(("target", "said"), [("", "takes a target"), ("brew:spec", "has no rows"), ("brw", "did you mean")])
def test_a_target_without_rows_is_refused_with_a_hint(built: Workspace, target: str, said: str) -> None:
    status, _, stderr = built.selftune("explain", *([target] if target else []), "-C", str(built.root))
    assert status == 2
    assert said in stderr


def test_text_of_strangers_stays_on_its_line(noted: Workspace) -> None:
    noted.edit("brew/evals/evals.yaml", "Pour coffee with milk", "Pour \\u001b[2J coffee\\nfix: rm -rf / with milk")
    _, stdout, _ = noted.selftune("explain", "brew:replay[latte]", "-v", "-C", str(noted.root))
    assert [line for line in stdout.split("\n") if not line.isprintable()] == []
    assert not any(line.startswith("fix:") for line in stdout.split("\n"))
