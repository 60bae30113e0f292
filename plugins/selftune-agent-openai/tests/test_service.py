"""Asking: what a service may send over a real connection, and where the key goes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from selftune_agent_openai import service
from selftune_agent_openai.events import Answered
from selftune_agent_openai.service import Service, Unanswered

from selftune_build.model.sample import ErrorKind

MESSAGES = [{"role": "user", "content": "hello"}]


class Plain(ThreadingHTTPServer):
    """Answers every request with one status, these headers, and these bytes."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.headers, self.body = 200, dict[str, str](), b""
        self.seen: list[tuple[str, str | None, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/"


class Handler(BaseHTTPRequestHandler):
    server: Plain

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, self.headers.get("Authorization"), asked))
        self.send_response(self.server.status)
        for name, value in {"Content-Length": str(len(self.server.body)), **self.server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)


@pytest.fixture
def plain() -> Iterator[Plain]:
    with Plain() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


def ask(plain: Plain, key: str | None = None) -> Answered:
    with Service(plain.url, key, {"model": "m", "temperature": 0.5}) as asking:
        return asking.ask(MESSAGES, tools=[])


def test_a_request_is_what_was_configured_and_an_answer_is_kept_word_for_word(plain: Plain) -> None:
    plain.body = b' {"odd":  1}\xff\n'
    assert ask(plain, "k") == Answered(200, ' {"odd":  1}\ufffd\n')
    sent = {"model": "m", "temperature": 0.5, "tools": [], "messages": MESSAGES}
    assert plain.seen == [("/v1/chat/completions", "Bearer k", sent)]


def test_without_a_key_none_is_sent(plain: Plain) -> None:
    ask(plain)
    assert plain.seen[0][1] is None


def test_a_redirection_is_told_and_not_followed(plain: Plain) -> None:
    plain.status, plain.headers = 307, {"Location": f"{plain.url}elsewhere"}
    assert ask(plain, "k").status == 307
    assert len(plain.seen) == 1


def test_an_answer_that_breaks_off_is_none(plain: Plain) -> None:
    plain.body, plain.headers = b'{"choices": [{"mess', {"Content-Length": "1000"}
    with pytest.raises(Unanswered) as caught:
        ask(plain)
    assert caught.value.kind is ErrorKind.PROTOCOL


def test_an_answer_without_end_is_given_up(plain: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BODY_BYTES", 1000)
    plain.body = b"x" * 100_000
    with pytest.raises(Unanswered) as caught:
        ask(plain)
    assert caught.value.kind is ErrorKind.FLOOD


def test_a_pause_comes_with_the_refusal(plain: Plain) -> None:
    plain.status, plain.headers = 503, {"Retry-After": "7"}
    assert ask(plain) == Answered(503, "", 7)
