"""The JSON report against its schema and against the design."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.report import Failure, PackageReport, Problem, Reason, Report, Spend, StageReport, TargetState
from selftune_build.model.verdict import GateResult, Metric, Verdict
from selftune_build.report.json import render

SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "selftune-report-1.json").read_text())

PACKAGE = PackageReport(
    name="pdf",
    path="skills/pdf",
    agent="embedded",
    origin="simulated",
    verdict=Verdict.FAIL,
    stages=(StageReport("pdf:replay", TargetState.BUILT, 3, 40, (Reason("body-changed", "pdf:body", "the body changed"),)),),
    metrics={"trigger_recall": Metric(0.95, 0.83, 0.99, 40)},
    gates=(GateResult("lift", Verdict.FAIL, "no lift", required=False),),
    problems=(Problem("key-changed", "pdf:replay[a]", "changed", "skills/pdf/SKILL.md", 3, "selftune build pdf"),),
    findings=(Finding("x", Severity.WARNING, "odd", Location("SKILL.md", 2), "mend it"), Finding("y", Severity.NOTE, "bare")),
    failures=(Failure("pdf:replay[a]", "contains", "no \x1b é \ud800", 1, 3),),
    next_command="selftune build pdf",
)


def document(**changes: Any) -> dict[str, Any]:
    fields = {"verdict": Verdict.FAIL, "exit_code": 1, "spend": Spend(12, 0, "0.25", 30), "packages": (PACKAGE,)}
    parsed: dict[str, Any] = json.loads(render(Report(**{**fields, **changes})))
    return parsed


def problems_of(data: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(data)]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_a_full_report_fits_the_schema() -> None:
    assert problems_of(document()) == []


def test_an_empty_report_fits_the_schema() -> None:
    assert problems_of(document(packages=(), verdict=Verdict.INCONCLUSIVE, exit_code=3)) == []


def test_the_remark_of_an_agent_is_a_field_and_null_without_one() -> None:
    data = document(packages=(replace(PACKAGE, remark="chat-only"), PACKAGE))
    assert [package["remark"] for package in data["packages"]] == ["chat-only", None]
    assert problems_of(data) == []


def test_a_package_that_could_not_be_read_has_neither_agent_nor_origin() -> None:
    data = document(packages=(PackageReport("p", "p", "", "", Verdict.INCONCLUSIVE),))
    assert (data["packages"][0]["agent"], data["packages"][0]["origin"]) == (None, None)
    assert problems_of(data) == []


@pytest.mark.parametrize("mode", ["build", "locked", "dry-run"])
def test_every_mode_fits_the_schema(mode: str) -> None:
    assert problems_of(document(mode=mode)) == []


@pytest.mark.parametrize("state", list(TargetState))
def test_every_state_fits_the_schema(state: TargetState) -> None:
    assert (
        problems_of(document(packages=(PackageReport("p", ".", "a", "live", Verdict.PASS, (StageReport("p:spec", state),)),)))
        == []
    )


@pytest.mark.parametrize("field", ["schema", "ok", "verdict", "exit_code", "spend", "packages"])
def test_the_schema_misses_what_is_left_out(field: str) -> None:
    data = document()
    del data[field]
    assert problems_of(data) == [f"'{field}' is a required property"]


def test_the_schema_refuses_a_state_that_does_not_exist() -> None:
    data = document()
    data["packages"][0]["stages"][0]["state"] = "done"
    assert len(problems_of(data)) == 1


def test_the_fields_of_the_design_are_there_with_their_values() -> None:
    data = document()
    package = data["packages"][0]
    assert (data["schema"], data["ok"], data["verdict"], data["exit_code"]) == ("selftune.report/1", False, "fail", 1)
    assert data["spend"] == {"agent_calls": 12, "judge_calls": 0, "cost_usd": 0.25, "reused": 30}
    assert (package["name"], package["path"], package["verdict"]) == ("pdf", "skills/pdf", "fail")
    assert package["metrics"] == {"trigger_recall": {"value": 0.95, "low": 0.83, "high": 0.99, "n": 40}}
    assert package["stages"][0]["reasons"] == [{"code": "body-changed", "name": "pdf:body", "message": "the body changed"}]
    assert package["problems"][0]["fix"] == "selftune build pdf"
    assert package["next_command"] == "selftune build pdf"


def test_the_cost_is_a_number_also_when_nothing_was_spent() -> None:
    assert '"cost_usd": 0.0' in render(Report(Verdict.PASS, 0, Spend()))


@pytest.mark.parametrize(
    ("verdict", "status", "ok"), [(Verdict.PASS, 0, True), (Verdict.PASS, 1, False), (Verdict.INCONCLUSIVE, 3, False)]
)
def test_ok_means_a_pass_with_exit_status_0(verdict: Verdict, status: int, ok: bool) -> None:
    assert document(verdict=verdict, exit_code=status)["ok"] is ok


def test_the_document_is_ascii_whatever_an_agent_said() -> None:
    assert render(Report(Verdict.FAIL, 1, Spend(), (PACKAGE,))).isascii()
