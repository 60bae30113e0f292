"""What every check of a plugin has to hold to."""

from __future__ import annotations

from typing import Any, ClassVar

from selftune_build.checks.context import CheckContext
from selftune_build.checks.registry import Family
from selftune_build.model.case import Arm, Check
from selftune_build.model.sample import Reply, Transcript
from selftune_build.model.verdict import CheckResult
from selftune_build.plugins.contain import Supplier
from selftune_build.plugins.guarded import guarded_check
from selftune_build.plugins.kinds import Kind, id_fault

_SUPPLIER = Supplier("plugin-under-test")


class CheckContract:
    """Subclass it with `family`, and `judged`: value as written, answer of the agent → whether it holds (None: cannot tell)."""

    family: ClassVar[Family]
    judged: ClassVar[tuple[tuple[Any, str | Transcript, bool | None], ...]] = ()

    def judge(self, value: Any, left: str | Transcript, arm: Arm = Arm.WITH_SKILL) -> CheckResult:
        """The check as the engine asks it, the value read as from an eval file."""
        check = Check(self.family.kind, value if isinstance(value, dict) else {"value": value})
        transcript = left if isinstance(left, Transcript) else Transcript(Reply(left))
        return guarded_check(self.family, _SUPPLIER).judge(check, transcript, CheckContext("pdf", arm))

    def test_its_kind_has_a_version(self) -> None:
        """`NAME/VERSION`, so that what it means is part of every key."""
        assert id_fault(Kind.CHECK, self.family.kind) is None

    def test_it_judges_as_it_says(self) -> None:
        """Every line of `judged`, at least one of which holds and one does not."""
        assert [self.judge(value, left).held for value, left, _ in self.judged] == [held for _, _, held in self.judged]
        assert {True, False} <= {held for _, _, held in self.judged}, "show one that holds and one that fails in `judged`"

    def test_its_evidence_is_one_line(self) -> None:
        """It stands in reports beside the check."""
        for value, left, _ in self.judged:
            evidence = self.judge(value, left).evidence
            assert evidence.strip()
            assert evidence.isprintable()
            assert not evidence.startswith("plugin-failed")

    def test_the_same_sample_gets_the_same_result_under_every_arm_that_differs_in_nothing(self) -> None:
        """It is pure."""
        for value, left, _ in self.judged:
            assert self.judge(value, left) == self.judge(value, left)

    def test_a_value_that_makes_no_sense_is_not_measured_and_never_held(self) -> None:
        """Only the plugin can tell; where it breaks, or says so, the case stays undecided."""
        nonsense_values: tuple[Any, ...] = ({"no-such-parameter": ["?"]}, [], {})
        for nonsense in nonsense_values:
            assert self.judge(nonsense, "some text").held is not True
