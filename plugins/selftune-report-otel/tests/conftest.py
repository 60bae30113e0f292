"""An OTLP/HTTP endpoint on loopback that decodes what it gets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

from selftune_build.testing import skill_workspace

__all__ = ["receiver", "skill_workspace"]


class Receiver(HTTPServer):
    """`status` is what it answers; `requests` are paths and decoded bodies."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def resources(self) -> list[dict[str, Any]]:
        return [self.attributes(each.resource) for _, _, request in self.requests for each in request.resource_spans]

    def spans(self) -> list[Any]:
        resources = [each for _, _, request in self.requests for each in request.resource_spans]
        return [span for each in resources for scope in each.scope_spans for span in scope.spans]

    @staticmethod
    def attributes(thing: Any) -> dict[str, Any]:
        """Of a span, an event or a resource, as plain values."""
        return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in thing.attributes}


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, dict(self.headers.items()), ExportTraceServiceRequest.FromString(body)))
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """It listens while the test runs."""
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
