"""DSSE envelopes (Dead Simple Signing Envelope, version 1.0): a payload, its type, and signatures over both."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from selftune_build.errors import InputError
from selftune_build.limits import ENVELOPE_BYTES, ENVELOPE_SIGNATURES

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, Key


class Envelope(Struct, frozen=True):
    """A payload with its signatures, by the id of the key that made them; not one of them is believed yet."""

    payload: bytes
    type: str
    signatures: Mapping[str, bytes]


def signed(payload: bytes, type_: str, by: CryptoSigner | None) -> Envelope:
    """The envelope of a payload; without a signer it has no signature, and says nothing about who made it."""
    if by is None:
        return Envelope(payload, type_, {})
    signature = by.sign(_pae(payload, type_))
    return Envelope(payload, type_, {signature.keyid: bytes.fromhex(signature.signature)})


def is_signed_by(envelope: Envelope, key: Key) -> bool:
    """Whether the signature under the key's id is the key's, over exactly this payload and type."""
    from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
    from securesystemslib.signer import Signature

    signature = envelope.signatures.get(key.keyid)
    if signature is None:
        return False
    try:
        key.verify_signature(Signature(key.keyid, signature.hex()), _pae(envelope.payload, envelope.type))
    except (UnverifiedSignatureError, VerificationError):
        return False
    return True


def render(envelope: Envelope) -> bytes:
    """The envelope as JSON on one line, newline at the end."""
    signatures = [{"keyid": name, "sig": _base64(content)} for name, content in sorted(envelope.signatures.items())]
    document = {"payload": _base64(envelope.payload), "payloadType": envelope.type, "signatures": signatures}
    return (json.dumps(document, sort_keys=True) + "\n").encode()


def read(content: bytes) -> Envelope:
    """The envelope in some bytes, if they are one and nothing else. Raises InputError."""
    try:
        if len(content) > ENVELOPE_BYTES:
            raise ValueError("too large")
        envelope = _read(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as error:
        raise InputError("the attestation is no envelope of a signed statement") from error
    if render(envelope) != content:
        raise InputError("the attestation was changed: it is not written as it is written by us")
    return envelope


def _read(document: Any) -> Envelope:
    if set(document) != {"payload", "payloadType", "signatures"} or len(document["signatures"]) > ENVELOPE_SIGNATURES:
        raise ValueError("other fields")
    signatures = {str(each["keyid"]): base64.b64decode(each["sig"], validate=True) for each in document["signatures"]}
    return Envelope(base64.b64decode(document["payload"], validate=True), str(document["payloadType"]), signatures)


def _pae(payload: bytes, type_: str) -> bytes:
    """What is signed: the pre-authentication encoding of DSSE."""
    name = type_.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
