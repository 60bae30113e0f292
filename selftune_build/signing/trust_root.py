"""Whom bundles of Sigstore are believed by: authorities and logs, from a file or as the user last fetched them."""

from __future__ import annotations

import json
import logging
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from selftune_build.errors import InputError, UndecidedError
from selftune_build.limits import TRUST_FILE_BYTES
from selftune_build.model.location import Location
from selftune_build.signing.file import read_named

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig, TrustedRoot

_ROOT = "trusted_root.json"
_SILENT = logging.NullHandler()
_HINT = "name a trusted root or a client trust configuration of Sigstore, in JSON"


def trusted_root(path: Path | None) -> TrustedRoot:
    """The root of trust in a file (`trusted_root.json`, or a client trust configuration around one); without a file that of the
    public instance, as the library has it in its cache or brought it along. Raises InputError, UsageError and UndecidedError."""
    require_sigstore()
    from sigstore.models import ClientTrustConfig, TrustedRoot
    from sigstore_models.trustroot import v1

    content = _content(path) if path is not None else _public()
    try:
        if "trustedRoot" in json.loads(content):
            return ClientTrustConfig.from_json(content.decode()).trusted_root
        return TrustedRoot(v1.TrustedRoot.from_json(content))
    except Exception as error:
        raise InputError("this is no root of trust", at=Location(str(path or _ROOT)), hint=_HINT) from error


def trust_configuration(path: Path | None) -> ClientTrustConfig:
    """A root of trust with the addresses of its services, for signing; without a file that of the public instance, fetched.

    Raises InputError, UsageError and UndecidedError, and whatever the library does that fetches.
    """
    require_sigstore()
    from sigstore.models import ClientTrustConfig

    if path is None:
        return ClientTrustConfig.production()
    content = _content(path)
    try:
        return ClientTrustConfig.from_json(content.decode())
    except Exception as error:
        hint = "signing needs a client trust configuration, which says where the services are"
        raise InputError("this is no trust configuration to sign with", at=Location(str(path)), hint=hint) from error


def require_sigstore() -> None:
    """Raise UndecidedError where the library is not installed. What it warns of is not printed: that is ours to do."""
    logging.getLogger("sigstore").addHandler(_SILENT)
    if find_spec("sigstore") is None:
        raise UndecidedError("identities need a library that is not here", hint="pip install 'selftune-build[sigstore]'")


def _content(path: Path) -> bytes:
    return read_named(path, TRUST_FILE_BYTES, "the root of trust", _HINT)


def _public() -> bytes:
    """Read past the library's own reader, which writes what it brought along into the cache."""
    from sigstore._internal.tuf import DEFAULT_TUF_URL, _get_dirs
    from sigstore._utils import read_embedded

    cached = _get_dirs(DEFAULT_TUF_URL)[1] / _ROOT
    return _content(cached) if cached.is_file() else read_embedded(_ROOT, DEFAULT_TUF_URL)
