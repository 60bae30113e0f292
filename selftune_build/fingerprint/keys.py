"""The static key and the row key: one walk each, whose flat result is both what is digested and what explains it.

A key is the digest of a mapping from input name to value, and the same mapping is kept beside the evidence. So an
explanation (the difference of two mappings) cannot say anything but what the keys say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from selftune_build.fingerprint.digest import digest_bytes, digest_json
from selftune_build.model.case import Case, Profile
from selftune_build.model.manifest import Limits

KEY_FORMAT = "selftune.key/1"
_LIMITS = Limits()

Inputs = dict[str, Any]
"""Input name → plain JSON value; fields at their default are left out, so that a new field does not change old keys."""

NO_JUDGE: Inputs = {}
JUDGE_SETTINGS = frozenset({"instructions", "votes", "judge_family", "baseline"})
"""What stands in a key beside the identity of a judge, and only where there is one."""


class Question(Struct, frozen=True):
    """What one sample is asked: everything the static key covers, and nothing else."""

    case: Case
    limits: Limits
    agent: dict[str, Any] | None = None
    """Identity of the agent, the model asked for included; None for a script."""
    skills: str | None = None
    """Digest of the sorted map from staged skill to its `metadata`; None for a script."""
    package: str | None = None
    """Name of the package whose script runs; None for an agent."""
    profile: Profile = "package"


def static_inputs(question: Question) -> Inputs:
    """Everything a sample is asked with, by name; never the case's id, checks, weights or polarity."""
    case = question.case
    inputs: Inputs = {"format": KEY_FORMAT}
    _put(inputs, "prompt", case.prompt, "")
    if case.run:
        inputs["run"] = list(case.run)
    _put(inputs, "stdin", case.stdin, "")
    if case.setup:
        inputs["setup"] = [list(argv) for argv in case.setup]
    for file in case.files:
        inputs[f"file {file.dest}"] = digest_bytes(file.content)
    _put(inputs, "package", question.package, None)
    _put(inputs, "skills", question.skills, None)
    _put(inputs, "profile", question.profile, "package")
    for name, value in (question.agent or {}).items():
        inputs[f"agent {name}"] = value
    _put(inputs, "timeout_s", question.limits.timeout_s, _LIMITS.timeout_s)
    _put(inputs, "max_turns", question.limits.max_turns, _LIMITS.max_turns)
    return inputs


def static_key(inputs: Inputs) -> str:
    """Digest that names the samples of one question."""
    return digest_json(inputs)


def row_inputs(
    asked: str,
    observed: Mapping[str, str],
    judged_by: Iterable[Mapping[str, Any]],
    polarity: bool | None,
    judge: Mapping[str, Any] = NO_JUDGE,
) -> Inputs:
    """What a row depends on: its static key, what was observed (name → digest of today) and how it is judged.

    `judge` is what else decides where a model rules (`judge_inputs`): nothing of it stands in other keys.
    """
    inputs: Inputs = {"asked": asked}
    for name, digest in observed.items():
        inputs[f"observed {name}"] = digest
    for position, check in enumerate(judged_by):
        inputs[f"check {position + 1}"] = dict(check)
    _put(inputs, "should_trigger", polarity, None)
    inputs.update(judge)
    return inputs


def judge_inputs(
    identity: Mapping[str, Any], votes: int, instructions: Iterable[str], *, refuses_family: bool, baseline: str
) -> Inputs:
    """Who rules, how often, told what, and on what answers without the skill (digest of their evidence) beside those with it."""
    inputs: Inputs = {f"judge {name}": value for name, value in identity.items()}
    inputs["instructions"] = digest_json(sorted(set(instructions)))
    _put(inputs, "votes", votes, 1)
    _put(inputs, "judge_family", "refuse" if refuses_family else "report", "report")
    _put(inputs, "baseline", baseline, "")
    return inputs


def row_key(inputs: Inputs) -> str:
    """Digest that a row of the lock carries."""
    return digest_json(inputs)


def call_id(static: str, staged_tree: str, index: int) -> str:
    """Identity of one sample: equal for a retry, different for everything else."""
    return digest_json([static, staged_tree, index])


def _put(inputs: Inputs, name: str, value: Any, default: Any) -> None:
    if value != default:
        inputs[name] = value
