"""An executor whose workers are those of a Dask scheduler (`distributed.Client`)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from itertools import count
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

import distributed

from selftune_build.plugins import InputError, UndecidedError, work

_DASK: Any = distributed
"""Its types are not complete."""

CONNECT_S = 10.0
"""For how long a scheduler may be silent."""
ANSWER_S = 30.0
"""For how long all workers may be silent when they are asked together."""
CLOSE_S = 5.0


class DaskExecutor:
    """The workers behind `dask://HOST:PORT` (`selftune_build.plugins.Executor`)."""

    def __init__(self, url: str) -> None:
        """Raises InputError for a URL without host and port, UndecidedError where no scheduler answers."""
        security = _DASK.Security()
        address = address_of(url, encrypted=is_encrypted(security))
        _silence()
        try:
            self._client = _DASK.Client(
                address, security=security, timeout=CONNECT_S, set_as_default=False, name="selftune-build"
            )
        except (OSError, ValueError, TypeError) as error:  # a timeout is an OSError; certificates that do not fit are any of them
            hint = "start one with `dask scheduler`, or mend the address; TLS is set in the configuration of Dask"
            raise UndecidedError(f"no Dask scheduler answers at {address}: {_one_line(error)}", hint=hint) from error
        self._name = token_hex(8)
        self._numbers = count()

    def slots(self) -> int:
        """Threads of all workers."""
        threads: Mapping[str, int] = self._client.nthreads()
        return sum(threads.values())

    def submit(self, content: bytes) -> Future[bytes]:
        """One task with a key of its own, which Dask neither shares nor tries again.

        What Dask does by itself, running the tasks of a worker that is gone on another one, asks nobody: a task that was begun is
        begun once.
        """
        key = f"selftune-{self._name}-{next(self._numbers)}"
        done: Future[bytes] = Future()
        future = self._client.submit(work, content, key=key, pure=False, retries=0)
        # Whoever gives up on it takes it out of the queue; what runs already is not ended by that.
        done.add_done_callback(lambda each: future.cancel() if each.cancelled() else None)
        future.add_done_callback(lambda each: _settle(done, each))
        return done

    def everywhere(self, content: bytes) -> Mapping[str, bytes | BaseException]:
        """Beside their tasks: workers have a thread of their own for this."""
        try:
            answers: Mapping[str, bytes | BaseException] = self._client.run(work, content, on_error="return")
        except (OSError, TimeoutError) as error:
            raise UndecidedError(f"the Dask scheduler does not answer: {_one_line(error)}") from error
        return answers

    def close(self) -> None:
        """The scheduler forgets what was not begun."""
        self._client.close(timeout=CLOSE_S)


def address_of(url: str, *, encrypted: bool) -> str:
    """The address of a scheduler as Dask writes it. Raises InputError."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
        raise InputError(f"{url!r} is no address of a Dask scheduler", hint="dask://HOST:PORT")
    named = f"[{host}]" if ":" in host else host
    return f"{'tls' if encrypted else 'tcp'}://{named}:{port}"


def is_encrypted(security: Any) -> bool:
    """Whether the configuration of Dask asks for TLS, or has a certificate for clients."""
    return bool(security.require_encryption or security.tls_client_cert)


def _settle(done: Future[bytes], future: Any) -> None:
    """Pass on what became of a task of Dask; a worker that is gone is an error like any other."""
    if done.cancelled():
        return
    try:
        done.set_result(future.result())
    except BaseException as error:
        done.set_exception(error if isinstance(error, Exception) else RuntimeError(_one_line(error)))


def _silence() -> None:
    """Dask tells of workers that are gone; so does the build, once, and where it matters."""
    for name in ("distributed", "distributed.client", "distributed.core", "distributed.comm", "distributed.batched"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
