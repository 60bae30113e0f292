"""What a case or check says, as plain JSON: two that say the same are the same, wherever they were read."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from selftune_build.model.case import Case, Check


def check_data(check: Check) -> dict[str, Any]:
    """The check as plain JSON without floats: kind, parameters, names of the package files it executes, weight and arms.

    No origin and no id; what is at its default is left out.
    """
    data: dict[str, Any] = {"kind": check.kind, "params": check.params}
    if check.files:
        data["files"] = list(check.files)
    if check.weight != 1:
        data["weight"] = check.weight
    if check.arms is not None:
        data["arms"] = [arm.value for arm in check.arms]
    return data


def has_float(value: Any) -> bool:
    """Whether plain data holds a float anywhere: it then has no canonical encoding."""
    if isinstance(value, dict):
        return any(map(has_float, value.values()))
    return any(map(has_float, value)) if isinstance(value, (list, tuple)) else isinstance(value, float)


def case_digest(case: Case) -> str:
    """64 hexadecimal digits that name everything the case says, its id and origin left out."""
    data = {
        "prompt": case.prompt,
        "run": case.run,
        "stdin": case.stdin,
        "files": [[file.dest, hashlib.sha256(file.content).hexdigest()] for file in case.files],
        "setup": case.setup,
        "should_trigger": case.should_trigger,
        "checks": [check_data(check) for check in case.checks],
        "limits": [case.limits.timeout_s, case.limits.max_turns] if case.limits else None,
        "observe": case.observe_package,
        "tags": case.tags,
    }
    return text_digest(json.dumps(data, sort_keys=True))


def text_digest(text: str) -> str:
    """64 hexadecimal digits of a text; lone surrogates, which UTF-8 has no form for, are hashed as they are."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
