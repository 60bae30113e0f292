"""What a package can reach and run, as sorted names: `host:example.org`, `script:scripts/a.py`, `tool:Bash(git:*)`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from selftune_build.escape import one_line
from selftune_build.fingerprint.digest import digest_json
from selftune_build.late import late
from selftune_build.limits import SECURITY_EVIDENCE_CHARACTERS, SURFACE_NAME_CHARACTERS, SURFACE_NAMES
from selftune_build.model.finding import Finding
from selftune_build.model.location import Location
from selftune_build.model.package import SKILL_FILE
from selftune_build.security.catalogue import BY_CODE
from selftune_build.security.declared import tools_of
from selftune_build.security.subject import Subject

Surface = Mapping[str, Location]
"""Name → where it stands first, in the order of the names."""

HOST, SCRIPT, TOOL = "host:", "script:", "tool:"
_ADDRESS = late(
    r"(?<![A-Za-z0-9+.-])(?:https?|wss?|ftp|ssh|git)://(?:[^\s/@<>\"'`]{1,200}@)?([A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9a-fA-F:]{2,45}\])(:[0-9]{1,5})?",
    re.IGNORECASE,
)
_NOWHERE = late(
    r"(?:^|\.)(?:example(?:\.(?:com|org|net|edu))?|test|invalid|localhost|local)$|^127\.0\.0\.1$|^0\.0\.0\.0$|^\[::1\]$"
)
"""Names that reach nobody else (RFC 2606, RFC 6761, RFC 6762)."""

_DRIFTS = {
    HOST: ("security-drift-host", "the lock does not know this host", "look at what is fetched from there or sent to it"),
    SCRIPT: ("security-drift-script", "the lock does not know this script", "look at what it does"),
    TOOL: ("security-drift-tool", "the lock does not know this grant of allowed-tools", "look at whether the skill needs it"),
}


def surface(subject: Subject) -> dict[str, Location]:
    """All names with their first places. Where there are more than a lock should list, the rest is named by its digest."""
    places: dict[str, Location] = {}
    for text in subject.staged:
        if text.is_script:
            places.setdefault(SCRIPT + text.path[:SURFACE_NAME_CHARACTERS], Location(text.path))
        for number, host in _hosts(text.lines) if "://" in text.content else ():
            places.setdefault(HOST + host, Location(text.path, number))
    for tool in tools_of(subject.allowed_tools):
        places.setdefault(TOOL + tool[:SURFACE_NAME_CHARACTERS], Location(SKILL_FILE))
    names = sorted(places)
    kept, rest = names[:SURFACE_NAMES], names[SURFACE_NAMES:]
    shown = {name: places[name] for name in kept}
    return shown | ({f"{HOST}{digest_json(rest)}": places[rest[0]]} if rest else {})


def drift(old: Iterable[str], new: Surface) -> tuple[Finding, ...]:
    """A warning for each name of `new` that `old` does not have, and that is no narrower grant of a tool than one there."""
    known = frozenset(old)
    return tuple(_drifted(name, at) for name, at in new.items() if name not in known and not _is_granted(name, known))


def _hosts(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        for hit in _ADDRESS.finditer(line) if "://" in line else ():
            host = hit[1].lower().rstrip(".-")
            if not _NOWHERE.search(host):
                yield number, host + (hit[2] or "")


def _is_granted(name: str, known: frozenset[str]) -> bool:
    """Whether a tool is granted already, whole or under a wider pattern of the form `Bash(git:*)`."""
    if not name.startswith(TOOL):
        return False
    tool, _, scope = name.partition("(")
    if {TOOL + "*", tool, f"{tool}(*)", f"{tool}(:*)"} & known:
        return True
    wider = (each.partition("(")[2] for each in known if each.startswith(tool + "(") and each.endswith(":*)"))
    return any(scope == prefix[:-3] + ")" or scope.startswith((prefix[:-3] + ":", prefix[:-3] + " ")) for prefix in wider)


def _drifted(name: str, at: Location) -> Finding:
    kind = next(kind for kind in _DRIFTS if name.startswith(kind))
    code, said, hint = _DRIFTS[kind]
    message = f"{said}: {one_line(name.removeprefix(kind), SECURITY_EVIDENCE_CHARACTERS)}"
    return Finding(code, BY_CODE[code].severity, message, at, hint)
