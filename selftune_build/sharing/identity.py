"""With which key this user signs, and whom they believe: files of their own configuration, unless others are named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from selftune_build.errors import UsageError
from selftune_build.sharing.home import SIGNING_KEY, TRUSTED, configured
from selftune_build.sharing.trust import Trusted, read_trusted
from selftune_build.signing.keys import signer

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner


def own_signer(key: Path | None = None) -> CryptoSigner:
    """What signs. Raises UsageError where there is no key, InputError and UndecidedError."""
    path = key or configured(SIGNING_KEY)
    if not path.exists():
        hint = f"`selftune publish --new-key {path}` makes one; `selftune store push` takes --key FILE or --unsigned"
        raise UsageError(f"there is no key to sign samples with: {path}", hint=hint)
    return signer(path)


def believed(trust: Path | None = None) -> list[Trusted]:
    """The keys that are believed. Raises UsageError, InputError and UndecidedError."""
    return read_trusted(trust or configured(TRUSTED))
