"""docs/checks.md says of every kind what the registry and the schema say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from selftune_build.checks.registry import FAMILIES, applies, is_outcome
from selftune_build.model.case import Arm, Check
from selftune_build.reading.evals import read_eval_files, read_unit_tests
from selftune_build.reading.evals.check_spelling import BESIDE, PLAIN_VALUE

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
SCHEMA: dict[str, Any] = json.loads((ROOT / "schemas" / "selftune-evals-1.json").read_text())["$defs"]["check"]["properties"]
ARMS = {"with": Arm.WITH_SKILL, "without": Arm.WITHOUT_SKILL, "script": Arm.SCRIPT}
ANY_TOOL = {"name": "Read", "names": ["Read"]}
KINDS = sorted(set(SCHEMA) - BESIDE)


def row(kind: str) -> list[str]:
    """The cells of the row on a kind."""
    found = re.search(rf"^\| `{re.escape(kind)}` \|(.*)\|$", PAGE, re.MULTILINE)
    assert found is not None, f"docs/checks.md has no row on `{kind}`"
    return [cell.strip() for cell in found[1].split("|")]


def parameters(kind: str) -> set[str]:
    """Names of the parameters in the schema; those of a kind that is written as a plain value alone are what it stands for."""
    schema = SCHEMA[kind]
    properties = schema.get("then", schema).get("properties")
    return set(properties) if properties else {PLAIN_VALUE[kind]}


def test_every_kind_that_can_be_judged_has_a_row_and_every_row_a_kind() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|(?=.*\|.*\|.*\|)", PAGE.partition("## Every kind")[2], re.MULTILINE)
    assert sorted(rows) == sorted(set(FAMILIES) - {"unsupported"}) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_the_row_on_a_kind_says_its_parameters_its_arms_and_whether_it_makes_a_lift(kind: str) -> None:
    names, arms, lift, evidence = row(kind)
    check = Check(kind, ANY_TOOL)
    assert set(re.findall(r"`([a-z-]+)`", names)) == parameters(kind)
    assert re.findall(r"\*\*`([a-z-]+)`\*\*", names) == ([PLAIN_VALUE[kind]] if kind in PLAIN_VALUE else [])
    assert [ARMS[arm] for arm in arms.split(", ")] == [arm for arm in ARMS.values() if applies(check, arm)]
    assert lift == ("yes" if is_outcome(check) and applies(check, Arm.WITHOUT_SKILL) else "no")
    assert evidence


def test_the_examples_use_every_kind_and_are_read() -> None:
    evals, scripts = (block.encode() for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))

    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "No such file or directory", path)
        return files[path]

    files = {"evals/a.yaml": evals, "tests/a.yaml": scripts}
    cases = [*read_eval_files(["evals/a.yaml"], read, True).cases, *read_unit_tests(["tests/a.yaml"], read, True).cases]
    assert sorted({check.kind for case in cases for check in case.checks}) == KINDS
