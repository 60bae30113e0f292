"""What `eval list` says of the files that it read."""

from __future__ import annotations

from msgspec.structs import replace

from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.report.case_list import eval_findings
from tests.unit.engine.rows import package


def test_what_was_noticed_about_a_skill_or_a_manifest_is_not_about_its_evals() -> None:
    paths = ("brew/SKILL.md", "brew/evals/evals.yaml", "brew/selftune.yaml")
    findings = tuple(Finding("yaml-anchor", Severity.WARNING, "an anchor", Location(path)) for path in paths)
    assert [str(found.at) for found in eval_findings(replace(package(), findings=findings))] == ["brew/evals/evals.yaml"]
