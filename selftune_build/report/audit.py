"""What an audit came to, for people and for machines (schema `selftune.audit/1`)."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

import msgspec

from selftune_build.limits import AUDIT_SHOWN_ROWS
from selftune_build.model.audit import Audit, AuditedRow, AuditVerdict, Claim, Kind, KindResult
from selftune_build.report.cells import indented, name, pad, sentence, wrap
from selftune_build.wording import counted

TITLES = {
    Kind.TRIGGERED: "triggered as the case wants",
    Kind.PASSED: "passed",
    Kind.WITHOUT: "passed without the skill",
}
MEANING = {
    AuditVerdict.CONSISTENT: "nothing speaks against the locks",
    AuditVerdict.REFUTED: "refuted: what is locked is not what comes out",
    AuditVerdict.INCONCLUSIVE: "could not decide",
    AuditVerdict.REFUSED: "not audited: the locks do not hold, and nothing was run",
    AuditVerdict.PLANNED: "nothing was run",
}
INVENTED = "invented: by the lock all samples of the row came out well, where in truth none does"


def render_json(audit: Audit) -> str:
    """One document that `schemas/selftune-audit-1.json` accepts, newline at the end."""
    document = {"schema": "selftune.audit/1", "ok": audit.exit_code == 0, **msgspec.to_builtins(audit)}
    document["spend"]["cost_usd"] = float(audit.spend.cost_usd)
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def render(audit: Audit, width: int, place: str) -> str:
    """The draw, each kind of count, the rows that differ most, and what that amounts to; newline at the end."""
    parts = [_head(audit, width), _kinds(audit), _rows(audit, width, place), _problems(audit, width), _meaning(audit, width)]
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part))) + "\n"


def _head(audit: Audit, width: int) -> Iterator[str]:
    yield f"nonce {audit.nonce} (--nonce draws the same rows again)"
    if audit.verdict is AuditVerdict.REFUSED:
        return
    price = f", {audit.price}" if audit.price is not None else ""
    yield f"{len(audit.rows)} of {counted(audit.population, 'row')} drawn; {counted(audit.calls, 'fresh sample')} to take{price}"
    if audit.simulated:
        yield "some of the answers come from no model"
    for note in audit.notes:
        yield from wrap(f"note: {sentence(note)}; that alone can explain a difference", width, "  ")


def _kinds(audit: Audit) -> Iterator[str]:
    titles = [TITLES[result.kind] for result in audit.kinds]
    widest = max(map(len, titles), default=0)
    for title, result in zip(titles, audit.kinds, strict=True):
        yield f"{pad(title, widest)}  {counted(result.rows, 'row')}: {_beside(result)}; {_p(result.p)}"


def _p(p: float) -> str:
    return f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"


def _beside(part: KindResult | Claim) -> str:
    """Counts as they were counted: without the skill what speaks for the package is what did not hold."""
    locked, fresh = (part.n - part.locked, part.fresh_n - part.fresh) if part.kind is Kind.WITHOUT else (part.locked, part.fresh)
    return f"locked {locked} of {part.n}, now {fresh} of {part.fresh_n}"


def _rows(audit: Audit, width: int, place: str) -> Iterator[str]:
    if audit.verdict is AuditVerdict.PLANNED:
        yield "drawn:"
        for row in audit.rows:
            yield f"  {_subject(row)}: {counted(row.n, 'sample')}"
        return
    for row in audit.rows:
        if row.missing:
            yield from indented(f"{_subject(row)}: not compared: {sentence(row.missing)}", width, 0)
    differing = sorted((row for row in audit.rows if _weight(row) > (0, 0)), key=_weight, reverse=True)
    if differing:
        yield "rows that differ most:"
    for row in differing[:AUDIT_SHOWN_ROWS]:
        for claim in row.claims:
            if claim.differs:
                end = "; this answer repeats exactly, so that is no chance" if claim.exact else ""
                yield from indented(f"{_subject(row)}: {TITLES[claim.kind]}: {_beside(claim)}{end}", width, 2)
        yield f"    {_show(audit, row, place)}"
    if len(differing) > AUDIT_SHOWN_ROWS:
        yield f"  and {len(differing) - AUDIT_SHOWN_ROWS} more (--json names all)"
    for row in audit.rows:
        if row.note and not any(claim.differs for claim in row.claims):
            yield from indented(f"{_subject(row)}: came out the same; {sentence(row.note)}", width, 0)


def _weight(row: AuditedRow) -> tuple[int, float]:
    """Exact differences first, then by the largest excess of a locked share."""
    exact = any(claim.exact and claim.differs for claim in row.claims)
    return int(exact), max((claim.locked / claim.n - claim.fresh / claim.fresh_n for claim in row.claims), default=0.0)


def _subject(row: AuditedRow) -> str:
    return f"{name(row.target)} {row.arm}, agent {name(row.agent)}" if row.arm != "script" else f"{name(row.target)} {row.arm}"


def _show(audit: Audit, row: AuditedRow, place: str) -> str:
    words = ["selftune", "show", row.target, "--agent", row.agent, *(["-C", place] if place else [])]
    return sentence(f"SELFTUNE_STORE={shlex.quote(audit.store)} {' '.join(map(shlex.quote, words))}")


def _problems(audit: Audit, width: int) -> Iterator[str]:
    for problem in audit.problems[:AUDIT_SHOWN_ROWS]:
        yield from wrap(f"{problem.code}: {name(problem.target)}: {sentence(problem.message)}", width, "  ")
    if len(audit.problems) > AUDIT_SHOWN_ROWS:
        yield f"and {len(audit.problems) - AUDIT_SHOWN_ROWS} more: selftune build verify --locked"


def _meaning(audit: Audit, width: int) -> Iterator[str]:
    yield from wrap(_odds(audit), width) if _odds(audit) else ()
    if audit.caught:
        would = "would refute" if audit.verdict is AuditVerdict.PLANNED else "would have refuted"
        first, *others = (f"{100 * each.invented:.0f} % of its rows invented: {_percent(each.chance)}" for each in audit.caught)
        chances = ", ".join([f"a lock with {first}", *(f"with {other}" for other in others)])
        yield from wrap(f"How probably this draw {would} {chances} ({INVENTED}).", width)
    if audit.verdict is AuditVerdict.INCONCLUSIVE and not audit.population:
        yield "no row of these locks says how something came out"
    if audit.interrupted or (audit.verdict is AuditVerdict.INCONCLUSIVE and audit.population):
        yield from wrap(f"What was taken is kept: the same command with --nonce {audit.nonce} goes on.", width)
    yield f"{MEANING[audit.verdict]}: {_spent(audit)}" + (f" (exit status {audit.exit_code})" if audit.exit_code else "")


def _odds(audit: Audit) -> str:
    """How an honest lock would look."""
    claims = [claim for row in audit.rows for claim in row.claims]
    if any(claim.exact and claim.differs for claim in claims):
        return "An honest lock cannot look like this, unless what surrounds the agent differs: these answers repeat exactly."
    if audit.p is not None:
        soft = " so far" if audit.verdict is AuditVerdict.INCONCLUSIVE else f"; below {_percent(audit.alpha)} it is refuted"
        return f"An honest lock looks at least this good beside fresh samples with a probability of {_percent(audit.p)}{soft}."
    return "Every answer that repeats exactly came out as it is locked." if claims else ""


def _spent(audit: Audit) -> str:
    spend = audit.spend
    calls = f"{counted(spend.agent_calls, 'agent call')}, {counted(spend.judge_calls, 'judge call')}"
    return f"{calls}, {float(spend.cost_usd):.2f} USD"


def _percent(share: float) -> str:
    """A probability that is small is not called none, nor a large one sure."""
    if share < 0.001:
        return "less than 0.1 %"
    if 0.999 < share < 1.0:
        return "more than 99.9 %"
    return f"{100 * share:.1f} %".replace(".0 %", " %")
