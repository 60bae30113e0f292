"""Why something is stale: the difference of two explanations, one typed reason per input that changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from selftune_build.fingerprint.digest import ABSENT
from selftune_build.fingerprint.keys import JUDGE_SETTINGS, Inputs
from selftune_build.model.report import Reason

ReadRecord = Callable[[str], Mapping[str, Any] | None]
"""A shared record by its digest, None where it is not in this store."""

_ABSENT = object()


def differences(before: Inputs, after: Inputs, record: ReadRecord) -> tuple[Reason, ...]:
    """A reason for each input that differs, by name; `skills` is taken apart into the skills that are shown."""
    reasons: list[Reason] = []
    was, rules = _judged(before), _judged(after)
    if bool(was) != bool(rules):
        reasons.append(Reason("judge-changed", "judge", "a judge rules now" if rules else "no judge rules any more"))
        before, after = ({name: value for name, value in each.items() if name not in was | rules} for each in (before, after))
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, _ABSENT), after.get(name, _ABSENT)
        if old == new:
            continue
        reasons += _shown(str(old), str(new), record) if name == "skills" else [_reason(name, old, new)]
    return tuple(reasons)


def _judged(inputs: Inputs) -> frozenset[str]:
    """What stands among the inputs only because a judge rules."""
    ruled = any(name.startswith("judge ") for name in inputs)
    return frozenset(name for name in inputs if ruled and (name.startswith("judge ") or name in JUDGE_SETTINGS))


def _reason(name: str, old: object, new: object) -> Reason:
    kind, _, rest = name.partition(" ")
    subject = rest or name
    if kind == "observed":
        verb = "is gone" if new == ABSENT else "is new" if old == ABSENT else "changed"
        return Reason("observed-changed", subject, f"{subject} {verb}, and a sample had observed it")
    if kind == "check":
        return Reason("check-changed", subject, f"check {subject} {_verb(old, new)}")
    if kind == "instructions":
        return Reason("judge-changed", kind, "what the judge is told changed")
    if kind == "baseline":
        return Reason("baseline-changed", kind, "the answers without the skill that it is compared with changed")
    if kind == "judge":
        return Reason("judge-changed", subject, f"{subject} of the judge {_verb(old, new)}")
    if kind in ("agent", "model"):
        return Reason("agent-changed", subject, f"{subject} of the agent {_verb(old, new)}")
    code = {"file": "file-changed", "timeout_s": "limits-changed", "max_turns": "limits-changed"}.get(kind, f"{kind}-changed")
    shown = f"file {subject}" if kind == "file" else subject.replace("_", " ")
    return Reason(code.replace("_", "-"), subject, f"{shown} {_verb(old, new)}")


def _verb(old: object, new: object) -> str:
    if old is _ABSENT:
        return "was added"
    return "was removed" if new is _ABSENT else "changed"


def _shown(old: str, new: str, record: ReadRecord) -> list[Reason]:
    then, now = record(old), record(new)
    if then is None or now is None:
        return [Reason("skills-changed", "skills", "the skills shown to the agent changed")]
    changed = [name for name in sorted(then.keys() | now.keys()) if then.get(name) != now.get(name)]
    return [_shown_reason(name, name in then, name in now) for name in changed]


def _shown_reason(name: str, was: bool, is_now: bool) -> Reason:
    if was and is_now:
        return Reason("metadata-changed", f"{name}:metadata", f"the description or other metadata of {name} changed")
    what = "is now shown beside it" if is_now else "is no longer shown beside it"
    return Reason("skill-added" if is_now else "skill-removed", f"{name}:metadata", f"{name} {what}")
