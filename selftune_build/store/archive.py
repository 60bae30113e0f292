"""What the store holds of a sample, and its form on disk.

A file is one zstandard frame with checksum and content size; inside, one byte of format version, then the MessagePack map of
the struct. Unknown fields of a newer writer are ignored; a newer version is refused, never moved aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from selftune_build.limits import PRICE_MAX_USD, STORE_ARCHIVE_MAX_BYTES
from selftune_build.model.sample import FileChange

FORMAT_VERSION = 1
_LEVEL = 3

_Record = TypeVar("_Record", bound=Struct)


class Intent(Struct, frozen=True, tag_field="format", tag="selftune.call/1", omit_defaults=True):
    """What is about to be asked: written before the call, so that a crash cannot hide that money was spent."""

    call_id: str
    static_key: str
    index: int
    agent: str
    request: dict[str, Any]
    staged: str
    """Digest of the tree record (`store.records`) that the sample is staged from."""
    initial: dict[str, str]
    """Digest of every file put into the workspace before the start, by workspace-relative path."""
    workspace: str
    home: str
    timeout_s: int
    started: str
    """ISO 8601 in UTC; tells the attempts of one call apart."""
    machine: str = ""
    """Where a worker sent it (`guard.machine`): elsewhere nobody can tell by its guard whether it is still being answered. Empty
    for a call of the build itself."""


class Archive(Struct, frozen=True):
    """A finished sample: everything needed to judge it again, nothing derived."""

    call_id: str
    static_key: str
    index: int
    request: dict[str, Any]
    staged: str
    touched: list[str] | None
    """Facets whose files were seen to be read or changed; None: it could not be told."""
    raw: bytes
    files: list[FileChange]
    exit_status: int | None
    stderr: bytes
    cost: dict[str, Any] | None
    seconds_ms: int
    recorded: str
    workspace: str = ""
    """Where it ran: paths in `raw` are seen from here."""
    home: str = ""
    limit: bool = False
    """The time limit was reached twice, and other samples of the case were answered: a failed sample, with no answer."""


class Attempt(Struct, frozen=True):
    """A call that brought no usable answer; it counts as spent. `kind` is an ErrorKind or `unknown`."""

    call_id: str
    static_key: str
    index: int
    number: int
    kind: str
    message: str
    raw: bytes
    usage: dict[str, Any] | None
    started: str = ""


def price_in(cost: Mapping[str, Any] | None) -> Decimal | None:
    """The price in US dollars that an archive tells; None where it tells none, or no amount of money."""
    if cost is None or cost.get("unpriced") or "cost_usd" not in cost:
        return None
    try:
        price = Decimal(str(cost["cost_usd"]))
    except InvalidOperation:
        return None
    return price if price.is_finite() and 0 <= price <= PRICE_MAX_USD else None


class DamagedRecord(Exception):
    """The bytes are not a whole record of this kind."""


class NewerRecord(Exception):
    """The record was written by a newer version of the tool."""


def encode(record: Archive | Attempt) -> bytes:
    """The bytes of an archive file."""
    import zstandard

    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    return compressor.compress(bytes((FORMAT_VERSION,)) + msgspec.msgpack.encode(record))


def decode(content: bytes, kind: type[_Record]) -> _Record:
    """The record in the bytes of an archive file. Raises DamagedRecord or NewerRecord."""
    import zstandard

    from selftune_build.model.learned import learned  # only who reads samples needs it

    try:
        if not 0 < zstandard.frame_content_size(content) <= STORE_ARCHIVE_MAX_BYTES:
            raise DamagedRecord("has no plausible size")
        plain = zstandard.ZstdDecompressor().decompress(content, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise DamagedRecord("does not decompress") from error
    if plain[0] > FORMAT_VERSION:
        raise NewerRecord(f"has format {plain[0]}, this version reads up to {FORMAT_VERSION}")
    try:
        return msgspec.msgpack.decode(memoryview(plain)[1:], type=learned(kind))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedRecord("holds something else") from error
