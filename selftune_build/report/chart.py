"""The graph as dot, mermaid or JSON (schema `selftune.graph/1`)."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec

from selftune_build.escape import one_line
from selftune_build.graph.chart import Chart, Node
from selftune_build.limits import NAME_CHARACTERS
from selftune_build.report.document import envelope

_DOT_EDGES = {"needs": "", "order": " [style=dashed]", "shown": " [style=dotted]"}
_MERMAID_EDGES = {"needs": "-->", "order": "-.->", "shown": "-. shown .->"}
_FILL = {"stale": "#f2c14e", "up-to-date": "#b7dfc0"}


def json_text(chart: Chart) -> str:
    """One document, newline at the end."""
    return envelope("selftune.graph/1", 0, **msgspec.to_builtins(chart)) + "\n"


def dot(chart: Chart) -> str:
    """A digraph for graphviz."""
    lines = ["digraph selftune {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    lines += [f"  {_quoted(node.id)}{_dot_style(node)};" for node in chart.nodes]
    lines += [f"  {_quoted(edge.source)} -> {_quoted(edge.target)}{_DOT_EDGES[edge.kind]};" for edge in chart.edges]
    return "\n".join([*lines, "}"]) + "\n"


def mermaid(chart: Chart) -> str:
    """A flowchart for Markdown pages."""
    names = {node.id: f"n{position}" for position, node in enumerate(chart.nodes)}
    lines = ["flowchart LR"]
    lines += [f"  {names[node.id]}{_mermaid_shape(node)}" for node in chart.nodes]
    lines += [f"  {names[edge.source]} {_MERMAID_EDGES[edge.kind]} {names[edge.target]}" for edge in chart.edges]
    for state, fill in _FILL.items():
        members = [names[node.id] for node in chart.nodes if node.state == state]
        if members:
            word = state.replace("-", "")
            lines += [f"  classDef {word} fill:{fill},color:#1a1a1a", f"  class {','.join(members)} {word}"]
    return "\n".join(lines) + "\n"


FORMATS: dict[str, Callable[[Chart], str]] = {"dot": dot, "mermaid": mermaid, "json": json_text}


def _quoted(text: str) -> str:
    return json.dumps(one_line(text, NAME_CHARACTERS))


def _dot_style(node: Node) -> str:
    if node.kind == "input":
        return " [shape=note]"
    return f' [style=filled, fillcolor="{_FILL[node.state]}"]' if node.state in _FILL else ""


def _mermaid_shape(node: Node) -> str:
    """Mermaid reads HTML entities in quoted text and nothing else that could end it."""
    text = "".join(c if c.isalnum() or c in " :/._-" else f"#{ord(c)};" for c in one_line(node.id, NAME_CHARACTERS))
    return f'(["{text}"])' if node.kind == "input" else f'["{text}"]'
