"""Runs of selftune-build as OpenTelemetry spans: `selftune build --report otel=http://localhost:4318`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from selftune_build.plugins import Report, ReportFormat, hookimpl


def _render(report: Report, *, content: bool) -> str:
    from selftune_report_otel.export import as_json

    return as_json(report, content=content)


def _send(report: Report, url: str, *, content: bool) -> None:
    from selftune_report_otel.export import send

    send(report, url, content=content)


def _format(name: str, summary: str, *, content: bool) -> ReportFormat:
    return ReportFormat(name, partial(_render, content=content), summary, True, partial(_send, content=content))


FORMAT = _format("otel", "OpenTelemetry spans, to a file or to an OTLP/HTTP endpoint; no prompt, no answer", content=False)
CONTENT = _format("otel-content", "the same with prompts, answers and what checks found", content=True)


@hookimpl
def selftune_reports() -> Iterable[ReportFormat]:
    """`otel` and `otel-content`."""
    return [FORMAT, CONTENT]
