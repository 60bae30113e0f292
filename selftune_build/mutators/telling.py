"""Why a proposal is made, in a sentence: which cases went wrong, and how."""

from __future__ import annotations

from collections.abc import Sequence

from selftune_build.escape import one_line
from selftune_build.limits import CASE_ID_CHARACTERS
from selftune_build.mutators.protocol import CaseEvidence
from selftune_build.wording import listed

_SHOWN = 3


def told(cases: Sequence[CaseEvidence]) -> str:
    """`latte was missed in 2 of 3 samples (bake was used), …`, printable."""
    return listed([_told(case) for case in cases], _SHOWN)


def _told(case: CaseEvidence) -> str:
    name = one_line(case.id, CASE_ID_CHARACTERS // 4)
    if case.missed:
        by = f" ({one_line(', '.join(case.stolen_by), CASE_ID_CHARACTERS // 4)} used)" if case.stolen_by else ""
        return f"{name} was missed in {case.n - (case.triggered or 0)} of {case.n} samples{by}"
    if case.intruded:
        return f"{name} triggered by mistake in {case.triggered} of {case.n} samples"
    return f"{name} failed in {case.n - (case.passed or 0)} of {case.n} samples"
