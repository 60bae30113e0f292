"""Who may vouch: the holder of a key, or an identity. Named by a file, or by one word that a manifest can hold as well."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from selftune_build.signing import identity as identities
from selftune_build.signing import keys
from selftune_build.signing.envelope import Envelope, is_signed_by
from selftune_build.signing.sigstore_bundle import bundle_flaw
from selftune_build.signing.trust_root import trusted_root

if TYPE_CHECKING:
    from securesystemslib.signer import Key
    from sigstore.models import TrustedRoot


class Signed(Struct, frozen=True):
    """What a signature is about. A key signs the payload under its type; an identity signs an in-toto statement about it."""

    payload: bytes
    type: str
    statement: bytes


class Signatory(Protocol):
    """Somebody whose signature is asked for."""

    @property
    def name(self) -> str:
        """Under which its signatures stand: the id of the key, or the spelling of the identity."""

    @property
    def command(self) -> tuple[str, str]:
        """The option with which whoever it is signs."""

    def flaw(self, signed: Signed, signature: bytes) -> str | None:
        """Why some bytes are no signature of theirs over exactly this; None where they are."""


class KeyHolder(Struct, frozen=True):
    """Whoever has the private part of a key."""

    key: Key

    @property
    def name(self) -> str:
        """The id of the key."""
        return str(self.key.keyid)

    @property
    def command(self) -> tuple[str, str]:
        """A private key."""
        return "--key", "FILE"

    def flaw(self, signed: Signed, signature: bytes) -> str | None:
        """Whether the key made the signature over payload and type."""
        envelope = Envelope(signed.payload, signed.type, {self.key.keyid: signature})
        return None if is_signed_by(envelope, self.key) else "it is not that of this key, or what it was made for has changed"


class Identified(Struct, frozen=True):
    """Whoever an issuer names."""

    identity: identities.Identity
    root: TrustedRoot

    @property
    def name(self) -> str:
        """Issuer and subject."""
        return str(self.identity)

    @property
    def command(self) -> tuple[str, str]:
        """The identity of a job."""
        return "--identity", "ambient"

    def flaw(self, signed: Signed, signature: bytes) -> str | None:
        """What a bundle of Sigstore fails to show."""
        return bundle_flaw(signature, signed.statement, self.identity, self.root)


def signatories(words: Iterable[str], trust: Path | None) -> tuple[Signatory, ...]:
    """Those that words name: `key:…`, `sigstore:ISSUER#SUBJECT`, else a file with a public key.

    `trust`: a file with the root of trust for identities; None is the public instance. Raises InputError, UsageError and
    UndecidedError.
    """
    return tuple(_signatory(word, trust) for word in words)


def _signatory(word: str, trust: Path | None) -> Signatory:
    if word.startswith(identities.SCHEME):
        return Identified(identities.read_identity(word), trusted_root(trust))
    return KeyHolder(keys.spelt_key(word) if word.startswith(keys.SCHEME) else keys.public_key(Path(word)))


def short(name: str) -> str:
    """A name as people read it: of the id of a key the beginning."""
    return name if name.startswith(identities.SCHEME) else name[:12]
