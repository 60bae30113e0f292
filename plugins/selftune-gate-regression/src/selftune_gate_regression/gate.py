"""Whether the same cases do worse than in the lock of a revision, as selftune-build compares the two locks."""

from __future__ import annotations

from selftune_build.plugins import Against, Compared, Decision, Facts, Gate, GateSetting, Verdict

MAIN = ("origin/main...", "main...")
"""Where the branch left `main`: what a pull request is compared with."""


def judge(facts: Facts, setting: GateSetting, confidence: float) -> Decision | None:
    """`fail` where a drop is shown, `pass` where one by the margin is ruled out or nothing is new, else `inconclusive`.

    The confidence is that of the comparison, which may be looked at as often as one likes; the one of the samples plays no part.
    """
    against = facts.against
    if against is None:
        return None
    if not against.compared:
        return Decision(Verdict.INCONCLUSIVE, against.remark or f"no case is the same as {_then(against)}", _remedy(against))
    shown = {each.shown for each in against.compared}
    told = "; ".join([*(_told(each, against) for each in against.compared), *_left_out(against)])
    if "worse" in shown:
        return Decision(Verdict.FAIL, told, f"see what `selftune build --against {_word(against)}` names case by case")
    if against.unchanged:
        return Decision(Verdict.PASS, f"every case has the evidence that it had {_then(against)}")
    if shown == {"not-worse"}:
        return Decision(Verdict.PASS, told)
    return Decision(Verdict.INCONCLUSIVE, told, "take more samples of today's (`--resample N`), or write more cases")


def _told(each: Compared, against: Against) -> str:
    drop = f"drop by {against.margin:.2f}"
    words = {"worse": "worse", "not-worse": f"no {drop}"}.get(each.shown, f"a {drop} is not ruled out")
    return (
        f"{each.what} {each.difference:+.2f} ({each.low:+.2f} to {each.high:+.2f}) on {each.cases} cases, "
        f"{each.now} samples now and {each.then} {_then(against)}: {words}"
    )


def _left_out(against: Against) -> list[str]:
    """What is not part of the comparison, and what has to be known of it."""
    others = [f"{len(against.left_out)} not compared, first: {against.left_out[0]}"] if against.left_out else []
    return [*others, *([against.remark] if against.remark else [])]


def _then(against: Against) -> str:
    if against.revision.endswith("..."):
        return f"where {against.revision.removesuffix('...')} was left ({against.commit})"
    return f"at {against.revision}"


def _word(against: Against) -> str:
    return against.commit if against.revision.endswith("...") else against.revision


def _remedy(against: Against) -> str:
    return against.fetch or "name a revision with a lock of this agent and these cases: `options: {revision: REV}`"


GATE = Gate("not-worse", judge, summary="the same cases do no worse than at a revision of git", against=MAIN)
