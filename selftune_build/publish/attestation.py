"""The file beside an archive that says who states what: one DSSE envelope, or one Sigstore bundle around one, on a line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from selftune_build.errors import InputError
from selftune_build.limits import ENVELOPE_BYTES
from selftune_build.publish.statement import PAYLOAD_TYPE
from selftune_build.signing import envelope
from selftune_build.signing.identity import SCHEME
from selftune_build.signing.sigstore_bundle import is_bundle, stated

if TYPE_CHECKING:
    from selftune_build.signing.signatory import Signatory
    from selftune_build.signing.signer import Signer

SOMEBODY = "an identity of Sigstore"
"""Who signed a bundle, as long as nobody has looked at its certificate."""


class Attestation(Struct, frozen=True):
    """A statement and signatures by the name of who made them; a bundle's under `SOMEBODY`. Nothing is believed yet."""

    payload: bytes
    type: str
    signatures: Mapping[str, bytes]


def attested(statement: bytes, by: Signer | None) -> bytes:
    """The file about a statement. Raises UndecidedError where whoever signs cannot."""
    if by is None:
        return envelope.render(envelope.Envelope(statement, PAYLOAD_TYPE, {}))
    from selftune_build.signing.signatory import Signed

    name, signature = by.signatory.name, by.sign(Signed(statement, PAYLOAD_TYPE, statement))
    if name.startswith(SCHEME):
        return signature
    return envelope.render(envelope.Envelope(statement, PAYLOAD_TYPE, {name: signature}))


def read_attestation(content: bytes) -> Attestation:
    """What such a file holds, if it is one and nothing else. Raises InputError."""
    if _is_bundle(content):
        payload, kind = stated(content)
        return Attestation(payload, kind, {SOMEBODY: content})
    found = envelope.read(content)
    return Attestation(found.payload, found.type, found.signatures)


def signers_of_the_same(before: bytes, now: bytes) -> tuple[str, ...]:
    """Whose signatures the attestation of before has, if it states what the one of now states; nobody looks at them."""
    try:
        old, new = read_attestation(before), read_attestation(now)
    except InputError:
        return ()
    return tuple(sorted(old.signatures)) if (old.payload, old.type) == (new.payload, new.type) else ()


def signature_flaw(found: Attestation, signatories: Sequence[Signatory]) -> str | None:
    """Why none of these signed exactly this; None where one did."""
    flaws = [_flaw(found, each) for each in signatories]
    return None if None in flaws else "; ".join(flaw for flaw in dict.fromkeys(flaws) if flaw)


def _flaw(found: Attestation, who: Signatory) -> str | None:
    from selftune_build.signing.signatory import Signed, short

    signature = found.signatures.get(SOMEBODY if who.name.startswith(SCHEME) else who.name)
    if signature is None:
        return f"the attestation is not signed by {short(who.name)}"
    flaw = who.flaw(Signed(found.payload, found.type, found.payload), signature)
    return None if flaw is None else f"the signature of {short(who.name)} does not hold: {flaw}"


def _is_bundle(content: bytes) -> bool:
    try:
        return len(content) <= ENVELOPE_BYTES and is_bundle(json.loads(content))
    except (ValueError, RecursionError):
        return False
