"""The server: takes requests on loopback, lets the script answer, keeps a record of everything it was asked."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType, TracebackType
from typing import Any

from msgspec import Struct, field

from selftune_build.testing.model_server import anthropic, chat, gemini, responses
from selftune_build.testing.model_server.answer import Answer, Cut, Hang, Late, Refuse, Script
from selftune_build.testing.model_server.conversation import Conversation
from selftune_build.testing.model_server.wire import Event

ROUTES: dict[str, ModuleType] = {
    "/messages": anthropic,
    "/responses": responses,
    "/chat/completions": chat,
    ":generateContent": gemini,
    gemini.STREAMED: gemini,
}
"""How a path ends: the protocol spoken there."""
REQUEST_BYTES = 64 * 1024 * 1024


class Request(Struct, frozen=True):
    """One request as it came in; `conversation` where it asked for an answer."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    conversation: Conversation | None = None
    problem: str | None = None
    """Why the script gave no answer."""


class Log(Struct):
    """What was asked so far, in the order of arrival."""

    requests: list[Request] = field(default_factory=list)
    guard: Any = field(default_factory=threading.Lock)

    def add(self, request: Request) -> int:
        """Note a request down; its number, counted from 1."""
        with self.guard:
            self.requests.append(request)
            return len(self.requests)


class ModelServer:
    """A scripted model on `127.0.0.1`, for as long as the `with` block lasts.

    Speaks Anthropic Messages, OpenAI Responses, Chat Completions and the Gemini API, streaming or not. `/models` lists
    `models`, counting tokens gives a number, any other path is answered with 404. A script that raises answers 500, with the
    exception's text in the record. `script` may be replaced while it runs.
    """

    def __init__(self, script: Script, models: Iterable[str] = ("scripted-model",)) -> None:
        self.script = script
        self.models = tuple(models)
        self.stopping = threading.Event()
        self.log = Log()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:PORT`; the base of the OpenAI protocols is this and `/v1`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self) -> tuple[Request, ...]:
        """Everything that was asked so far."""
        return tuple(self.log.requests)

    @property
    def conversations(self) -> tuple[Conversation, ...]:
        """The requests for an answer, in the order of arrival."""
        return tuple(request.conversation for request in self.requests if request.conversation is not None)

    def forget(self) -> None:
        """Empty the record."""
        with self.log.guard:
            self.log.requests.clear()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, model: ModelServer) -> None:
        self.model = model
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is nothing to talk about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed: the record is in the server."""

    def do_HEAD(self) -> None:
        self._note(b"")
        self._send(200, b"")

    def do_GET(self) -> None:
        self._note(b"")
        if not self._path.endswith("/models"):
            self._send_json(404, {"error": {"message": "there is nothing here"}})
            return
        listed = [{"id": name, "object": "model", "type": "model", "display_name": name} for name in self.server.model.models]
        self._send_json(200, {"object": "list", "data": listed, "has_more": False})

    def do_POST(self) -> None:
        body = self._body()
        speaker = next((module for end, module in ROUTES.items() if self._path.endswith(end)), None)
        if speaker is None:
            self._note(body)
            counts = self._path.endswith("/count_tokens")
            self._send_json(200 if counts else 404, {"input_tokens": 101} if counts else {"error": {"message": "not here"}})
            return
        try:
            addressed = gemini.addressed(self._path) if speaker is gemini else {}
            conversation = speaker.read({**json.loads(body), **addressed})
            answer = self.server.model.script(conversation)
        except Exception as error:
            self._note(body, problem=f"{type(error).__name__}: {error}")
            self._send_json(500, speaker.error(Refuse(500, f"the script broke: {error}")))
            return
        self._answer(speaker, conversation, answer, self._note(body, conversation))

    @property
    def _path(self) -> str:
        return self.path.partition("?")[0]

    def _note(self, body: bytes, conversation: Conversation | None = None, problem: str | None = None) -> int:
        headers = {name.lower(): value for name, value in self.headers.items()}
        return self.server.model.log.add(Request(self.command, self.path, headers, body, conversation, problem))

    def _answer(self, speaker: ModuleType, conversation: Conversation, answer: Answer, serial: int) -> None:
        if isinstance(answer, Late):
            self.server.model.stopping.wait(answer.seconds)
            answer = answer.answer
        if isinstance(answer, Hang):
            self.server.model.stopping.wait(answer.seconds)
            self.close_connection = True
        elif isinstance(answer, Refuse):
            extra = {} if answer.retry_after is None else {"Retry-After": str(answer.retry_after)}
            self._send_json(answer.status, speaker.error(answer), extra)
        elif isinstance(answer, Cut):
            self._stream(speaker.beginning(answer.text, conversation.model, serial))
        elif conversation.stream:
            self._stream(speaker.events(answer, conversation.model, serial))
        else:
            self._send_json(200, speaker.whole(answer, conversation.model, serial))

    def _stream(self, events: Iterator[Event]) -> None:
        """Chunks without a length: a client tells a cut stream from a whole one by the missing last chunk."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        with suppress(ConnectionError):
            for event in events:
                self.wfile.write(event.encode())

    def _send_json(self, status: int, document: dict[str, Any], extra: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(document).encode(), {"Content-Type": "application/json", **(extra or {})})

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(content)

    def _body(self) -> bytes:
        raw = b"".join(self._chunks()) if "chunked" in self.headers.get("Transfer-Encoding", "") else self._sized()
        encoding = self.headers.get("Content-Encoding", "")
        if encoding == "gzip":
            return gzip.decompress(raw)
        return zlib.decompress(raw) if encoding == "deflate" else _unzstd(raw) if encoding == "zstd" else raw

    def _sized(self) -> bytes:
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), REQUEST_BYTES))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()


def _unzstd(raw: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj().decompress(raw)
