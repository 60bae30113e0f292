"""What follows from a scan."""

from __future__ import annotations

from selftune_build.plugins import Decision, Facts, Finding, Gate, GateSetting, Look, Severity, Verdict
from selftune_gate_scan.scanner import SCANNERS, scan

_ORDER = (Severity.NOTE, Severity.WARNING, Severity.ERROR)


def look(folder: str, setting: GateSetting) -> Look:
    """Run the scanner that the option `scanner` names."""
    name = setting.options.get("scanner", "skillguard")
    if name not in SCANNERS:
        return Look(trouble=f"there is no scanner {name!r}: {', '.join(SCANNERS)}")
    return scan(SCANNERS[name], folder)


def judge(facts: Facts, setting: GateSetting, confidence: float) -> Decision | None:
    """`fail` from a finding of the severity `fail_on` (default: error) upwards; `inconclusive` where nobody could look."""
    if facts.look is None:
        return None
    if facts.look.trouble:
        return Decision(Verdict.INCONCLUSIVE, facts.look.trouble, facts.look.advice)
    least = setting.options.get("fail_on", Severity.ERROR.value)
    if least not in [severity.value for severity in _ORDER]:
        return Decision(Verdict.INCONCLUSIVE, f"`fail_on` is error, warning or note, not {least!r}")
    bad = [each for each in facts.look.findings if _ORDER.index(each.severity) >= _ORDER.index(Severity(least))]
    if bad:
        return Decision(Verdict.FAIL, f"{facts.look.by}: {len(bad)} of severity {least} or above, first: {_told(bad[0])}")
    return Decision(Verdict.PASS, f"{facts.look.by}: nothing of severity {least} or above, {len(facts.look.findings)} below")


def _told(finding: Finding) -> str:
    return f"{finding.at}: {finding.message}" if finding.at is not None else finding.message


GATE = Gate("scan", judge, summary="an installed skill scanner finds nothing bad", options=("fail_on", "scanner"), look=look)
