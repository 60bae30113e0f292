"""The gate against the suite that every gate has to pass."""

from selftune_gate_regression import GATE

from selftune_build.plugins import Against, Compared, Facts, GateSetting, Verdict
from selftune_build.testing import GateContract

WORSE = Compared("checks", "worse", -0.5, -0.9, -0.1, 4, 12, 12)
HELD = Compared("checks", "not-worse", 0.0, -0.1, 0.2, 40, 120, 120)
OPEN = Compared("trigger", "nothing", 0.0, -0.4, 0.4, 4, 12, 12)


def against(*compared: Compared, unchanged: bool = False, remark: str = "") -> Facts:
    return Facts(against=Against("v1", "abc", 0.2, compared, unchanged=unchanged, remark=remark))


class TestNotWorse(GateContract):
    gate = GATE
    decided = (
        (against(HELD), Verdict.PASS),
        (against(HELD, WORSE), Verdict.FAIL),
        (against(WORSE, unchanged=True), Verdict.FAIL),
        (against(HELD, OPEN), Verdict.INCONCLUSIVE),
        (against(OPEN, unchanged=True), Verdict.PASS),
        (against(), Verdict.INCONCLUSIVE),
        (against(remark="v1 has no lock"), Verdict.INCONCLUSIVE),
        (Facts(), None),
    )


class TestNotWorseRefusesOtherOptions(GateContract):
    gate = GATE
    setting = GateSetting(options={"revison": "v1"})
    decided = ((against(HELD), Verdict.INCONCLUSIVE),)

    def test_it_decides_as_it_says(self) -> None:
        (decision,) = [self.judge(facts) for facts, _ in self.decided]
        assert decision is not None
        assert (decision.verdict, decision.message) == (Verdict.INCONCLUSIVE, "it takes no option 'revison'")
