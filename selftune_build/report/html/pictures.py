"""Intervals as pictures: specifications of Vega-Lite, drawn where the report is written, so that the page needs nobody.

A specification holds numbers only, no text of strangers. Drawn is one chart with a facet for each interval, since a call costs
much more than a facet, and then it is cut: `cell` is what Vega calls the group of a facet. Colours are custom properties of the
page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from xml.etree import ElementTree

from msgspec import Struct

from selftune_build.report.html.markup import Markup, joined, tag

WIDTH, HEIGHT, EDGE, SCALE = 150, 16, 6, 13
"""Of what is drawn, what stands free at its left and right, and the height of the scale below; in pixels."""
_VERSION = "https://vega.github.io/schema/vega-lite/v5.json"
_KEPT = {"transform", "d", "x2", "y2", "fill", "stroke", "stroke-width", "stroke-linecap", "text-anchor", "font-size"}
_SVG = "{http://www.w3.org/2000/svg}"


class Interval(Struct, frozen=True):
    """What one picture shows; `signed` on a scale from -1 to 1, else from 0 to 1."""

    value: float
    low: float
    high: float
    minimum: float | None
    signed: bool


def draw(intervals: Iterable[Interval]) -> dict[Interval, Markup]:
    """A picture of each that could be drawn. Raises ImportError without the extra `html`."""
    from vl_convert import vegalite_to_svg

    found: dict[Interval, Markup] = {}
    every = list(dict.fromkeys(intervals))
    for signed in (False, True):
        alike = [each for each in every if each.signed is signed]
        if alike:
            svg = vegalite_to_svg(specification(alike), allowed_base_urls=[])
            found.update(zip(alike, map(_picture, _cells(svg)), strict=False))
    return found


def specification(intervals: Sequence[Interval]) -> dict[str, Any]:
    """The chart of intervals on one scale, in their order."""
    low = -1 if intervals[0].signed else 0
    rows = [
        {"row": position, "value": each.value, "low": each.low, "high": each.high, "minimum": each.minimum}
        for position, each in enumerate(intervals)
    ]
    scale = {"domain": [low, 1], "nice": False}
    axis = {"values": [low, (low + 1) / 2, 1], "format": "~g", "grid": False, "title": None, "tickSize": 3, "labelPadding": 1}
    colours = {"labelColor": "var(--quiet)", "domainColor": "var(--line)", "tickColor": "var(--line)", "labelFontSize": 9}
    bar = {"field": "low", "type": "quantitative", "scale": scale, "axis": {**axis, **colours}}
    return {
        "$schema": _VERSION,
        "background": None,
        "padding": 0,
        "config": {"view": {"stroke": None}},
        "data": {"values": rows},
        "facet": {"row": {"field": "row", "type": "ordinal", "header": None}},
        "resolve": {"axis": {"x": "independent"}},
        "spec": {
            "width": WIDTH,
            "height": HEIGHT,
            "layer": [
                _layer({"type": "rule", "stroke": "var(--bar)", "strokeWidth": 7}, x=bar, x2={"field": "high"}),
                _layer(
                    {"type": "tick", "color": "var(--ink)", "thickness": 1.5, "height": HEIGHT, "opacity": 1}, x=_at("minimum")
                ),
                _layer({"type": "circle", "color": "var(--dot)", "size": 60, "opacity": 1}, x=_at("value")),
            ],
        },
    }


def _layer(mark: dict[str, Any], **encoding: dict[str, Any]) -> dict[str, Any]:
    return {"mark": mark, "encoding": encoding}


def _at(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative"}


def _cells(svg: str) -> Iterator[ElementTree.Element]:
    for group in ElementTree.fromstring(svg).iter(f"{_SVG}g"):
        if "cell" in (group.get("class") or "").split():
            yield from (child for child in group if child.tag == f"{_SVG}g")


def _picture(cell: ElementTree.Element) -> Markup:
    """One facet as a picture of its own. The numbers stand beside it, so it is nothing to read out."""
    width, height = WIDTH + 2 * EDGE, HEIGHT + SCALE
    view = f"{-EDGE} 0 {width} {height}"
    return tag(
        "svg", *map(_drawn, cell), viewBox=view, width=str(width), height=str(height), aria_hidden="true", class_="interval"
    )


def _drawn(element: ElementTree.Element) -> Markup | None:
    """What of it paints something."""
    name = element.tag.removeprefix(_SVG)
    children = joined(filter(None, map(_drawn, element)))
    if name == "g":
        moved = element.get("transform")
        return tag("g", children, transform=moved) if children and moved else children
    if name not in ("path", "line", "text") or not (element.get("fill") or element.get("stroke")):
        return None
    kept = {key: value for key, value in element.attrib.items() if key in _KEPT}
    return tag(name, element.text, **kept) if element.get("d") != "" else None
