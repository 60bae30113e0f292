"""All rules over one package, each bounded, in one order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from selftune_build.limits import SECURITY_FINDINGS_PER_RULE
from selftune_build.model.finding import Finding, Severity
from selftune_build.security.characters import check_characters
from selftune_build.security.commands import check_commands
from selftune_build.security.concealment import check_concealment
from selftune_build.security.declared import check_declared
from selftune_build.security.encoded import check_encoded
from selftune_build.security.files import Head, check_file
from selftune_build.security.names import check_name
from selftune_build.security.secrets import check_secrets
from selftune_build.security.subject import Subject, found

Check = Callable[[Subject], Iterator[Finding]]
CHECKS: tuple[Check, ...] = (
    check_characters,
    check_concealment,
    check_encoded,
    check_commands,
    check_declared,
    check_name,
    check_secrets,
)


def inspect(subject: Subject, heads: Iterable[Head]) -> tuple[Finding, ...]:
    """Every finding, sorted by path and line, one for equal texts of one file; of each rule at most so many."""
    every = (one for source in (*(check(subject) for check in CHECKS), *map(check_file, heads)) for one in _bounded(source))
    unique: dict[str | None, Finding] = {}
    for one in every:
        unique.setdefault(one.key, one)
    return tuple(sorted(unique.values(), key=_place))


def _bounded(source: Iterator[Finding]) -> Iterator[Finding]:
    """Not more of one kind than anybody reads; instead of the rest one finding as grave, bound to all that it stands for."""
    kept: Counter[tuple[str, Severity]] = Counter()
    rest: dict[tuple[str, Severity], list[Finding]] = {}
    for one in source:
        kind = (one.code, one.severity)
        kept[kind] += 1
        if kept[kind] <= SECURITY_FINDINGS_PER_RULE:
            yield one
        else:
            rest.setdefault(kind, []).append(one)
    for (code, severity), more in rest.items():
        at, evidence = more[0].at, " ".join(sorted({str(one.key) for one in more}))
        said = f"{len(more)} more findings of {code} are not listed"
        yield found(
            "security-not-scanned", at.path if at else "", at.line if at else None, said, evidence, show="", severity=severity
        )


def _place(one: Finding) -> tuple[str, int, str]:
    at = one.at
    return (at.path if at else "", (at.line or 0) if at else 0, one.code)
