"""Keys in files: PEM, private ones as PKCS#8 (RFC 5958), public ones as SubjectPublicKeyInfo (RFC 5280)."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from selftune_build.errors import InputError, UndecidedError
from selftune_build.limits import KEY_FILE_BYTES
from selftune_build.model.location import Location
from selftune_build.signing.file import read_named

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, Key

_T = TypeVar("_T")

SCHEME = "key:"
_LINES = re.compile(r"-----[A-Z ]+-----|\s")


def new_key() -> tuple[bytes, bytes]:
    """A new Ed25519 key: the private and the public file. Raises UndecidedError where the library is missing."""
    _require()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    plain = serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain), _public(private)


def signer(path: Path) -> CryptoSigner:
    """What signs with the private key in a file. Raises InputError, UsageError and UndecidedError."""
    return _of_private(path, _crypto_signer)


def public_part(path: Path) -> bytes:
    """The public file of the private key in a file. Raises as `signer`."""
    return _of_private(path, _public)


def _of_private(path: Path, make: Callable[[Any], _T]) -> _T:
    _require()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = _content(path)
    try:
        return make(load_pem_private_key(content, None))
    except Exception as error:
        hint = "`selftune publish --new-key FILE` makes one; a key with a password cannot be used"
        raise InputError("this is no private key in PEM (PKCS#8)", at=Location(str(path)), hint=hint) from error


def _crypto_signer(private: Any) -> CryptoSigner:
    from securesystemslib.signer import CryptoSigner

    return CryptoSigner(private)


def _public(private: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def public_key(path: Path) -> Key:
    """The public key in a file. Raises InputError, UsageError and UndecidedError."""
    return public_key_in(_content(path), path)


def public_key_in(content: bytes, path: Path) -> Key:
    """The public key in some bytes of a file. Raises InputError and UndecidedError."""
    _require()
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    try:
        return SSlibKey.from_crypto(load_pem_public_key(content))
    except Exception as error:
        raise InputError("this is no public key in PEM", at=Location(str(path)), hint="name the .pub file") from error


def spelt(public: bytes) -> str:
    """A public file as one word, which manifests and `--require-signature` take: `key:` and what stands in its PEM."""
    return SCHEME + _LINES.sub("", public.decode())


def spelt_key(word: str) -> Key:
    """The public key in that spelling. Raises InputError and UndecidedError."""
    lines = textwrap.wrap(word.removeprefix(SCHEME), 64)
    block = "\n".join(("-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""))
    return public_key_in(block.encode(), Path(word))


def _content(path: Path) -> bytes:
    return read_named(path, KEY_FILE_BYTES, "the key", "name a key file")


def _require() -> None:
    """Raise UndecidedError where the libraries that sign are not installed."""
    from importlib.util import find_spec

    if find_spec("securesystemslib") is None or find_spec("cryptography") is None:
        raise UndecidedError("signatures need a library that is not here", hint="pip install 'selftune-build[sign]'")
