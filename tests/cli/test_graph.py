"""`selftune graph`: what depends on what, in three notations."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest

from tests.property.workspace import CHECKOUT, Workspace

SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "schemas/selftune-graph-1.json").read_text())


def graph(workspace: Workspace, *arguments: str) -> tuple[dict[str, str], set[tuple[str, str, str]]]:
    """State by node, and edges, from JSON that satisfies its schema."""
    status, stdout, stderr = workspace.selftune("graph", *arguments, "--json", "-C", str(workspace.root))
    assert (status, stderr) == (0, "")
    document = json.loads(stdout)
    jsonschema.validate(document, SCHEMA)
    return (
        {node["id"]: node["state"] for node in document["nodes"]},
        {(edge["source"], edge["target"], edge["kind"]) for edge in document["edges"]},
    )


def test_a_description_is_shown_in_the_replays_of_its_competitors_and_in_their_baselines(built: Workspace) -> None:
    _, edges = graph(built)
    shown = {(source, target) for source, target, kind in edges if kind == "shown"}
    assert shown == {
        ("brew:metadata", "brew:replay"),
        ("bake:metadata", "bake:replay"),
        ("brew:metadata", "bake:replay"),
        ("bake:metadata", "brew:replay"),
        ("brew:metadata", "bake:baseline"),
        ("bake:metadata", "brew:baseline"),
    }


def test_dependents_of_a_description_are_what_an_edit_of_it_can_reach(built: Workspace) -> None:
    nodes, _ = graph(built, "--dependents", "brew:metadata")
    assert "bake:verify" in nodes
    assert "brew:baseline" not in nodes  # the baseline does not see the skill
    assert "bake:unit-tests" not in nodes


def test_dependencies_and_focus_take_the_other_side_and_both(built: Workspace) -> None:
    below, _ = graph(built, "--dependencies", "brew:replay")
    around, _ = graph(built, "--focus", "brew:replay")
    assert "brew:evals" in below
    assert "brew:verify" not in below
    assert set(around) >= {*below, "brew:verify", "brew:package-evaluation"}


def test_affected_is_what_is_stale_and_what_waits_for_it(noted: Workspace) -> None:
    assert graph(noted, "--affected") == ({}, set())
    noted.edit("brew/references/milk.md", "Steam", "Froth")
    nodes, _ = graph(noted, "--affected")
    assert {node for node, state in nodes.items() if state == "stale"} == {"brew:replay"}
    assert set(nodes) == {"brew:replay", "brew:package-evaluation", "brew:verify"}


def test_dot_and_mermaid_draw_the_same_edges(built: Workspace) -> None:
    nodes, edges = graph(built)
    _, dot, _ = built.selftune("graph", "-C", str(built.root))
    _, mermaid, _ = built.selftune("graph", "--format", "mermaid", "-C", str(built.root))
    assert set(re.findall(r'^  "([^"]+)" -> "([^"]+)"', dot, re.MULTILINE)) == {(source, target) for source, target, _ in edges}
    assert dot.startswith("digraph selftune {\n")
    assert dot.endswith("}\n")
    names = dict(re.findall(r'^  (n\d+)\(?\[+"([^"]+)"\]+\)?$', mermaid, re.MULTILINE))
    drawn = re.findall(r"^  (n\d+) (?:-->|-\.->|-\. shown \.->) (n\d+)$", mermaid, re.MULTILINE)
    assert set(names.values()) == set(nodes)
    assert {(names[source], names[target]) for source, target in drawn} == {(source, target) for source, target, _ in edges}


@pytest.mark.parametrize("arguments", [("--focus", "nobody"), ("--focus", "brew", "--affected"), ("--format", "png")])
def test_what_cannot_be_drawn_is_refused(built: Workspace, arguments: tuple[str, ...]) -> None:
    status, stdout, stderr = built.selftune("graph", *arguments, "-C", str(built.root))
    assert (status, stdout) == (2, "")
    assert stderr.startswith("error: ")
