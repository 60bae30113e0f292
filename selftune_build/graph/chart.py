"""The dependency graph of a workspace to look at: every target, what it needs, and across packages what is shown to an agent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import networkx
from msgspec import Struct

from selftune_build.graph.builder import build_graph
from selftune_build.graph.targets import Stage, address

Side = Literal["around", "dependencies", "dependents"]
METADATA = "metadata"


class Node(Struct, frozen=True):
    """A target, or with kind `input` the metadata of a package."""

    id: str
    kind: Literal["target", "input"]
    package: str
    state: str = ""


class Edge(Struct, frozen=True):
    """`target` waits for `source`: `needs` its result, comes after it (`order`), or is shown it (`shown`)."""

    source: str
    target: str
    kind: Literal["needs", "order", "shown"]


class Chart(Struct, frozen=True):
    """Nodes and edges, both sorted."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def chart(handles: Mapping[str, str], shown: Mapping[str, Mapping[Stage, Collection[str]]], states: Mapping[str, str]) -> Chart:
    """The whole graph. `handles` names each package folder; `shown` says for a folder and stage whose metadata an agent sees;
    `states` holds the state of each target by its address, as far as it is known."""
    graph = build_graph(handles)
    names = {target: address(handles[target.package], target.stage) for target in graph.nodes}
    nodes = [Node(name, "target", target.package, states.get(name, "")) for target, name in names.items()]
    nodes += (Node(f"{handle}:{METADATA}", "input", folder) for folder, handle in handles.items())
    edges = [Edge(names[before], names[after], data["kind"]) for before, after, data in graph.edges(data=True)]
    edges += (
        Edge(f"{handles[other]}:{METADATA}", address(handles[folder], stage), "shown")
        for folder, stages in shown.items()
        for stage, others in stages.items()
        for other in others
    )
    by_ends = sorted(edges, key=lambda edge: (edge.source, edge.target))
    return Chart(tuple(sorted(nodes, key=lambda node: node.id)), tuple(by_ends))


def narrowed(whole: Chart, focus: Iterable[str], side: Side) -> Chart:
    """The part of the chart that the focused nodes depend on, that depends on them, or both."""
    graph = _as_graph(whole)
    kept = set(focus)
    for node in tuple(kept):
        if side != "dependents":
            kept |= networkx.ancestors(graph, node)
        if side != "dependencies":
            kept |= networkx.descendants(graph, node)
    return _only(whole, kept)


def affected(whole: Chart) -> Chart:
    """What is stale and everything that waits for it."""
    graph = _as_graph(whole)
    stale = [node.id for node in whole.nodes if node.state == "stale"]
    return _only(whole, set(stale).union(*(networkx.descendants(graph, node) for node in stale)))


def _as_graph(whole: Chart) -> networkx.DiGraph[str]:
    graph: networkx.DiGraph[str] = networkx.DiGraph()
    graph.add_nodes_from(node.id for node in whole.nodes)
    graph.add_edges_from((edge.source, edge.target) for edge in whole.edges)
    return graph


def _only(whole: Chart, kept: Collection[str]) -> Chart:
    return Chart(
        tuple(node for node in whole.nodes if node.id in kept),
        tuple(edge for edge in whole.edges if edge.source in kept and edge.target in kept),
    )
