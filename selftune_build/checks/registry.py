"""Every kind of check with its family: the one way from a check to a result."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from msgspec import Struct

from selftune_build.checks import (
    ceilings,
    command,
    exit_status,
    files,
    json_path,
    json_schema,
    score,
    sentence,
    skills,
    snapshot,
    text,
    tool_order,
    tools,
    unsupported,
)
from selftune_build.checks.context import CheckContext, failed, not_measured
from selftune_build.errors import PLUGIN_MISSING
from selftune_build.escape import one_line
from selftune_build.limits import CHECK_LABEL_CHARACTERS
from selftune_build.model.case import Arm, Case, Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult
from selftune_build.reading.evals.content import check_data

_AGENT_ARMS = frozenset({Arm.WITH_SKILL, Arm.WITHOUT_SKILL})
_WITH_SKILL = frozenset({Arm.WITH_SKILL})
_SCRIPT = frozenset({Arm.SCRIPT})
_EVERY_ARM = frozenset(Arm)


class Summary(StrEnum):
    """What all checks of a sample say together."""

    HELD = "held"
    FAILED = "failed"
    UNDECIDED = "undecided"


class Family(Struct, frozen=True):
    """How checks of one kind are judged, under which arms, and whether they are about the outcome of the task."""

    kind: str
    judge: Callable[[Check, Transcript, CheckContext], CheckResult]
    arms: frozenset[Arm] = _EVERY_ARM
    about_outcome: Callable[[Check], bool] = lambda check: True
    needs_judge: bool = False
    measurable: bool = True
    summary: str = ""


def _never(check: Check) -> bool:
    return False


FAMILIES = {
    family.kind: family
    for family in (
        Family("contains", text.judge_contains),
        Family("not-contains", text.judge_not_contains),
        Family("regex", text.judge_regex),
        Family("not-regex", text.judge_not_regex),
        Family("stderr-contains", text.judge_stderr_contains, arms=_SCRIPT),
        Family("exit", exit_status.judge, arms=_SCRIPT),
        Family("file-exists", files.judge_exists),
        Family("file-absent", files.judge_absent),
        Family("file-contains", files.judge_contains),
        Family("file-not-contains", files.judge_not_contains),
        Family("file-regex", files.judge_regex),
        Family("file-equals", snapshot.judge),
        Family("json-path", json_path.judge),
        Family("json-schema", json_schema.judge),
        Family("command", command.judge),
        Family("score", score.judge),
        Family("skill-invoked", skills.judge_invoked, arms=_WITH_SKILL, about_outcome=_never),
        Family("skill-not-invoked", skills.judge_not_invoked, arms=_WITH_SKILL, about_outcome=_never),
        Family("tool-called", tools.judge_called, arms=_AGENT_ARMS, about_outcome=tools.is_about_outcome),
        Family("tool-not-called", tools.judge_not_called, arms=_AGENT_ARMS, about_outcome=tools.is_about_outcome),
        Family("tool-count", tool_order.judge_count, arms=_AGENT_ARMS, about_outcome=tools.is_about_outcome),
        Family("tool-order", tool_order.judge_order, arms=_AGENT_ARMS, about_outcome=tool_order.is_about_outcome),
        Family("tool-sequence", tool_order.judge_sequence, arms=_AGENT_ARMS, about_outcome=tool_order.is_about_outcome),
        Family("max-turns", ceilings.judge_turns, arms=_AGENT_ARMS),
        Family("max-tokens", ceilings.judge_tokens, arms=_AGENT_ARMS),
        Family("max-seconds", ceilings.judge_seconds),
        Family("max-cost", ceilings.judge_cost, arms=_AGENT_ARMS),
        Family("sentence", sentence.judge, needs_judge=True),
        Family("unsupported", unsupported.judge, measurable=False),
    )
}


def judge(check: Check, transcript: Transcript, context: CheckContext) -> CheckResult:
    """Whether the check holds on what the sample left behind. Never raises; what cannot be measured is `held=None`.

    A sample that used up its time limit fails every check. A sentence is not measured here: it needs a judge.
    """
    family = FAMILIES.get(check.kind) or context.supplied.get(check.kind)
    if family is None and check.is_supplied:
        return not_measured(f"{PLUGIN_MISSING}: no installed plugin supplies the check {check.kind}")
    if family is None:
        return not_measured(f"there is no kind of check named {check.kind}")
    if transcript.limit and check.kind != "unsupported":
        return failed("the sample used up its time limit")
    return family.judge(check, transcript, context)


def is_outcome(check: Check) -> bool:
    """Whether the check can measure the outcome of the task, so that its case counts for the lift.

    A check of a plugin always does: which rows there are must not depend on what is installed.
    """
    family = FAMILIES.get(check.kind)
    if family is None:
        return check.is_supplied
    return family.measurable and check.kind not in ceilings.KINDS and family.about_outcome(check)


def applies(check: Check, arm: Arm) -> bool:
    """Whether the check says anything under this arm, and its author wants it there.

    Without the skill only the outcome is checked, for scripts nothing about agents.
    """
    family = FAMILIES.get(check.kind)
    if family is None or not check.is_for(arm):
        return check.is_for(arm)
    return arm in family.arms and (arm is not Arm.WITHOUT_SKILL or family.about_outcome(check))


def needs_judge(kind: str) -> bool:
    """Whether checks of this kind are decided by a model."""
    family = FAMILIES.get(kind)
    return family is not None and family.needs_judge


def may_change(check: Check) -> bool:
    """Whether a check that was not measured may be measured another time, with nothing but the surroundings changed."""
    return check.is_supplied or check.kind in ("command", "score")


def check_id(check: Check) -> str:
    """A short label on one line: the id where the author gave one, the kind and what it looks for. For people; not unique."""
    own = f"{check.id}: " if check.id else ""
    return one_line(f"{own}{check.kind} {_subject(check)}".strip(), CHECK_LABEL_CHARACTERS)


def canonical(check: Check) -> dict[str, Any]:
    """The check as plain JSON without floats and without its origin: what enters a row key."""
    return check_data(check)


def unusable(case: Case) -> bool:
    """Whether nothing about the case with the skill can ever be measured, so that running it is money for nothing."""
    wanted = [check for check in case.checks if check.is_for(Arm.WITH_SKILL)]
    return case.should_trigger is None and all(check.kind == "unsupported" for check in wanted)


def summary(results: Iterable[CheckResult]) -> Summary:
    """`failed` where a measured check fails, else `undecided` where one is not measured or there is none, else `held`."""
    answers = [result.held for result in results]
    if False in answers:
        return Summary.FAILED
    return Summary.HELD if answers and None not in answers else Summary.UNDECIDED


def _subject(check: Check) -> str:
    params = check.params
    if "run" in params and not check.is_supplied:
        return " ".join(params["run"])
    if check.kind in ("skill-invoked", "skill-not-invoked"):
        return str(params.get("skill", "(this skill)"))
    names = [str(params[key]) for key in ("path", "file", "name", "status", "value", "usd") if key in params]
    names += [", ".join(map(str, params["names"]))] if "names" in params and not check.is_supplied else []
    quoted = [f'"{params[key]}"' for key in ("text", "pattern", "input-contains") if key in params]
    return " ".join(names + quoted)
