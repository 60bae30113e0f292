"""`key.json`: what a static key was made of. Explains the key and holds its guard; that it is true can be computed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from selftune_build.fingerprint.digest import digest_json

KEY_NAME = "key.json"
FREE_PLUGINS = ("embedded",)
"""Agents that come with the tool and cost nothing."""


def render_asked(inputs: Mapping[str, Any]) -> bytes:
    """The bytes of the file."""
    return json.dumps(inputs, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def read_asked(content: bytes) -> dict[str, Any] | None:
    """The inputs in the bytes of the file, None where they are none."""
    try:
        inputs = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return inputs if isinstance(inputs, dict) else None


def is_asked(inputs: Mapping[str, Any], static_key: str) -> bool:
    """Whether a static key is that of these inputs."""
    try:
        return digest_json(inputs) == static_key
    except (TypeError, ValueError, RecursionError):
        return False


def is_free(inputs: Mapping[str, Any]) -> bool:
    """Whether it is known that no sample of these inputs costs anything: a script of the package, or the embedded agent."""
    identity = [name for name in inputs if name.startswith("agent ")]
    return (not identity and "run" in inputs) or inputs.get("agent plugin") in FREE_PLUGINS
