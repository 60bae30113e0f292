"""All rules over one package, each bounded, in one order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from selftune_build.limits import SECURITY_FINDINGS_PER_RULE
from selftune_build.security.characters import check_characters
from selftune_build.security.commands import check_commands
from selftune_build.security.concealment import check_concealment
from selftune_build.security.declared import check_declared
from selftune_build.security.encoded import check_encoded
from selftune_build.security.files import Head, check_file
from selftune_build.security.names import check_name
from selftune_build.security.secrets import check_secrets
from selftune_build.security.subject import Found, Subject, found

Check = Callable[[Subject], Iterator[Found]]
CHECKS: tuple[Check, ...] = (
    check_characters,
    check_concealment,
    check_encoded,
    check_commands,
    check_declared,
    check_name,
    check_secrets,
)


def inspect(subject: Subject, heads: Iterable[Head]) -> tuple[Found, ...]:
    """Every finding, sorted by path and line, one for equal texts of one file; of each rule at most so many."""
    every = (one for source in (*(check(subject) for check in CHECKS), *map(check_file, heads)) for one in _bounded(source))
    unique: dict[str, Found] = {}
    for one in every:
        unique.setdefault(one.key, one)
    return tuple(sorted(unique.values(), key=_place))


def _bounded(source: Iterator[Found]) -> Iterator[Found]:
    """Ends with a finding as grave as the rest would be, which no waiver of those before it covers."""
    counts: Counter[str] = Counter()
    for one in source:
        counts[one.finding.code] += 1
        if counts[one.finding.code] > SECURITY_FINDINGS_PER_RULE:
            said = f"more than {SECURITY_FINDINGS_PER_RULE} findings of {one.finding.code}; the rest was not looked at"
            at = one.finding.at
            yield found("security-not-scanned", at.path if at else "", None, said, said, show="", severity=one.finding.severity)
            return
        yield one


def _place(one: Found) -> tuple[str, int, str]:
    at = one.finding.at
    return (at.path if at else "", (at.line or 0) if at else 0, one.finding.code)
