"""The transcripts of all packages, failing cases first, until the page is full."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from selftune_build.limits import HTML_TRANSCRIPT_CHARACTERS
from selftune_build.model.report import Report
from selftune_build.report.html.cases import STATES, Entry, entries
from selftune_build.report.html.markup import Markup
from selftune_build.report.html.transcript import case_transcripts


class Transcripts(Struct, frozen=True):
    """By index of the package and target of the first row of a case."""

    found: Mapping[int, Mapping[str, Markup]]
    left_out: int
    """Cases that have evidence in the report and no transcript on the page."""

    def of(self, package: int) -> Mapping[str, Markup]:
        """Those of one package."""
        return self.found.get(package, {})


def every_transcript(report: Report) -> Transcripts:
    """All that were read and find room."""
    cases = [(index, entry) for index, package in enumerate(report.packages) for entry in entries(package.rows)]
    found: dict[int, dict[str, Markup]] = {}
    room, left_out = HTML_TRANSCRIPT_CHARACTERS, 0
    for index, entry in sorted(cases, key=lambda each: STATES.index(each[1].row.state)):
        told = _told(report, index, entry)
        if told is None or len(told) > room:
            left_out += report.mode != "locked"
        else:
            room -= len(told)
            found.setdefault(index, {})[entry.row.target] = told
    return Transcripts(found, left_out)


def _told(report: Report, index: int, entry: Entry) -> Markup | None:
    detail = report.packages[index].detail
    if detail is None:
        return None
    rows = [row for row in (entry.row, entry.without) if row is not None]
    shown = [detail.shown[row.target] for row in rows if row.target in detail.shown]
    return case_transcripts(shown[0].case, shown) if shown else None
