"""Rows that a human accepts as they are: `accepted:` of a manifest, bound to a row key (DESIGN 8.3, ADR 0042).

A waived row is left out of what the gates decide: it neither passes nor fails. Its counts stay in the metrics.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.engine.judging.row import inputs_today
from selftune_build.errors import UsageError
from selftune_build.escape import one_line
from selftune_build.fingerprint.keys import row_key
from selftune_build.gates.facts import Facts
from selftune_build.gates.outcomes import CaseOutcome
from selftune_build.graph.targets import SAMPLED, address, parse_target
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.model.case import Arm
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.lock import Row
from selftune_build.model.manifest import Waiver
from selftune_build.stages.row import RowSpec

Rows = Mapping[str, Mapping[str, Row]]
Place = tuple[str, str]
"""Case and arm."""


class Accepted(Struct, frozen=True):
    """The waivers that hold for the rows of today, by case and arm; and those that hold for none."""

    rows: dict[Place, Waiver]
    idle: tuple[Waiver, ...] = ()

    def targets(self, specs: Iterable[RowSpec]) -> frozenset[str]:
        """How the rows that are accepted are written."""
        return frozenset(target_of(spec) for spec in specs if place_of(spec) in self.rows)


NOTHING = Accepted({})


def accepted(specs: Sequence[RowSpec], rows: Rows, waivers: Sequence[Waiver]) -> Accepted:
    """What the waivers of a manifest hold for. `rows`: those that hold today."""
    if not waivers:
        return NOTHING
    found: dict[Place, Waiver] = {}
    for spec in specs:
        named = [waiver for waiver in waivers if waiver.target in (target_of(spec), _by_name(spec))]
        key = waiver_key(spec, rows.get(spec.case.id, {}).get(spec.arm.value)) if named else ""
        found.update({place_of(spec): waiver for waiver in named if waiver.key == key})
    idle = [waiver for waiver in waivers if waiver not in found.values() and _is_of_rows(waiver)]
    return Accepted(found, tuple(idle))


def waiver_key(spec: RowSpec, row: Row | None) -> str:
    """The key that accepts a row: its own, or without one that holds today the key that it would have had it read everything,
    so that every edit of the package ends the waiver."""
    return row.key if row is not None else row_key(inputs_today(spec, (f"{spec.package.name}:*",)))


def left_to_decide(facts: Facts, taken: Accepted) -> Facts:
    """The facts without the rows that are accepted."""
    if not taken.rows:
        return facts
    return replace(facts, evals=tuple(_left(facts.evals, taken)), unit_tests=tuple(_left(facts.unit_tests, taken)))


def findings(specs: Iterable[RowSpec], taken: Accepted, *, alone: bool) -> tuple[Finding, ...]:
    """A warning for each row that is accepted and, where the agent is `alone`, for each waiver that holds for none.

    Of several agents each has keys of its own, so a waiver that holds for none here may be another one's.
    """
    accepted_specs = [spec for spec in specs if place_of(spec) in taken.rows] if taken.rows else []
    held = [(spec, taken.rows[place_of(spec)]) for spec in accepted_specs]
    told = [_warning("accepted", f"{target_of(spec)} is accepted as it is: {waiver.reason}") for spec, waiver in held]
    hint = "remove it from `accepted:`, or accept what is there today with `selftune lock accept`"
    ended = [
        _warning("waiver-ended", f"the waiver for {waiver.target} is for a row of before", hint) for waiver in taken.idle if alone
    ]
    return (*told, *ended)


def place_of(spec: RowSpec) -> Place:
    """Case and arm of a row."""
    return spec.case.id, spec.arm.value


def target_of(spec: RowSpec) -> str:
    """How a row is written."""
    return address(spec.package.handle, spec.stage, spec.case.id)


def _by_name(spec: RowSpec) -> str:
    return address(spec.package.name, spec.stage, spec.case.id)


def _is_of_rows(waiver: Waiver) -> bool:
    """Whether a waiver is one for a row; whoever knows other targets decides about those."""
    try:
        return parse_target(waiver.target).stage in SAMPLED
    except UsageError:
        return False


def _left(outcomes: Iterable[CaseOutcome], taken: Accepted) -> Iterator[CaseOutcome]:
    for outcome in outcomes:
        if (outcome.id, Arm.WITH_SKILL.value) in taken.rows or (outcome.id, Arm.SCRIPT.value) in taken.rows:
            continue
        if (outcome.id, Arm.WITHOUT_SKILL.value) in taken.rows:
            outcome = replace(outcome, baseline=None, missing=tuple(arm for arm in outcome.missing if arm != Arm.WITHOUT_SKILL))
        yield outcome


def _warning(code: str, message: str, hint: str | None = None) -> Finding:
    return Finding(code, Severity.WARNING, one_line(message, MESSAGE_CHARACTERS), hint=hint)
