"""A badge: what a lock says, in one small picture (SVG) or as the JSON that badge services read (shields endpoint 1)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from xml.sax.saxutils import escape

from selftune_build.model.report import PackageReport, Report
from selftune_build.model.verdict import Verdict

_COLOURS = {
    Verdict.PASS: ("#2e7d32", "brightgreen"),
    Verdict.FAIL: ("#c62828", "red"),
    Verdict.INCONCLUSIVE: ("#9e6a03", "yellow"),
}
_SAID = {Verdict.PASS: "verified", Verdict.FAIL: "not verified", Verdict.INCONCLUSIVE: "undecided"}
_LABEL = "selftune"
_CHARACTER, _MARGIN = 6.6, 12
"""Width of a character of an 11 px sans-serif font, about, and of what surrounds a text, in pixels."""


def message(report: Report) -> str:
    """`verified, live`: the verdict and by which evidence; the weaker kind where there are several."""
    return ", ".join(filter(None, (_SAID[report.verdict], _origin(report.packages))))


def endpoint(report: Report) -> str:
    """The JSON of a badge service, newline at the end."""
    document = {"schemaVersion": 1, "label": _LABEL, "message": message(report), "color": _COLOURS[report.verdict][1]}
    return json.dumps(document, indent=1) + "\n"


def svg(report: Report) -> str:
    """The picture; newline at the end."""
    said, colour = message(report), _COLOURS[report.verdict][0]
    left, right = (round(len(text) * _CHARACTER + _MARGIN) for text in (_LABEL, said))
    width = left + right
    texts = [_text(left / 2, _LABEL), _text(left + right / 2, said)]
    title = escape(f"{_LABEL}: {said}")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{title}">',
            f"<title>{title}</title>",
            f'<clipPath id="r"><rect width="{width}" height="20" rx="3"/></clipPath>',
            f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#444"/>',
            f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/></g>',
            '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">',
            *texts,
            "</g>",
            "</svg>\n",
        ]
    )


def _text(middle: float, text: str) -> str:
    return f'<text x="{middle:g}" y="14">{escape(text)}</text>'


def _origin(packages: Sequence[PackageReport]) -> str:
    found = {package.origin for package in packages}
    return next((origin for origin in ("simulated", "recorded", "live") if origin in found), "")
