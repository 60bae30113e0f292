"""A way to write a report: the built-in ones, and the shape of those that plugins supply."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from selftune_build.model.report import Report


class ReportFormat(Struct, frozen=True):
    """A format of reports: its id and the pure function from a report to the whole text of a file."""

    id: str
    render: Callable[[Report], str]
    summary: str = ""
    transcripts: bool = False
    """Whether it shows more than counts: only for such a format `PackageReport.detail` is filled."""
    send: Callable[[Report, str], None] | None = None
    """Sends it to the URL of `--report ID=URL`; None: it is only written. Whatever it raises is a warning, never a verdict."""


def _json(report: Report) -> str:
    from selftune_build.report.json import render

    return render(report) + "\n"


def _text(report: Report) -> str:
    from selftune_build.report.text import render

    return render(report, width=100, colour=False, verbose=True)


def _html(report: Report) -> str:
    from selftune_build.report.html.page import render

    return render(report)


def _junit(report: Report) -> str:
    from selftune_build.report.junit import render

    return render(report)


def _sarif(report: Report) -> str:
    from selftune_build.report.sarif import render

    return render(report)


def _markdown(report: Report) -> str:
    from selftune_build.report.markdown import render

    return render(report)


REPORT_FORMATS: tuple[ReportFormat, ...] = (
    ReportFormat("html", _html, "one page to look at and to print, transcripts included", transcripts=True),
    ReportFormat("json", _json, "the document of schemas/selftune-report-1.json"),
    ReportFormat("junit", _junit, "JUnit XML: a test for each case, gate and problem"),
    ReportFormat("markdown", _markdown, "a comment for a pull request"),
    ReportFormat("sarif", _sarif, "SARIF 2.1.0, for code scanning"),
    ReportFormat("text", _text, "the report for people, 100 cells wide, without colours"),
)
