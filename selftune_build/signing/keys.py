"""Keys in files: PEM, private ones as PKCS#8 (RFC 5958), public ones as SubjectPublicKeyInfo (RFC 5280)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from selftune_build.errors import InputError, UndecidedError, UsageError, refuse_machine
from selftune_build.limits import KEY_FILE_BYTES
from selftune_build.model.location import Location

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, Key


def new_key() -> tuple[bytes, bytes]:
    """A new Ed25519 key: the private and the public file. Raises UndecidedError where the library is missing."""
    _require()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    public = private.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain), public


def signer(path: Path) -> CryptoSigner:
    """What signs with the private key in a file. Raises InputError, UsageError and UndecidedError."""
    _require()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    content = _content(path)
    try:
        return CryptoSigner(load_pem_private_key(content, None))
    except Exception as error:
        hint = "`selftune publish --new-key FILE` makes one; a key with a password cannot be used"
        raise InputError("this is no private key in PEM (PKCS#8)", at=Location(str(path)), hint=hint) from error


def public_key(path: Path) -> Key:
    """The public key in a file. Raises InputError, UsageError and UndecidedError."""
    _require()
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


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(KEY_FILE_BYTES + 1)
    except OSError as error:
        refuse_machine(error, path)
        raise UsageError(f"the key {path} cannot be read: {error.strerror}", hint="name a key file") from None
    if len(content) > KEY_FILE_BYTES:
        raise InputError(f"the file is larger than {KEY_FILE_BYTES:,} bytes", at=Location(str(path)), hint="name a key file")
    return content


def _require() -> None:
    """Raise UndecidedError where the libraries that sign are not installed."""
    from importlib.util import find_spec

    if find_spec("securesystemslib") is None or find_spec("cryptography") is None:
        raise UndecidedError("signatures need a library that is not here", hint="pip install 'selftune-build[sign]'")
