"""The options of commands that sign, and of those that ask for signatures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path)

IDENTITY = click.option(
    "--identity",
    metavar="ambient|env:NAME",
    help="Sign as whom a token names, by Sigstore: the token of the CI job, or the one in the environment variable NAME.",
)
TRUST_ROOT = click.option(
    "--trust-root",
    type=_FILE,
    metavar="FILE",
    help="Whom identities are believed by (JSON of Sigstore); to sign, a trust configuration. Default: the public instance.",
)


def require_signature(what: str) -> Callable[[_F], _F]:
    """The option `--require-signature`; `what` says of which things."""
    return click.option(
        "--require-signature",
        "signers",
        multiple=True,
        metavar="FILE|key:…|sigstore:ISSUER#SUBJECT",
        help=f"{what}; of several any will do.",
    )
