"""What `targeted` asks a model: better descriptions, given the prompts that went wrong and those that must stay right."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from selftune_build.escape import one_line
from selftune_build.fence import MATERIAL, cut, fenced, sections
from selftune_build.limits import (
    CANDIDATE_REASON_CHARACTERS,
    DRAFTED_CONTEXT_CHARACTERS,
    DRAFTED_DESCRIPTION_CHARACTERS,
    DRAFTED_SIBLINGS,
    DRAFTED_SKILL_CHARACTERS,
    MUTATED_CASES,
    SPEC_DESCRIPTION_MAX,
)
from selftune_build.model.package import SKILL_FILE
from selftune_build.mutators.protocol import CaseEvidence, PackageView, Question
from selftune_build.reading.skill import read_skill

PROPOSALS = 3

_TASK = f"""\
You improve the description of an agent skill. A host shows an agent the name and the description of every installed skill; by
these alone the agent decides whether to open a skill for what a user asks. Below is the skill, what its siblings say of
themselves, the prompts for which it was wrongly left alone or wrongly opened, and those for which it did right. Write
{PROPOSALS} descriptions that would mend what went wrong and keep what is right: true of what the skill does, general (never a
list of these prompts), in the language of the present description, on one line, at most {SPEC_DESCRIPTION_MAX} characters."""
_ANSWER = 'Answer with JSON alone: {"proposals": [{"description": …, "reason": one sentence on what it mends}, …]}'
_TEXT = {"type": "string"}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["proposals"],
    "properties": {
        "proposals": {
            "type": "array",
            "maxItems": 2 * PROPOSALS,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["description", "reason"],
                "properties": {"description": _TEXT, "reason": _TEXT},
            },
        }
    },
}


def ask(view: PackageView, evidence: tuple[CaseEvidence, ...], seed: int) -> tuple[Question, ...]:
    """The one question; none where no prompt went wrong."""
    wrong = [case for case in evidence if case.missed or case.intruded]
    if not wrong:
        return ()
    right = [case for case in evidence if case.triggered is not None and case not in wrong]
    skill = read_skill(view.files[SKILL_FILE], SKILL_FILE, view.name).skill
    parts = (
        ("the skill", cut(f"name: {skill.name}\ndescription: {skill.description}\n\n{skill.body}", DRAFTED_SKILL_CHARACTERS)),
        ("its siblings", _siblings(view)),
        ("prompts that went wrong", _data(wrong)),
        ("prompts that are right and have to stay so", _data(right)),
    )
    other = f"Seed: {seed}. Another seed asks for other words."
    return (Question(sections(_TASK, MATERIAL, fenced(*parts).text, other, _ANSWER), _SCHEMA),)


def written(answers: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Description and reason of each proposal in the answers that can be used: on one line, and not too long."""
    for answer in answers:
        for each in answer["proposals"]:
            description = " ".join(each["description"].split())
            if description.isprintable() and 0 < len(description) <= SPEC_DESCRIPTION_MAX:
                yield description, one_line(" ".join(each["reason"].split()) or "a model wrote it", CANDIDATE_REASON_CHARACTERS)


def _siblings(view: PackageView) -> str:
    shown = [f"{name}: {cut(text, DRAFTED_DESCRIPTION_CHARACTERS)}" for name, text in sorted(view.siblings.items())]
    return "\n".join(shown[:DRAFTED_SIBLINGS]) or "There are none."


def _data(cases: Sequence[CaseEvidence]) -> str:
    return json.dumps([_plain(case) for case in cases[:MUTATED_CASES]], indent=1, ensure_ascii=False)


def _plain(case: CaseEvidence) -> dict[str, Any]:
    shown = {"prompt": cut(case.prompt, DRAFTED_CONTEXT_CHARACTERS), "should_open": case.should_trigger}
    counts = {"samples": case.n, "opened_in": case.triggered}
    return {**shown, **counts, **({"opened_instead": list(case.stolen_by)} if case.stolen_by else {})}
