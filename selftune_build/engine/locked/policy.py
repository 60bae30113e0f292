"""The digest of what judges the evidence: gates, samples and policy of the effective manifest."""

from __future__ import annotations

from typing import Any

import msgspec

from selftune_build.fingerprint.digest import digest_json
from selftune_build.model.manifest import Manifest


def policy_digest(manifest: Manifest) -> str:
    """Equal for equal settings, however they are spelled; numbers as their shortest decimal text."""
    return digest_json(_without_floats(msgspec.to_builtins(manifest.policy_fields())))


def _without_floats(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict):
        return {name: _without_floats(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_floats(item) for item in value]
    return value
