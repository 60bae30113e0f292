"""What signs: a private key in a file, or an identity that Sigstore certifies for the moment (ADR 0057)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from selftune_build.errors import SelftuneError, UndecidedError, UsageError
from selftune_build.limits import SIGSTORE_SECONDS
from selftune_build.signing.deadline import within
from selftune_build.signing.envelope import signed as sealed
from selftune_build.signing.identity import identity_of
from selftune_build.signing.keys import signer as key_signer
from selftune_build.signing.signatory import Identified, KeyHolder, Signatory, Signed
from selftune_build.signing.sigstore_bundle import render_bundle
from selftune_build.signing.trust_root import require_sigstore, trust_configuration

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner
    from sigstore.models import ClientTrustConfig
    from sigstore.sign import Signer as Library

AMBIENT, VARIABLE = "ambient", "env:"
_T = TypeVar("_T")


class Signer(Protocol):
    """Somebody who signs."""

    @property
    def signatory(self) -> Signatory:
        """As whom."""

    def sign(self, signed: Signed) -> bytes:
        """A signature that `signatory` finds no flaw in."""


class KeySigner:
    """Signs with a private key."""

    def __init__(self, by: CryptoSigner) -> None:
        self._by = by
        self.signatory: Signatory = KeyHolder(by.public_key)

    def sign(self, signed: Signed) -> bytes:
        """The signature of the key."""
        return sealed(signed.payload, signed.type, self._by).signatures[self.signatory.name]


class IdentitySigner:
    """Signs with a key that lives as long as this object, certified for the bearer of a token. Connects when it is first used.

    What it does raises UndecidedError where a service does not answer, or what it answers is not believed by the root of trust.
    """

    def __init__(self, token: str, trust: Path | None) -> None:
        self._token, self._trust = token, trust

    @cached_property
    def signatory(self) -> Signatory:
        """Whom the certificate names: the issuer's word, not ours."""
        identity = _asked("a certificate", lambda: identity_of(self._library._signing_cert()))
        return Identified(identity, self._configuration.trusted_root)

    def sign(self, signed: Signed) -> bytes:
        """A bundle, which has been verified."""
        from sigstore.dsse import Statement

        who = self.signatory
        bundle = _asked("an entry in the log", lambda: self._library.sign_dsse(Statement(signed.statement)))
        made = render_bundle(json.loads(bundle.to_json()))
        flaw = who.flaw(signed, made)
        if flaw is not None:
            raise UndecidedError(f"what the services of Sigstore answered does not hold: {flaw}", hint="nothing was signed")
        return made

    @cached_property
    def _configuration(self) -> ClientTrustConfig:
        return _asked("its root of trust", lambda: trust_configuration(self._trust))

    @cached_property
    def _library(self) -> Library:
        from sigstore.oidc import IdentityToken
        from sigstore.sign import Signer, SigningContext

        configuration = self._configuration
        return _asked(
            "a certificate", lambda: Signer(IdentityToken(self._token), SigningContext.from_trust_config(configuration))
        )


def signer_of(key: Path | None, identity: str | None, trust: Path | None) -> Signer | None:
    """What signs with a key in a file or as an identity; None where neither is named.

    Raises UsageError, InputError and UndecidedError.
    """
    if key is not None and identity is not None:
        raise UsageError("--key and --identity exclude each other", hint="sign twice for two signatures")
    if key is not None:
        return KeySigner(key_signer(key))
    return IdentitySigner(token(identity), trust) if identity is not None else None


def token(word: str, environment: Mapping[str, str] = os.environ) -> str:
    """The token of `ambient` (that of the job, where a CI service gives one) or of `env:NAME`. Opens no browser.

    Raises UsageError and UndecidedError.
    """
    require_sigstore()
    if word.startswith(VARIABLE):
        found = environment.get(word.removeprefix(VARIABLE))
        if not found:
            hint = "sigstore get-identity-token prints one; put it into that variable"
            raise UndecidedError(f"there is no token in the environment variable {word.removeprefix(VARIABLE)!r}", hint=hint)
        return found
    if word != AMBIENT:
        raise UsageError(f"{word!r} is no identity to sign with", hint="write ambient, or env:NAME for a variable with a token")
    from sigstore.oidc import detect_credential

    ambient = _asked("a token", detect_credential)
    if ambient is None:
        hint = "in GitHub Actions the job needs `permissions: {id-token: write}`; elsewhere name a token by env:NAME"
        raise UndecidedError("nothing here says who you are", hint=hint)
    return ambient


def _asked(what: str, call: Callable[[], _T]) -> _T:
    """What a service of Sigstore is asked for. Its library raises whatever the network, the service or a reader raises."""
    try:
        return within(SIGSTORE_SECONDS, call)
    except SelftuneError:
        raise
    except Exception as error:
        message = f"no signature: Sigstore was asked for {what}: {error or type(error).__name__}"
        raise UndecidedError(message, hint="look at the network and at the token, and run again") from error
