"""The user's own configuration: nothing that a checkout brings can choose what stands there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

SIGNING_KEY, TRUSTED, REMOTES = "signing.pem", "trusted.pem", "remotes.yaml"
REMOTE_VARIABLE = "SELFTUNE_REMOTE"


def configured(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """A file of the user's own configuration (XDG Base Directory)."""
    base = environment.get("XDG_CONFIG_HOME") or os.path.join(environment.get("HOME") or "~", ".config")
    return Path(base).expanduser() / "selftune" / name


def may_name_remote(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a remote may be named at all: all that it costs where none is. An empty variable says that there is none."""
    named = environment.get(REMOTE_VARIABLE)
    return configured(REMOTES, environment).exists() if named is None else bool(named)
