"""The dependency graph of a workspace: package × stage, edges from what is read to who reads it."""

from __future__ import annotations

from collections.abc import Iterable

import networkx

from selftune_build.graph.targets import NEEDS, Stage, Target


def build_graph(packages: Iterable[str]) -> networkx.DiGraph[Target]:
    """One node for each stage of each package folder. Cases are rows inside a stage, never nodes."""
    graph: networkx.DiGraph[Target] = networkx.DiGraph()
    for package in packages:
        for stage in Stage:
            graph.add_node(Target(package, stage))
            graph.add_edges_from((Target(package, needed), Target(package, stage)) for needed in NEEDS[stage])
    return graph


def closure(graph: networkx.DiGraph[Target], goals: Iterable[Target]) -> list[Target]:
    """The goals and all they depend on, every target after what it needs; equal input gives equal order."""
    wanted = set(goals)
    for goal in tuple(wanted):
        wanted |= networkx.ancestors(graph, goal)
    rank = {stage: position for position, stage in enumerate(Stage)}
    order = networkx.lexicographical_topological_sort(
        graph.subgraph(wanted), key=lambda target: (target.package, rank[target.stage])
    )
    return list(order)
