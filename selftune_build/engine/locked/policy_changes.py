"""Under `--policy REV`: what a change does to the policy and the evals that it is judged by (ADR 0041).

What loosens is a problem: the change would decide about itself, and what comes after it would be judged by less. What tightens,
and evals that change without the skill, are told and decide nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct

from selftune_build.checks.graders import grader_files
from selftune_build.engine.locked.loosened import differences
from selftune_build.engine.locked.standard import Standard
from selftune_build.engine.past.workspace import PastPackage, PastWorkspace, agent_files
from selftune_build.engine.registry import Registry
from selftune_build.errors import PLUGIN_MISSING, InputError, UndecidedError
from selftune_build.escape import one_line
from selftune_build.graph.targets import Stage, address
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.model.case import Case
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.package import SKILL_FILE, Package
from selftune_build.model.report import PackageReport, Problem
from selftune_build.model.verdict import Verdict

CODE = "policy-changed"
_LABELS = frozenset({"id", "origin", "tags"})
"""Fields of a case that nothing is asked or judged by."""
_WORDS = {"checks": "judgement", "should_trigger": "polarity", "run": "command", "observe_package": "observation"}
_FIX = "undo it, or let somebody who may decide merge it in a change of its own"


class PolicyChanges(Struct, frozen=True):
    """What was found of one package."""

    problems: tuple[Problem, ...] = ()
    findings: tuple[Finding, ...] = ()


class _Told(Struct, frozen=True):
    """One difference; `severity` where it does not loosen."""

    loosens: bool
    target: str
    message: str
    severity: Severity = Severity.NOTE


def policy_changes(package: Package, standard: Standard, registry: Registry) -> PolicyChanges:
    """Compare a package with what it was where this change began. Raises UndecidedError where history was left out."""
    if standard.before is None:
        return PolicyChanges()
    try:
        past = standard.before.package(standard.before.home(package.path), registry)
    except (InputError, UndecidedError) as error:
        if isinstance(error, UndecidedError) and error.code != PLUGIN_MISSING:
            raise
        return PolicyChanges(findings=(_note(f"{standard.word} cannot be compared with: {error.message}"),))
    if past is None:
        message = f"{standard.word} does not know this package: it is judged by what the workspace says there of all"
        return PolicyChanges(findings=(_note(message, Severity.WARNING),))
    return _compared(package, past, standard)


def dropped(members: Iterable[str], standard: Standard) -> Iterator[PackageReport]:
    """A report of refusal for each package that the workspace had and that is there, but is verified no more."""
    past = standard.before
    before = past.members() if past is not None else None
    if past is None or before is None:
        return
    for path in sorted(before - frozenset(members)):
        if past.stands(f"{path}/{SKILL_FILE}"):
            name = path.rpartition("/")[2]
            message = f"{standard.word} verifies this package, and the workspace does not name it any more"
            yield PackageReport(name, path, "", "", Verdict.FAIL, problems=(Problem(CODE, name, message, fix=_FIX),))


def _compared(package: Package, past: PastPackage, standard: Standard) -> PolicyChanges:
    before, declared = standard.before, package.declared or package.manifest
    assert before is not None
    told = [_Told(looser, package.handle, message) for looser, message in differences(past.manifest, declared)]
    programs = before.changed(".", agent_files(declared))
    told += [_Told(True, package.handle, f"the program of an agent is another: {path}") for path in programs]
    cases = list(_cases(package, past, before))
    together = bool(cases and _skill_changes(package, past, before))
    where = " in the change that edits the skill" if together else ""
    told += [_Told(together, target, message + where, Severity.WARNING) for target, message in cases]
    place, since = declared.path or package.path, f" (compared with {standard.word})"
    return PolicyChanges(
        tuple(Problem(CODE, each.target, _shown(each.message + since), place, fix=_FIX) for each in told if each.loosens),
        tuple(_note(f"{each.target}: {each.message}{since}", each.severity) for each in told if not each.loosens),
    )


def _skill_changes(package: Package, past: PastPackage, before: PastWorkspace) -> list[str]:
    return before.changed(package.path, {*past.staged, *(file.path for file in package.staged)})


def _cases(package: Package, past: PastPackage, before: PastWorkspace) -> Iterator[tuple[str, str]]:
    """Cases that are gone or ask or judge otherwise. A case that only has another id is neither."""
    now = {case.id: case for case in (*package.evals, *package.unit_tests)}
    tests = {case.id for case in package.unit_tests}
    known = {msgspec.json.encode(_substance(case)) for case in now.values()}
    for name, case in past.cases.items():
        target = address(package.handle, Stage.UNIT_TESTS if name in tests or case.is_script else Stage.REPLAY, name)
        if name not in now:
            if msgspec.json.encode(_substance(case)) not in known:
                yield target, "the case is gone"
        elif changed := [part for part, value in _substance(case).items() if _substance(now[name])[part] != value]:
            yield target, f"the case has another {', '.join(_WORDS.get(part, part) for part in changed)}"
        elif _grader_changes(package, past, case, before):
            yield target, "the program that judges the case is another"


def _grader_changes(package: Package, past: PastPackage, case: Case, before: PastWorkspace) -> list[str]:
    named = {path for check in case.checks for path in check.files}
    files = {file.path for tree in (package.tree, past.files) for file in grader_files(tree, named)} if named else set()
    return before.changed(package.path, files)


def _substance(case: Case) -> dict[str, Any]:
    """What a case asks and how it is judged, field by field, without where it stands and what it is called."""
    checks = [msgspec.structs.replace(check, origin=None) for check in case.checks]
    return {name: getattr(case, name) for name in Case.__struct_fields__ if name not in _LABELS} | {"checks": checks}


def _note(message: str, severity: Severity = Severity.NOTE) -> Finding:
    return Finding(CODE, severity, _shown(message))


def _shown(message: str) -> str:
    return one_line(message, MESSAGE_CHARACTERS)
