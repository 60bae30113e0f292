"""Rows that a human accepts as they are: `accepted:` of a manifest, bound to a row key (DESIGN 8.3, ADR 0042).

A waived row is left out of what the gates decide: it neither passes nor fails. Its counts stay in the metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.engine.judging.row import inputs_today
from selftune_build.escape import one_line
from selftune_build.fingerprint.keys import row_key
from selftune_build.gates.facts import Facts, lift_cases, recall_cases, specificity_cases, task_cases
from selftune_build.gates.outcomes import CaseOutcome
from selftune_build.gates.wording import named
from selftune_build.graph.targets import address
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.model.case import Arm
from selftune_build.model.lock import Row
from selftune_build.model.manifest import Waiver
from selftune_build.model.report import Accepted
from selftune_build.model.verdict import GateResult, Verdict
from selftune_build.security.catalogue import GATE
from selftune_build.stages.row import RowSpec

Rows = Mapping[str, Mapping[str, Row]]
Place = tuple[str, str]
"""Case and arm."""


class Waived(Struct, frozen=True):
    """The waivers that hold for the rows of today, by case and arm; and those that hold for none."""

    rows: dict[Place, Waiver]
    idle: tuple[Waiver, ...] = ()

    def targets(self, specs: Iterable[RowSpec]) -> frozenset[str]:
        """How the rows that are accepted are written."""
        return frozenset(target_of(spec) for spec in specs if place_of(spec) in self.rows)


NOTHING = Waived({})


def accepted(specs: Sequence[RowSpec], rows: Rows, waivers: Sequence[Waiver]) -> Waived:
    """What the waivers of a manifest hold for. `rows`: those that hold today."""
    if not waivers:
        return NOTHING
    found: dict[Place, Waiver] = {}
    for spec in specs:
        named = [waiver for waiver in waivers if waiver.target in (target_of(spec), _by_name(spec))]
        key = waiver_key(spec, rows.get(spec.case.id, {}).get(spec.arm.value)) if named else ""
        found.update({place_of(spec): waiver for waiver in named if waiver.key == key})
    idle = [waiver for waiver in waivers if waiver not in found.values() and not is_of_findings(waiver)]
    return Waived(found, tuple(idle))


def waiver_key(spec: RowSpec, row: Row | None) -> str:
    """The key that accepts a row: its own, or without one that holds today the key that it would have had it read everything,
    so that every edit of the package ends the waiver."""
    return row.key if row is not None else row_key(inputs_today(spec, (f"{spec.package.name}:*",)))


def left_to_decide(facts: Facts, taken: Waived) -> Facts:
    """The facts without the rows that are accepted."""
    if not taken.rows:
        return facts
    return replace(facts, evals=tuple(_left(facts.evals, taken)), unit_tests=tuple(_left(facts.unit_tests, taken)))


def with_waived(gates: Iterable[GateResult], facts: Facts, left: Facts) -> list[GateResult]:
    """The verdicts that were decided from `left`, each saying which cases of `facts` it left out: its counts are not those that
    were measured."""
    if left is facts:
        return list(gates)
    return [_said(gate, _without(_measured(gate, facts), _measured(gate, left))) for gate in gates]


def emptied(gates: Iterable[GateResult], facts: Facts, left: Facts, off: Container[str]) -> tuple[GateResult, ...]:
    """The gates that no manifest names and that are not among `gates`, since every case of theirs is accepted; for telling only.

    `off`: gates that are switched off.
    """
    nothing = [GateResult(name, Verdict.INCONCLUSIVE, "nothing left to decide", required=False) for name in _CASES]
    there = {gate.id for gate in gates}
    found = with_waived((gate for gate in nothing if gate.id not in there and gate.id not in off), facts, left)
    return tuple(gate for gate in found if gate.accepted)


def accepted_rows(specs: Iterable[RowSpec], taken: Waived) -> tuple[Accepted, ...]:
    """Every row that is accepted as it is, with the reason given."""
    held = [(spec, taken.rows[place_of(spec)]) for spec in specs if place_of(spec) in taken.rows]
    return tuple(Accepted(target_of(spec), waiver.key, one_line(waiver.reason, MESSAGE_CHARACTERS)) for spec, waiver in held)


def place_of(spec: RowSpec) -> Place:
    """Case and arm of a row."""
    return spec.case.id, spec.arm.value


def target_of(spec: RowSpec) -> str:
    """How a row is written."""
    return address(spec.package.handle, spec.stage, spec.case.id)


_CASES: Mapping[str, Callable[[Facts], Iterable[CaseOutcome]]] = {
    "unit-tests": lambda facts: facts.unit_tests,
    "trigger-recall": recall_cases,
    "trigger-specificity": specificity_cases,
    "task-pass-rate": task_cases,
    "lift": lift_cases,
}


def _measured(gate: GateResult, facts: Facts) -> list[str]:
    """The cases that a gate counts; of a gate that is not ours nobody knows which."""
    ours = _CASES.get(gate.id)
    return [each.id for each in ours(facts)] if ours is not None else []


def _without(names: Iterable[str], others: Iterable[str]) -> list[str]:
    left = frozenset(others)
    return [name for name in names if name not in left]


def _said(gate: GateResult, out: Sequence[str]) -> GateResult:
    if not out:
        return gate
    return replace(gate, message=f"{gate.message}; {len(out)} accepted as is and left out: {named(out)}", accepted=tuple(out))


def is_of_findings(waiver: Waiver) -> bool:
    """Whether it is one for a finding, about which the gate `security` decides."""
    return f":{GATE}[" in waiver.target


def _by_name(spec: RowSpec) -> str:
    return address(spec.package.name, spec.stage, spec.case.id)


def _left(outcomes: Iterable[CaseOutcome], taken: Waived) -> Iterator[CaseOutcome]:
    for outcome in outcomes:
        if (outcome.id, Arm.WITH_SKILL.value) in taken.rows or (outcome.id, Arm.SCRIPT.value) in taken.rows:
            continue
        if (outcome.id, Arm.WITHOUT_SKILL.value) in taken.rows:
            outcome = replace(outcome, baseline=None, missing=tuple(arm for arm in outcome.missing if arm != Arm.WITHOUT_SKILL))
        yield outcome
