"""One shared sample as one object: the line of its envelope, then the bytes of its archive (docs/formats/store.md).

Statement and archive travel together, so that no upload can bring one without the other. The name carries a part of the
archive's digest: two answers to one call stand side by side, and nobody can occupy the name of an answer that he has not seen.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from selftune_build.errors import InputError
from selftune_build.fingerprint.digest import canonical_json, digest_bytes
from selftune_build.limits import SHARED_ENVELOPE_BYTES
from selftune_build.signing import envelope as dsse
from selftune_build.store.archive import Archive, DamagedRecord, NewerRecord, decode
from selftune_build.store.call_checks import follows
from selftune_build.store.samples import place_of

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

PAYLOAD_TYPE = "application/vnd.selftune.sample+json"
SUFFIX = ".sample"

_NAME = re.compile(r"samples/(?P<key>[0-9a-f]{2}/[0-9a-f]{64})/(?P<call>[0-9a-f]{64})\.[0-9a-f]{16}(\.[0-9])?\.sample")
_AGAIN = 10


class Statement(Struct, frozen=True, tag_field="format", tag="selftune.sample/1"):
    """What a signer says of a sample: where it may stand, which bytes it has, and where it came from."""

    tier: str
    static_key: str
    call_id: str
    archive: str
    size: int
    origin: dict[str, str] = field(default_factory=dict)
    """Repository, ref, commit and workflow in which it was paid for, as far as that is known."""
    via: list[str] = field(default_factory=list)
    """Ids of the keys that vouched for it before."""


class Refused(Exception):
    """A parcel that is not taken: `code` is one of torn, forged, unsigned, untrusted, newer, missing, too-large."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Parcel(Struct, frozen=True):
    """A parcel whose parts fit together; who signed it is still to be judged."""

    statement: Statement
    envelope: dsse.Envelope
    line: bytes
    """The envelope as it travelled."""
    archive: bytes
    sample: Archive


def object_name(tier: str, statement: Statement, attempt: int = 0) -> str:
    """Where a parcel stands; a later `attempt` where the name is taken by what an upload left torn."""
    key, call, content = (digest.rpartition(":")[2] for digest in (statement.static_key, statement.call_id, statement.archive))
    again = f".{attempt}" if attempt else ""
    return f"{tier}/samples/{key[:2]}/{key}/{call}.{content[:16]}{again}{SUFFIX}"


def free_names(tier: str, statement: Statement, there: dict[str, int]) -> list[str]:
    """The names to try, in order, given what is there by size; none where the sample is there already."""
    names = [object_name(tier, statement, attempt) for attempt in range(_AGAIN)]
    if any(there.get(name, 0) > statement.size for name in names):
        return []
    return [name for name in names if name not in there]


def call_of(name: str) -> str | None:
    """The local place of the sample behind a name of a tier, without the end of the file name; None for other names."""
    found = _NAME.fullmatch(name)
    return None if found is None else f"samples/{found['key']}/{found['call']}"


def pack(statement: Statement, archive: bytes, by: CryptoSigner | None) -> bytes:
    """The bytes of a parcel; without a signer its envelope is unsigned."""
    payload = canonical_json(msgspec.to_builtins(statement))
    return dsse.render(dsse.signed(payload, PAYLOAD_TYPE, by)) + archive


def unpack(tier: str, name: str, content: bytes) -> Parcel:
    """The parcel under a name of a tier. Raises Refused where its parts do not fit together or into this place."""
    end = content.find(b"\n", 0, SHARED_ENVELOPE_BYTES) + 1
    if not end:
        raise Refused("torn", "it ends within its envelope, or has none")
    line, archive = content[:end], content[end:]
    envelope, statement = _stated(line)
    if len(archive) < statement.size:
        raise Refused("torn", f"{len(archive)} of {statement.size} bytes arrived")
    names = {object_name(tier, statement, attempt) for attempt in range(_AGAIN)}
    if digest_bytes(archive) != statement.archive or f"{tier}/{name}" not in names or statement.tier != tier:
        raise Refused("forged", "it is not what its envelope says, or not meant for this place")
    return Parcel(statement, envelope, line, archive, _sample(statement, archive))


def read_statement(line: bytes) -> Statement | None:
    """The statement in the file of an envelope, believed by nobody; None where it is none."""
    try:
        return _stated(line)[1]
    except Refused:
        return None


def _stated(line: bytes) -> tuple[dsse.Envelope, Statement]:
    try:
        envelope = dsse.read(line)
        if envelope.type != PAYLOAD_TYPE:
            raise Refused("forged", "its envelope speaks of something else")
        return envelope, msgspec.json.decode(envelope.payload, type=Statement)
    except InputError as error:
        raise Refused("torn", "its envelope cannot be read") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(_why(envelope.payload), "its statement is none that this version knows") from error


def _why(payload: bytes) -> str:
    """A statement of a later format is no forgery."""
    try:
        return "newer" if str(json.loads(payload)["format"]).startswith("selftune.sample/") else "forged"
    except (ValueError, LookupError, TypeError, RecursionError):
        return "forged"


def _sample(statement: Statement, archive: bytes) -> Archive:
    try:
        sample = decode(archive, Archive)
    except DamagedRecord as error:
        raise Refused("forged", f"its archive {error}") from error
    except NewerRecord as error:
        raise Refused("newer", f"its archive {error}") from error
    same = (sample.static_key, sample.call_id) == (statement.static_key, statement.call_id)
    if not same or not follows(sample) or not place_of(sample).endswith(".zst"):
        raise Refused("forged", "its sample is of another call than it says")
    return sample
