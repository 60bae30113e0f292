"""What every gate of a plugin has to hold to."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from selftune_build.gates.builtin import RESERVED, Gate
from selftune_build.gates.facts import Facts
from selftune_build.gates.outcomes import CaseOutcome
from selftune_build.model.case import Arm
from selftune_build.model.manifest import GateSetting
from selftune_build.model.verdict import Verdict
from selftune_build.plugins.contain import Supplier
from selftune_build.plugins.guarded import guarded_gate
from selftune_build.plugins.kinds import Kind, id_fault
from selftune_build.stats.bounds import UNDECIDED, Bounds, exactly
from selftune_build.stats.decision import Decision

_SUPPLIER = Supplier("plugin-under-test")


def outcome(
    name: str, *, passed: Bounds | float | None = None, behaved: Bounds | float | None = None, should_trigger: bool | None = None
) -> CaseOutcome:
    """One case for `Facts`: means as numbers from 0 to 1, `UNDECIDED` for a case without evidence."""
    missing = (Arm.WITH_SKILL.value,) if UNDECIDED in (passed, behaved) else ()
    return CaseOutcome(name, False, should_trigger, _bounds(behaved), _bounds(passed), None, missing)


def facts(**passed: Bounds | float) -> Facts:
    """Facts with one case with checks for each keyword: its name and in which share of its samples they held."""
    return Facts(tuple(outcome(name, passed=value) for name, value in passed.items()))


def _bounds(value: Bounds | float | None) -> Bounds | None:
    return value if value is None or isinstance(value, Bounds) else exactly(Fraction(str(value)))


class GateContract:
    """Subclass it with `gate`, and `decided`: facts → the verdict that the gate has to give under `setting`."""

    gate: ClassVar[Gate]
    setting: ClassVar[GateSetting] = GateSetting()
    confidence: ClassVar[float] = 0.95
    decided: ClassVar[tuple[tuple[Facts, Verdict | None], ...]] = ()

    def judge(self, given: Facts) -> Decision | None:
        """The gate as the engine asks it."""
        return guarded_gate(self.gate, _SUPPLIER).judge(given, self.setting, self.confidence)

    def test_its_id_can_be_written_in_a_manifest(self) -> None:
        """Under `gates:`; the ids of built-in gates are taken."""
        assert id_fault(Kind.GATE, self.gate.id) is None
        assert self.gate.id not in RESERVED

    def test_it_decides_as_it_says(self) -> None:
        """Every pair of `decided`, at least one of which passes and one does not."""
        given = [self.judge(facts_) for facts_, _ in self.decided]
        assert [decision and decision.verdict for decision in given] == [verdict for _, verdict in self.decided]
        assert {Verdict.PASS} < {verdict for _, verdict in self.decided}, "show a pass and something else in `decided`"

    def test_it_says_why_in_one_sentence(self) -> None:
        """The message of a decision is what people read."""
        for given, _ in self.decided:
            decision = self.judge(given)
            assert decision is None or (decision.message.strip() and not decision.message.startswith("plugin-failed"))

    def test_nothing_to_measure_is_no_pass(self) -> None:
        """An empty suite: None, or anything but `pass`."""
        decision = self.judge(Facts())
        assert decision is None or decision.verdict is not Verdict.PASS

    def test_cases_without_evidence_are_no_pass(self) -> None:
        """`inconclusive` where nobody knows."""
        decision = self.judge(facts(a=UNDECIDED, b=UNDECIDED))
        assert decision is None or decision.verdict is not Verdict.PASS
        assert decision is None or not decision.message.startswith("plugin-failed"), decision.message

    def test_the_same_facts_get_the_same_decision(self) -> None:
        """`--locked` computes it again from the lock, anywhere."""
        for given, _ in self.decided:
            assert self.judge(given) == self.judge(given)
