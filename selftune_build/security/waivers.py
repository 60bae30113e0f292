"""Findings that a human has accepted: `accepted` of the manifest, each bound to the text it was given for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from selftune_build.escape import one_line
from selftune_build.limits import NAME_CHARACTERS
from selftune_build.model.finding import Finding
from selftune_build.model.location import Location
from selftune_build.model.manifest import Waiver
from selftune_build.model.report import Accepted
from selftune_build.security.catalogue import BY_CODE, GATE


class Weighed(Struct, frozen=True):
    """Findings that still count, those that were accepted, and a finding for each waiver of nothing."""

    open: tuple[Finding, ...]
    accepted: tuple[Accepted, ...]
    unused: tuple[Finding, ...]


def target_of(handle: str, code: str) -> str:
    """What a waiver of a finding names: `pdf:security[security-secret]`, a gate where rows have a stage."""
    return f"{handle}:{GATE}[{code}]"


def weigh(findings: Iterable[Finding], waivers: Sequence[Waiver], names: Iterable[str], manifest: str | None) -> Weighed:
    """The findings without those that a waiver names by target and key. `names` are those the package may be addressed by.

    Waivers of rows are none of this gate's business.
    """
    known = tuple(names)
    given = {(waiver.target, waiver.key): waiver for waiver in waivers if f":{GATE}[" in waiver.target}
    used: dict[tuple[str, str], Accepted] = {}
    left: list[Finding] = []
    for finding in findings:
        named = next((key for name in known if (key := (target_of(name, finding.code), finding.key or "")) in given), None)
        if named is None:
            left.append(finding)
        else:
            used[named] = Accepted(*named, given[named].reason, finding)
    unused = tuple(_unused(index, waiver, manifest) for index, waiver in enumerate(waivers) if _is_idle(waiver, given, used))
    return Weighed(tuple(left), tuple(used.values()), unused)


def _is_idle(waiver: Waiver, given: dict[tuple[str, str], Waiver], used: dict[tuple[str, str], Accepted]) -> bool:
    address = (waiver.target, waiver.key)
    return address in given and address not in used


def _unused(index: int, waiver: Waiver, manifest: str | None) -> Finding:
    code = "security-waiver-unused"
    shown = one_line(waiver.target, NAME_CHARACTERS)
    message = f"a waiver fits no finding: {shown}; what it was given for has changed or is gone"
    at = Location(manifest, pointer=f"/accepted/{index}") if manifest else None
    return Finding(code, BY_CODE[code].severity, message, at, "remove it, or give it the key of the finding of today")
