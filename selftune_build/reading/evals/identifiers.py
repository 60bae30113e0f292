"""Ids of cases that stay the same when another case is inserted, edited or removed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from selftune_build.errors import InputError
from selftune_build.escape import one_line
from selftune_build.late import late
from selftune_build.limits import CASE_ID_CHARACTERS
from selftune_build.model.case import Case
from selftune_build.model.finding import Finding, Severity
from selftune_build.reading.evals.content import case_digest, text_digest
from selftune_build.reading.evals.source import EvalReading

_WORDS = 5
_SLUG_CHARACTERS = 40
_DIGEST_DIGITS = 6
_HINT = "give every case an id of its own"
_WORD = late(r"[a-z0-9]+")


def id_fault(text: str) -> str | None:
    """What is wrong with a declared id, None for a good one: printable, on one line, no space around it, not too long."""
    if not text:
        return "it is empty"
    if len(text) > CASE_ID_CHARACTERS:
        return f"it is longer than {CASE_ID_CHARACTERS} characters"
    if not text.isprintable():
        return "it holds a character that cannot be shown"
    return "it starts or ends with a space" if text != text.strip() else None


def derived_id(text: str) -> str:
    """The id of a case that declares none: the first words of its prompt and six digits of the digest of all of it."""
    words = _WORD.findall(text[: 20 * _SLUG_CHARACTERS].lower())[:_WORDS]
    slug = "-".join(words)[:_SLUG_CHARACTERS].strip("-") or "case"
    return f"{slug}-{text_digest(text)[:_DIGEST_DIGITS]}"


def with_unique_ids(cases: Sequence[Case], *, taken: Collection[str], strict: Collection[str]) -> EvalReading:
    """The cases with ids that differ from each other and from those `taken`, in the same order.

    A later case with the id of an earlier one gets `~` and six digits of its content; where it says exactly the same it
    is left out, since a case counted twice would pass for two. Both are findings. Raises InputError for a repeated id
    in one of the formats in `strict`.
    """
    digests: dict[str, set[str]] = {}
    known = set(taken)
    kept: list[Case] = []
    findings: list[Finding] = []
    first: dict[str, Case] = {}
    for case in cases:
        if case.id not in known:
            known.add(case.id)
            first[case.id] = case
            kept.append(case)
            continue
        _refuse_strict(case, first.get(case.id), strict)
        seen = digests.setdefault(case.id, {case_digest(first[case.id])} if case.id in first else set())
        digest = case_digest(case)
        if digest in seen:
            findings.append(_finding("case-repeated", case, "is there already with the same content and counts once"))
            continue
        seen.add(digest)
        renamed = _renamed(case, digest, known)
        known.add(renamed.id)
        kept.append(renamed)
        findings.append(_finding("case-id-repeated", case, f"is the id of another case; this one is `{renamed.id}` here"))
    return EvalReading(tuple(kept), tuple(findings))


def _refuse_strict(case: Case, first: Case | None, strict: Collection[str]) -> None:
    if case.origin is None or case.origin.format not in strict:
        return
    where = (
        f"in {first.origin.at.path}, line {first.origin.at.line}" if first and first.origin else "in another file of the package"
    )
    message = f"the id `{one_line(case.id, 60)}` is taken {where}"
    raise InputError(message, at=case.origin.at, hint=_HINT, code="case-id-repeated")


def _renamed(case: Case, digest: str, known: Collection[str]) -> Case:
    digits = next(count for count in range(_DIGEST_DIGITS, len(digest) + 1) if f"{case.id}~{digest[:count]}" not in known)
    return Case(**{**{name: getattr(case, name) for name in case.__struct_fields__}, "id": f"{case.id}~{digest[:digits]}"})


def _finding(code: str, case: Case, message: str) -> Finding:
    at = case.origin.at if case.origin else None
    return Finding(code, Severity.WARNING, f"`{one_line(case.id, 60)}` {message}", at, _HINT)
