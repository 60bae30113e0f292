"""What all checks have in common: when they count, what they are called, how they add up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftune_build.checks.context import CheckContext
from selftune_build.checks.registry import (
    FAMILIES,
    Summary,
    applies,
    canonical,
    check_id,
    is_outcome,
    judge,
    needs_judge,
    summary,
    unusable,
)
from selftune_build.fingerprint.digest import digest_json
from selftune_build.limits import CHECK_LABEL_CHARACTERS
from selftune_build.model.case import Arm, Case, Check, Origin
from selftune_build.model.location import Location
from selftune_build.model.sample import Reply, Transcript
from selftune_build.model.verdict import CheckResult

Judge = Callable[..., CheckResult]

EXAMPLES: dict[str, dict[str, Any]] = {
    "contains": {"text": "t"},
    "not-contains": {"text": "t"},
    "regex": {"pattern": "t"},
    "not-regex": {"pattern": "t"},
    "stderr-contains": {"text": "t"},
    "exit": {"status": 0},
    "file-exists": {"path": "t"},
    "file-absent": {"path": "t"},
    "file-contains": {"path": "t", "text": "t"},
    "file-not-contains": {"path": "t", "text": "t"},
    "file-regex": {"path": "t", "pattern": "t"},
    "command": {"run": ["t"]},
    "skill-invoked": {"skill": "t"},
    "skill-not-invoked": {"skill": "t"},
    "tool-called": {"name": "t"},
    "tool-not-called": {"name": "t"},
    "file-equals": {"path": "t", "text": "t"},
    "json-path": {"path": "$.t", "equals": 1},
    "json-schema": {"schema": {"type": "object"}},
    "score": {"run": ["t"], "min": "0.8"},
    "tool-count": {"name": "t", "min": 1},
    "tool-order": {"names": ["t", "u"]},
    "tool-sequence": {"names": ["t", "u"]},
    "max-turns": {"value": 1},
    "max-tokens": {"value": 1},
    "max-seconds": {"value": 1},
    "max-cost": {"usd": "0.1"},
    "sentence": {"text": "t"},
    "unsupported": {"name": "t", "reason": "r", "content": "c"},
}


def of(kind: str) -> Check:
    return Check(kind, EXAMPLES[kind])


def test_there_is_an_example_of_every_kind() -> None:
    assert set(EXAMPLES) == set(FAMILIES)


CEILINGS = {"max-turns", "max-tokens", "max-seconds", "max-cost"}
USE = {"skill-invoked", "skill-not-invoked"}
TOOLS = {"tool-called", "tool-not-called", "tool-count", "tool-order", "tool-sequence"}


def test_checks_on_the_skills_own_use_and_on_what_a_run_uses_up_are_not_about_the_outcome() -> None:
    assert {kind for kind in EXAMPLES if not is_outcome(of(kind))} == USE | CEILINGS | {"unsupported"}


@pytest.mark.parametrize("tool", ["Skill", "skill", "activate_skill"])
def test_calling_the_tool_that_activates_skills_is_the_skills_own_use(tool: str) -> None:
    assert not is_outcome(Check("tool-called", {"name": tool}))
    assert not applies(Check("tool-called", {"name": tool}), Arm.WITHOUT_SKILL)
    assert applies(Check("tool-called", {"name": tool}), Arm.WITH_SKILL)
    assert not is_outcome(Check("tool-order", {"names": ["Read", tool]}))


def test_which_checks_apply_under_which_arm() -> None:
    def missing(arm: Arm) -> set[str]:
        return {kind for kind in EXAMPLES if not applies(of(kind), arm)}

    assert missing(Arm.WITH_SKILL) == {"exit", "stderr-contains"}
    assert missing(Arm.WITHOUT_SKILL) == {"exit", "stderr-contains"} | USE
    assert missing(Arm.SCRIPT) == USE | TOOLS | CEILINGS - {"max-seconds"}


def test_only_sentences_need_a_judge() -> None:
    assert {kind for kind in EXAMPLES if needs_judge(kind)} == {"sentence"}
    assert not needs_judge("nothing")


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_every_kind_has_a_judge_a_label_and_a_digest(kind: str) -> None:
    check = of(kind)
    result = judge(check, Transcript(Reply("")), CheckContext("pdf", Arm.WITH_SKILL))
    assert result.evidence
    assert check_id(check).startswith(kind)
    assert digest_json(canonical(check)).startswith("sha256:")


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_a_sample_that_used_up_its_time_fails_every_check_that_can_be_measured(judged: Judge, kind: str) -> None:
    assert judged(kind, EXAMPLES[kind], limit=True).held is (None if kind == "unsupported" else False)


def test_a_kind_nobody_knows_is_not_measured(judged: Judge) -> None:
    assert judged("from-the-future", {}).held is None
    assert applies(Check("from-the-future"), Arm.WITH_SKILL)


@pytest.mark.parametrize(
    ("check", "label"),
    [
        (Check("contains", {"text": "Total"}), 'contains "Total"'),
        (Check("file-contains", {"path": "out.csv", "text": "x"}), 'file-contains out.csv "x"'),
        (Check("command", {"run": ["python3", "check.py"]}), "command python3 check.py"),
        (Check("skill-invoked", {}), "skill-invoked (this skill)"),
        (Check("skill-not-invoked", {"skill": "docx"}), "skill-not-invoked docx"),
        (Check("tool-called", {"name": "Read", "input-contains": "a"}), 'tool-called Read "a"'),
        (Check("exit", {"status": 0}), "exit 0"),
        (Check("exit", {"status": 0}, id="ends"), "ends: exit 0"),
        (Check("score", {"run": ["python3", "g.py"], "min": "1"}), "score python3 g.py"),
        (Check("json-path", {"path": "$.a", "file": "o.json", "pattern": "x"}), 'json-path $.a o.json "x"'),
        (Check("tool-sequence", {"names": ["Read", "Bash"]}), "tool-sequence Read, Bash"),
        (Check("max-cost", {"usd": "0.1"}), "max-cost 0.1"),
        (Check("unsupported", {"name": "`x`", "reason": "r", "content": "c"}), "unsupported `x`"),
    ],
)
def test_labels_say_what_is_checked(check: Check, label: str) -> None:
    assert check_id(check) == label


@given(st.text())
def test_labels_are_one_short_line(text: str) -> None:
    label = check_id(Check("contains", {"text": text}))
    assert label.isprintable()
    assert len(label) <= CHECK_LABEL_CHARACTERS


def test_what_enters_a_key_leaves_out_where_the_check_stands() -> None:
    here = Check("contains", {"text": "t"}, origin=Origin("x", Location("a", 1)))
    there = Check("contains", {"text": "t"}, origin=Origin("y", Location("b", 9)))
    assert canonical(here) == canonical(there) == {"kind": "contains", "params": {"text": "t"}}
    assert canonical(Check("command", {"run": ["x"]}, files=("x",)))["files"] == ["x"]


def test_weight_and_arms_enter_a_key_and_an_id_does_not() -> None:
    plain = {"kind": "contains", "params": {"text": "t"}}
    assert canonical(Check("contains", {"text": "t"}, id="total")) == plain
    weighed = Check("contains", {"text": "t"}, weight=3, arms=(Arm.WITH_SKILL,))
    assert canonical(weighed) == {**plain, "weight": 3, "arms": ["with_skill"]}


def test_a_check_applies_under_the_arms_that_its_author_wants_where_its_kind_says_something() -> None:
    def arms(kind: str, *wanted: Arm) -> set[Arm]:
        return {arm for arm in Arm if applies(Check(kind, EXAMPLES.get(kind, {}), arms=wanted), arm)}

    assert arms("contains", Arm.WITHOUT_SKILL) == {Arm.WITHOUT_SKILL}
    assert arms("skill-invoked", Arm.WITHOUT_SKILL) == set()
    assert arms("from-the-future/1", Arm.WITH_SKILL) == {Arm.WITH_SKILL}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], Summary.UNDECIDED),
        ([True], Summary.HELD),
        ([True, None], Summary.UNDECIDED),
        ([None, False, True], Summary.FAILED),
        ([True, True], Summary.HELD),
    ],
)
def test_how_results_add_up(answers: list[bool | None], expected: Summary) -> None:
    assert summary(CheckResult(answer, "e") for answer in answers) is expected


def test_a_case_nothing_about_which_can_be_measured() -> None:
    assert unusable(Case("a", checks=(of("unsupported"),)))
    assert not unusable(Case("a", checks=(of("unsupported"),), should_trigger=True))
    assert not unusable(Case("a", checks=(of("unsupported"), of("contains"))))
    assert unusable(Case("a", checks=(Check("contains", {"text": "t"}, arms=(Arm.WITHOUT_SKILL,)),)))
