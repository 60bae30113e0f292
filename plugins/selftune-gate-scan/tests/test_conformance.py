"""The gate against the suite that every gate has to pass."""

from selftune_gate_scan import GATE

from selftune_build.plugins import Facts, Finding, Look, Severity, Verdict
from selftune_build.testing import GateContract

BAD = Finding("scan:a", Severity.ERROR, "bad")
ODD = Finding("scan:b", Severity.WARNING, "odd")


class TestScan(GateContract):
    gate = GATE
    decided = (
        (Facts(look=Look("x 1")), Verdict.PASS),
        (Facts(look=Look("x 1", (ODD,))), Verdict.PASS),
        (Facts(look=Look("x 1", (ODD, BAD))), Verdict.FAIL),
        (Facts(look=Look(trouble="x is not installed", advice="pip install x")), Verdict.INCONCLUSIVE),
        (Facts(), None),
    )
