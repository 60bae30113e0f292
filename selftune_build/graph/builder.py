"""The dependency graph of what is stale: package × stage, edges from what is needed to who needs it (networkx)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import networkx

from selftune_build.graph.targets import AFTER, NEEDS, Stage, Target


def build_graph(packages: Iterable[str]) -> networkx.DiGraph[Target]:
    """One node for each stage of each package folder. Cases are rows inside a stage, never nodes.

    Edges carry `kind`: `needs` where a stage reads another, `order` where it only waits for its outcome.
    """
    graph: networkx.DiGraph[Target] = networkx.DiGraph()
    for package in packages:
        for stage in Stage:
            graph.add_node(Target(package, stage))
            graph.add_edges_from((Target(package, needed), Target(package, stage)) for needed in NEEDS[stage])
            graph.add_edges_from((Target(package, first), Target(package, stage)) for first in AFTER.get(stage, ()))
    kinds = {(before, after): "needs" if before.stage in NEEDS[after.stage] else "order" for before, after in graph.edges}
    networkx.set_edge_attributes(graph, kinds, "kind")
    return graph


def waves(graph: networkx.DiGraph[Target], wanted: Iterable[Target]) -> Iterator[list[Target]]:
    """The wanted targets in groups that do not wait for each other, each group after all that it waits for; sorted."""
    chosen = frozenset(wanted)
    for generation in networkx.topological_generations(graph):
        group = sorted(target for target in generation if target in chosen)
        if group:
            yield group
