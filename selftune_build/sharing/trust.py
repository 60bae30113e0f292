"""Whose signatures are believed, and for which tiers: a file of public keys that the user keeps."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from selftune_build.errors import InputError, UsageError, refuse_machine
from selftune_build.limits import TRUST_FILE_BYTES, TRUSTED_KEYS
from selftune_build.model.location import Location
from selftune_build.sharing.parcel import Parcel, Refused
from selftune_build.signing.envelope import is_signed_by
from selftune_build.signing.keys import public_key_in
from selftune_build.store.reading import read_regular

if TYPE_CHECKING:
    from securesystemslib.signer import Key

_BLOCK = re.compile(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----\n?", re.DOTALL)
_TIERS = re.compile(r"^tiers:(.*)$", re.MULTILINE)


class Trusted(Struct, frozen=True):
    """A key and the tiers that it may speak for: names or globs, such as `pr/*`."""

    key: Key
    tiers: tuple[str, ...]

    def speaks_for(self, tier: str) -> bool:
        """Whether a signature of this key counts in a tier."""
        return any(fnmatchcase(tier, pattern) for pattern in self.tiers)


def read_trusted(path: Path) -> list[Trusted]:
    """The keys in a file: PEM blocks, text between them is comment, a line `tiers: main pr/*` before a block narrows what its
    key may speak for. Raises UsageError and InputError."""
    try:
        content = read_regular(path, TRUST_FILE_BYTES)
    except OSError as error:
        refuse_machine(error, path)
        hint = "write the public keys of those you trust into it, or say --unsigned"
        raise UsageError(f"the file of trusted keys {path} cannot be read: {error.strerror}", hint=hint) from None
    text = content.decode("utf-8", "replace")
    found: list[Trusted] = []
    end = 0
    for block in _BLOCK.finditer(text):
        named = _TIERS.findall(text[end : block.start()])
        tiers = tuple(named[-1].split()) if named else ("*",)
        found.append(Trusted(public_key_in(block[0].encode(), path), tiers))
        end = block.end()
    if not found or len(found) > TRUSTED_KEYS or len(content) > TRUST_FILE_BYTES:
        raise InputError("it holds no public key in PEM, or too many", at=Location(str(path)), hint="copy a .pub file into it")
    return found


def judge(parcel: Parcel, trusted: list[Trusted] | None) -> None:
    """Whether a parcel may be believed; `trusted` None: whatever it is signed with. Raises Refused."""
    if trusted is None:
        return
    if not parcel.envelope.signatures:
        raise Refused("unsigned", "nobody signed it")
    known = [each for each in trusted if each.key.keyid in parcel.envelope.signatures]
    if not any(each.speaks_for(parcel.statement.tier) for each in known):
        raise Refused("untrusted", "nobody signed it who is trusted for this tier")
    if not any(is_signed_by(parcel.envelope, each.key) for each in known if each.speaks_for(parcel.statement.tier)):
        raise Refused("forged", "its signature is not that of the key it names")
