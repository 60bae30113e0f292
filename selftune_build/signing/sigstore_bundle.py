"""Sigstore bundles: an in-toto statement in an envelope, the certificate of who signed it, and the proof that a log has it.

The format is `sigstore_bundle.proto` (version 0.3) of protobuf-specs as JSON; here on one line with its names sorted.
"""

from __future__ import annotations

import base64
import json
import warnings
from typing import TYPE_CHECKING, Any

from selftune_build.errors import InputError
from selftune_build.limits import ENVELOPE_BYTES
from selftune_build.signing.identity import Identity, identity_of

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.models import TrustedRoot

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_UNKNOWN = "it cannot be read as a Sigstore bundle with the proof of a log"


def is_bundle(document: object) -> bool:
    """Whether plain JSON claims to be one."""
    return isinstance(document, dict) and "mediaType" in document


def render_bundle(document: Any) -> bytes:
    """The one rendering of a bundle; newline at the end."""
    return (json.dumps(document, sort_keys=True, separators=(",", ":")) + "\n").encode()


def stated(content: bytes) -> tuple[bytes, str]:
    """What a bundle states and under which type; nothing of it is believed yet. Raises InputError."""
    try:
        if len(content) > ENVELOPE_BYTES:
            raise ValueError("too large")
        document = json.loads(content)
        envelope = document["dsseEnvelope"]
        found = base64.b64decode(envelope["payload"], validate=True), str(envelope["payloadType"])
        ours = render_bundle(document) == content and _is_canonical(document)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError("the attestation is no bundle of a signed statement") from error
    if not ours:
        raise InputError("the attestation was changed: it is not written as it is written by us")
    return found


def bundle_flaw(content: bytes, statement: bytes, identity: Identity, root: TrustedRoot) -> str | None:
    """Why a bundle does not show that an identity signed exactly this statement; None where it does. Never raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd certificates
        return _flaw(content, statement, identity, root)


def _flaw(content: bytes, statement: bytes, identity: Identity, root: TrustedRoot) -> str | None:
    from sigstore.errors import CertValidationError
    from sigstore.models import Bundle
    from sigstore.verify import Verifier

    try:
        stated(content)
        bundle = Bundle.from_json(content)
    except Exception as error:  # hostile bytes, and three libraries that read them
        return "; ".join((_UNKNOWN, *(line.strip() for line in str(error).splitlines()[:3])))
    try:
        kind, payload = Verifier(trusted_root=root).verify_dsse(bundle, _Named(identity))
    except CertValidationError as error:
        return f"its certificate is of no authority in the root of trust, or was not valid when it was used: {error}"
    except Exception as error:
        return str(error) or type(error).__name__
    if (kind, payload) != (PAYLOAD_TYPE, statement):
        return "it was signed for something else"
    proof = json.loads(content)["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]
    return None if _names_its_log(proof["checkpoint"]["envelope"]) else "the checkpoint of the log is signed by another name"


def _names_its_log(checkpoint: str) -> bool:
    """Whether the log signed under its own name, which nothing else covers. Origin and name are both the host of the log."""
    note, _, signatures = checkpoint.partition("\n\n")
    return f"\N{EM DASH} {note.split()[0]} " in signatures


def _is_canonical(value: Any) -> bool:
    """Whether everything that is padded base64 has its one spelling: others would decode to the same."""
    if isinstance(value, dict):
        return all(map(_is_canonical, value.values()))
    if isinstance(value, list):
        return all(map(_is_canonical, value))
    return not isinstance(value, str) or not value.endswith("=") or base64.b64encode(base64.b64decode(value)).decode() == value


class _Named:
    """The library's notion of a policy: whom the certificate has to name."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def verify(self, cert: Certificate) -> None:
        """Raise ValueError for a certificate of somebody else."""
        found = identity_of(cert)
        if found.issuer != self._identity.issuer:
            raise ValueError(f"its certificate was given on the word of another issuer, {found.issuer}")
        if found.subject != self._identity.subject:
            raise ValueError(f"its certificate was given to somebody else, {found.subject}")
