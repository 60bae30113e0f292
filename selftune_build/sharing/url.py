"""Whatever fsspec reaches as a remote: `s3://bucket/folder`, `gs://…`, and others by the package that brings them.

Errors of the services are told apart by their HTTP status where there is one. Nothing is repeated here: the libraries' own
repetitions know no limit that we could name and no Retry-After, so they are switched off.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from typing import Any, TypeVar

from selftune_build.errors import UndecidedError, UsageError
from selftune_build.limits import REMOTE_NAMES, REMOTE_OPERATION_S, REMOTE_TIMEOUT_S
from selftune_build.sharing import s3
from selftune_build.sharing.remote import RemoteError, TooMuch, shown

CREATES = frozenset({"s3", "s3a", "gs", "gcs", "memory"})
"""Protocols whose `pipe_file(mode="create")` is one conditional write. The others write a temporary name first, look, rename."""

_Result = TypeVar("_Result")

_QUERY = re.compile(r"\?[\w-]+=[^\s\"']*")
"""Of the addresses in messages: nobody reads it, and it may hold a signature."""

_S3 = frozenset({"s3", "s3a"})
_TAKEN, _MISSING, _EMPTY = 412, 404, 416
_TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


class Url:
    """A remote below one fsspec URL; no question takes longer than `seconds`. Raises UsageError where nothing can open it."""

    def __init__(self, url: str, seconds: int = REMOTE_OPERATION_S) -> None:
        _require()
        from fsspec.core import url_to_fs

        protocol = url.partition("://")[0]
        options = {"skip_instance_cache": True, "use_listings_cache": False, **_options(protocol, seconds)}
        try:
            self._files, self._root = url_to_fs(url, **options)
        except (ImportError, ValueError, KeyError) as error:
            raise UsageError(
                f"{shown(url)} cannot be opened: {error}", hint="install the fsspec package of this protocol"
            ) from error
        if hasattr(self._files, "retries"):
            self._files.retries = 1
        self._root = self._root.rstrip("/")
        self._creates = protocol in CREATES
        self._s3 = protocol in _S3
        # What runs on fsspec's own loop takes a limit, which holds whatever the other side does.
        self._bounds = {"timeout": seconds} if getattr(self._files, "async_impl", False) else {}

    def reach(self) -> None:
        """As `Remote.reach`."""
        self.folders("")

    def folders(self, prefix: str) -> list[str]:
        """As `Remote.folders`."""
        place = self._place(prefix)
        if self._s3:
            return _asked(lambda: s3.folders(self._files, place, self._bounds), [])
        found: list[dict[str, Any]] = _asked(lambda: self._files.ls(place, detail=True, **self._bounds), [])
        return sorted(each["name"].rstrip("/").rpartition("/")[2] for each in found if each.get("type") == "directory")

    def list(self, prefix: str) -> dict[str, int]:
        """As `Remote.list`."""
        place, start = self._place(prefix), len(self._root) + 1
        if self._s3:
            sizes: dict[str, int] = _asked(lambda: s3.sizes(self._files, place, self._bounds), {})
            return {path[start:]: size for path, size in sizes.items()}
        found: dict[str, dict[str, Any]] = _asked(lambda: self._files.find(place, detail=True, **self._bounds), {})
        if len(found) > REMOTE_NAMES:
            raise TooMuch(f"there are more than {REMOTE_NAMES} names below {prefix}")
        return {path[start:]: int(entry.get("size") or 0) for path, entry in found.items() if entry.get("type") == "file"}

    def get(self, name: str, limit: int) -> bytes | None:
        """As `Remote.get`. No more is asked for than is wanted, whatever lies there."""
        try:
            content: bytes = self._files.cat_file(self._place(name), start=0, end=limit + 1, **self._bounds)
        except Exception as error:
            if _is_missing(error):
                return None
            if _status(error) == _EMPTY:
                return b""
            raise _told(error) from error
        if len(content) > limit:
            raise TooMuch(f"{name} is larger than {limit} bytes")
        return content

    def create(self, name: str, content: bytes) -> bool:
        """As `Remote.create`."""
        try:
            if self._creates:
                self._files.pipe_file(self._place(name), content, mode="create", **self._bounds)
                return True
            return self._renamed(self._place(name), content)
        except Exception as error:
            if _status(error) == _TAKEN or isinstance(error, FileExistsError):
                return False
            raise _told(error) from error

    def _renamed(self, place: str, content: bytes) -> bool:
        """Where nothing writes conditionally: whole or not at all, and replacing nothing that stood there a moment ago."""
        folder, _, name = place.rpartition("/")
        temporary = f"{folder}/.{name}.{secrets.token_hex(8)}.tmp"
        if self._files.exists(place):
            return False
        self._files.makedirs(folder, exist_ok=True)
        try:
            self._files.pipe_file(temporary, content)
            if self._files.exists(place):
                return False
            self._files.mv(temporary, place)
            return True
        finally:
            if self._files.exists(temporary):
                self._files.rm_file(temporary)

    def _place(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root


def _require() -> None:
    if find_spec("fsspec") is None:
        raise UndecidedError("stores behind URLs need a library that is not here", hint="pip install 'selftune-build[remote]'")


def _options(protocol: str, seconds: int) -> dict[str, Any]:
    """No repetitions of their own and no endless waiting, as far as the library takes such a wish."""
    if protocol not in _S3:
        return {}
    silence = min(REMOTE_TIMEOUT_S, seconds)
    config = {
        "connect_timeout": silence,
        "read_timeout": silence,
        "retries": {"total_max_attempts": 1},
    }
    return {"config_kwargs": config, "endpoint_url": os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")}


def _asked(ask: Callable[[], _Result], missing: _Result) -> _Result:
    try:
        return ask()
    except RemoteError:
        raise
    except Exception as error:
        if _is_missing(error):
            return missing
        raise _told(error) from error


def _is_missing(error: Exception) -> bool:
    return _status(error) == _MISSING or isinstance(error, FileNotFoundError)


def _told(error: Exception) -> RemoteError:
    """The error of a service as ours. Without a status it is the network, unless somebody was refused."""
    status = _status(error)
    silent = "it did not answer in time" if isinstance(error, TimeoutError) else type(error).__name__
    message = _QUERY.sub("", " ".join(str(error).split())) or silent
    if status is None:
        refused = isinstance(error, (PermissionError, ValueError, TypeError)) or type(error).__name__ == "NoCredentialsError"
        return RemoteError(message, transient=not refused)
    return RemoteError(f"{message} (HTTP {status})", transient=status in _TRANSIENT, retry_after_s=_retry_after(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _metadata(error: BaseException) -> tuple[int, Mapping[str, Any]] | None:
    """Status and headers, as botocore and aiohttp carry them."""
    for each in _chain(error):
        response = getattr(each, "response", None)
        told = response.get("ResponseMetadata", {}) if isinstance(response, dict) else {}
        if isinstance(told.get("HTTPStatusCode"), int):
            return told["HTTPStatusCode"], told.get("HTTPHeaders") or {}
        status = getattr(each, "status", None)
        if isinstance(status, int):
            return status, getattr(each, "headers", None) or {}
    return None


def _status(error: BaseException) -> int | None:
    found = _metadata(error)
    return None if found is None else found[0]


def _retry_after(error: BaseException) -> float | None:
    """RFC 9110, section 10.2.3: seconds or a date."""
    found = _metadata(error)
    headers = {str(name).lower(): str(value) for name, value in (found[1] if found else {}).items()}
    return seconds(headers.get("retry-after", ""))


def seconds(text: str) -> float | None:
    """How long the value of a Retry-After asks to wait; None for what is none."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
