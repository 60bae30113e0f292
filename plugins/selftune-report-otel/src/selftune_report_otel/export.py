"""The tree as spans of the official SDK, written as OTLP/JSON or sent by the official exporter."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from selftune_build.plugins import Report, UndecidedError
from selftune_report_otel.node import Node, keys
from selftune_report_otel.tree import tree

SCOPE = "selftune_report_otel"
TRACES = "/v1/traces"
SECONDS = 5.0
"""How long an endpoint may take, attempts included."""
BATCH = 500
_IDS = ("traceId", "spanId", "parentSpanId")


def as_json(report: Report, *, content: bool) -> str:
    """One line of OTLP/JSON (opentelemetry-proto, "JSON Protobuf Encoding"). Pure: spans without times begin and end at zero."""
    from google.protobuf.json_format import MessageToDict

    found = spans(report, Resource({"service.name": "selftune-build"}), 0, content=content)
    return json.dumps(_with_hex(MessageToDict(encode_spans(found), use_integers_for_enums=True)), sort_keys=True) + "\n"


def send(report: Report, url: str, *, content: bool) -> None:
    """Send the spans to an OTLP/HTTP endpoint; headers, certificates and compression as the exporter's variables say.

    Raises UndecidedError where they are not taken.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    found = spans(report, Resource.create({"service.name": "selftune-build"}), time.time_ns(), content=content)
    exporter = OTLPSpanExporter(endpoint=_endpoint(url), timeout=SECONDS)
    with _Heard() as heard:
        taken = all(exporter.export(batch) is SpanExportResult.SUCCESS for batch in _batches(found))
        exporter.shutdown()  # type: ignore[no-untyped-call]
    if not taken:
        raise UndecidedError(f"{urlsplit(url).hostname} did not take the spans: {heard.last or 'it said no'}")


def spans(report: Report, resource: Resource, unknown: int, *, content: bool) -> Sequence[ReadableSpan]:
    """Parents first. `unknown`: the time, in nanoseconds, of what nobody recorded. The same report has the same ids each time."""
    root = tree(report, content=content)
    ids = _Ids(root)
    kept = InMemorySpanExporter()
    provider = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False, id_generator=ids)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    _emit(root, "", None, provider.get_tracer(SCOPE), ids, (unknown, unknown))
    return kept.get_finished_spans()[::-1]


def _emit(node: Node, path: str, parent: trace.Span | None, tracer: trace.Tracer, ids: _Ids, around: tuple[int, int]) -> None:
    """`around`: the times of the parent, for what has none of its own."""
    origin = "recorded" if node.times else "contents" if node.span else "unknown"
    start, end = times = node.span or around
    ids.next(place := f"{path}/{node.key}")
    context = trace.set_span_in_context(parent) if parent is not None else None
    attributes = {**node.attributes, "selftune.times": origin}
    span = tracer.start_span(node.name, context, trace.SpanKind.INTERNAL, attributes, start_time=start)
    for name, about in node.events:
        span.add_event(name, dict(about), timestamp=end)
    for each in node.within:
        _emit(each, place, span, tracer, ids, times)
    if "error.type" in node.attributes:
        span.set_status(trace.StatusCode.ERROR)
    span.end(end_time=end)


class _Ids(IdGenerator):
    """Ids from what the spans are about, so that a report that is sent twice is one trace."""

    def __init__(self, root: Node) -> None:
        self._trace = sha256("\n".join([*keys([root]), repr(sorted(root.attributes.items()))]).encode()).digest()
        self._place = ""

    def next(self, place: str) -> None:
        """Where in the tree the span stands that is made next."""
        self._place = place

    def generate_trace_id(self) -> int:
        """16 bytes, not all of them zero."""
        return int.from_bytes(self._trace[:16], "big") or 1

    def generate_span_id(self) -> int:
        """8 bytes, not all of them zero."""
        return int.from_bytes(sha256(self._trace + self._place.encode()).digest()[:8], "big") or 1


class _Heard(logging.Handler):
    """What the exporter says while it works, kept from stderr."""

    def __init__(self) -> None:
        super().__init__()
        self.last = ""
        self._logger = logging.getLogger("opentelemetry")

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.last = record.getMessage()

    def __enter__(self) -> _Heard:
        self._logger.addHandler(self)
        self._before, self._logger.propagate = self._logger.propagate, False
        return self

    def __exit__(self, *_error: object) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._before


def _endpoint(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=TRACES)) if parts.path in ("", "/") else url


def _batches(found: Sequence[ReadableSpan]) -> Iterator[Sequence[ReadableSpan]]:
    yield from (found[start : start + BATCH] for start in range(0, len(found), BATCH))


def _with_hex(value: Any) -> Any:
    """Ids as the encoding wants them: hexadecimal, where Protobuf's own JSON has Base64."""
    if isinstance(value, list):
        return [_with_hex(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: base64.b64decode(each).hex() if name in _IDS else _with_hex(each) for name, each in value.items()}
