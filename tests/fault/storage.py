"""An S3 server on loopback, and a proxy before it that misbehaves by its rules."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOP = frozenset({"connection", "transfer-encoding", "content-length", "keep-alive", "server", "date"})


@dataclass
class Rule:
    """What happens to requests of a method whose path holds a word, `times` times.

    `status`: this answer instead. `answer`: status 200 and this body instead. `lose`: done, and the answer lost. `cut`: half of
    the answer's body. `drip`: a byte of it each second. `first`: stored by somebody else a moment before.
    """

    method: str
    path: str
    times: int = 1
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    lose: bool = False
    cut: bool = False
    first: bool = False
    answer: bytes = b""
    drip: bool = False


class Proxy:
    """Forwards to a server on loopback, as its rules allow; notes every request."""

    def __init__(self, port: int) -> None:
        self.rules: list[Rule] = []
        self.requests: list[tuple[str, str, int]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, port))
        self.server.daemon_threads = True
        self.guard = threading.Lock()
        self.over = threading.Event()
        self.sent = 0
        """Bytes of answers."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def rule(self, method: str, path: str) -> Rule | None:
        """The first rule that fits and is not used up."""
        with self.guard:
            for rule in self.rules:
                if rule.times and rule.method == method and rule.path in path:
                    rule.times -= 1
                    return rule
        return None

    def asked(self, method: str, word: str) -> list[int]:
        """The answers to requests of a method whose path holds a word; 0 where none was given."""
        return [status for each, path, status in self.requests if each == method and word in path]


def _handler(proxy: Proxy, port: int) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *arguments: Any) -> None:
            """Silent."""

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            rule = proxy.rule(self.command, self.path)
            if rule is not None and rule.status:
                self.reply(rule.status, rule.headers, b"<Error><Code>Injected</Code></Error>")
                return
            if rule is not None and rule.answer:
                self.reply(200, {"Content-Type": "application/xml"}, rule.answer)
                return
            if rule is not None and rule.first:
                self.forward(body)
            status, headers, content = self.forward(body)
            if rule is not None and rule.lose:
                proxy.requests.append((self.command, self.path, 0))
                self.close_connection = True
                return
            if rule is not None and rule.drip:
                self.drip(status, headers, content)
                return
            self.reply(status, headers, content, cut=rule is not None and rule.cut)

        def forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            headers = {name: value for name, value in self.headers.items() if name.lower() not in ("expect", "connection")}
            connection.request(self.command, self.path, body=body or None, headers=headers)
            answer = connection.getresponse()
            found = answer.status, {name: value for name, value in answer.getheaders() if name.lower() not in HOP}, answer.read()
            connection.close()
            return found

        def drip(self, status: int, headers: dict[str, str], content: bytes) -> None:
            """Never silent for long, and never done in time."""
            self.close_connection = True
            try:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                for byte in content:
                    self.wfile.write(bytes((byte,)))
                    self.wfile.flush()
                    if proxy.over.wait(1):
                        return
            except OSError:
                return

        def reply(self, status: int, headers: dict[str, str], content: bytes, cut: bool = False) -> None:
            proxy.requests.append((self.command, self.path, status))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            proxy.sent += len(content)
            if self.command != "HEAD":
                self.wfile.write(content[: len(content) // 2] if cut else content)
            if cut:
                self.wfile.flush()
                self.close_connection = True

    for method in ("GET", "PUT", "HEAD", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.handle_any)
    return Handler


@contextmanager
def proxied(port: int) -> Iterator[Proxy]:
    """A proxy before the server at a port."""
    proxy = Proxy(port)
    thread = threading.Thread(target=proxy.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.over.set()
        proxy.server.shutdown()
        proxy.server.server_close()
        thread.join()


def credentials(proxy: Proxy) -> dict[str, str]:
    """The environment of whoever uses the server through the proxy."""
    return {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": proxy.url,
    }


def put(port: int, path: str, content: bytes = b"") -> None:
    """PUT past the proxy."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("PUT", path, body=content)
    assert connection.getresponse().status == 200
    connection.close()
