"""What a package still lacks before its evidence can say anything, each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from selftune_build.model.finding import Severity
from selftune_build.model.package import Package
from selftune_build.reading.scripts import scripts
from selftune_build.scaffold.adopt import EvalFiles

DECIDABLE = 5
"""With fewer cases than this no rate gate of the defaults can be decided."""


class Missing(Struct, frozen=True):
    """One thing that is missing: what, and what to do."""

    message: str
    fix: str
    shared: str = ""
    """What is said instead where several packages lack the same; empty for what is this package's alone."""


def missing(package: Package, unnamed: EvalFiles | None) -> tuple[Missing, ...]:
    """Everything that stands between this package and a verdict, the most important first."""
    return (*_faults(package), *_unnamed(unnamed), *_evals(package), *_unit_tests(package))


def _faults(package: Package) -> Iterator[Missing]:
    """What hosts would refuse, and whatever is odd about the description: by it alone a host chooses."""
    for finding in package.findings:
        if finding.severity is Severity.ERROR or (finding.severity is Severity.WARNING and "description" in finding.code):
            place = f"{finding.at}: " if finding.at else ""
            yield Missing(place + finding.message, finding.hint or "mend it in SKILL.md")


def _unnamed(files: EvalFiles | None) -> Iterator[Missing]:
    for key, paths in (("evals", files.evals), ("unit_tests", files.unit_tests)) if files else ():
        if paths:
            yield Missing(f"the manifest does not name {', '.join(paths)}", f"add them under `{key}:` in selftune.yaml")


def _evals(package: Package) -> Iterator[Missing]:
    if not package.evals:
        fix = "`selftune eval generate` drafts some to review, or write evals/evals.yaml (format: selftune.evals/1)"
        yield Missing("there are no evals, so nothing about an agent can be measured", fix, "evals")
        return
    kinds = (
        ("that should trigger the skill", sum(case.should_trigger is True for case in package.evals)),
        ("that should leave it alone", sum(case.should_trigger is False for case in package.evals)),
        ("with checks on the outcome", sum(bool(case.checks) for case in package.evals)),
    )
    for kind, count in kinds:
        if count < DECIDABLE:
            has = f"only {count}" if count else "no"
            fix = f"write at least {DECIDABLE}: fewer decide no gate"
            yield Missing(f"{has} case{'' if count == 1 else 's'} {kind}", fix, f"{DECIDABLE} cases {kind}")


def _unit_tests(package: Package) -> Iterator[Missing]:
    found = () if package.unit_tests else scripts(package)
    if found:
        fix = "`selftune eval unit-test --generate` drafts some, or write tests/scripts.yaml (format: selftune.unit-tests/1)"
        more = " and the other scripts" if len(found) > 1 else ""
        yield Missing(f"nothing tests {found[0].path}{more}", fix, "unit tests of their scripts")
