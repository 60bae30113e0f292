"""The eval and unit-test files of our own format, read strictly: what they promise is in `schemas/selftune-evals-1.json`."""

from __future__ import annotations

from typing import Any

from selftune_build.errors import InputError
from selftune_build.model.case import Case, Check
from selftune_build.model.finding import Severity
from selftune_build.model.manifest import Limits
from selftune_build.reading.evals.case_files import declared_files
from selftune_build.reading.evals.check_spelling import declared_checks
from selftune_build.reading.evals.identifiers import id_fault
from selftune_build.reading.evals.source import EvalReading, Source
from selftune_build.reading.schema import validate

EVALS = "selftune.evals/1"
UNIT_TESTS = "selftune.unit-tests/1"
SCHEMA = "selftune-evals-1"


def read_native(source: Source) -> EvalReading:
    """The cases of a native file. Raises InputError with its place for everything that the format does not allow.

    A case that neither says whether the skill should trigger nor checks anything is an error finding and stays in the list.
    """
    validate(source.document, SCHEMA)
    cases = [_case(source, entry, f"/cases/{index}") for index, entry in enumerate(source.document.data["cases"])]
    return EvalReading(tuple(cases), tuple(source.findings))


def _case(source: Source, entry: dict[str, Any], pointer: str) -> Case:
    _check_id(source, entry["id"], pointer)
    script = "run" in entry
    checks = declared_checks(source, entry.get("checks", []), f"{pointer}/checks", script=script)
    if script and all(check.kind != "exit" for check in checks):
        checks = (Check("exit", {"status": 0}, origin=source.origin(pointer)), *checks)
    if not checks and "should_trigger" not in entry:
        hint = "add `checks:` or `should_trigger:`"
        source.note("case-without-check", Severity.ERROR, f"`{entry['id']}` checks nothing", pointer, hint)
    return Case(
        id=entry["id"],
        prompt=entry.get("prompt", ""),
        run=tuple(entry.get("run", ())),
        stdin=entry.get("stdin", ""),
        files=declared_files(source, entry.get("files", []), f"{pointer}/files"),
        setup=tuple(tuple(argv) for argv in entry.get("setup", ())),
        should_trigger=entry.get("should_trigger"),
        checks=checks,
        limits=_limits(entry.get("limits"), source.limits),
        observe_package=entry.get("observe") == "package",
        tags=tuple(entry.get("tags", ())),
        origin=source.origin(pointer),
    )


def _limits(declared: dict[str, int] | None, default: Limits) -> Limits | None:
    """What the case does not limit keeps the limit of the package."""
    if not declared:
        return None
    return Limits(declared.get("timeout_s", default.timeout_s), declared.get("max_turns", default.max_turns))


def _check_id(source: Source, text: str, pointer: str) -> None:
    fault = id_fault(text)
    if fault:
        raise InputError(f"the id cannot be used: {fault}", at=source.document.locate(f"{pointer}/id"), code="bad-id")
