"""What is fetched or decoded and run unseen, and instructions that are fetched and followed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from selftune_build.late import late
from selftune_build.limits import SECURITY_CANDIDATES
from selftune_build.model.finding import Finding, Severity
from selftune_build.security.subject import Subject, Text, found

_WINDOW = 400
_FETCH = r"(?:curl|wget|aria2c|iwr|irm|invoke-webrequest|invoke-restmethod)"
_SUFFIX = r"(?:sh|ps1|io|com|dev|net|org|ai|app|xyz|co|me|ru|cn|top|site)"
_SOURCE = rf"(?:https?://|ftp://|www\.|\$[\w{{(\"']|[\"']?[\w-]{{1,60}}\.{_SUFFIX}\b|<[\w -]{{1,40}}>|[\"']?\{{)"
_INTO_SHELL = late(
    r"\|&?\s{0,4}(?:sudo\s{1,3}(?:-\w{1,20}\s{1,3}){0,3})?(?:env\s{1,3}(?:\w{1,40}=\S{0,80}\s{1,3}){0,4})?"
    r"(?:(?:/usr)?(?:/local)?/bin/(?:env\s)?)?"
    r"(?:(?:ba|z|da|k|fi)?sh|python3?|node|perl|ruby|php|pwsh|powershell(?:\.exe)?|iex|invoke-expression)\b"
    r"(?!\s{0,4}[|(\w./=:<>]|\s{0,4}-(?:m|c|e|n|p|r|i|ne|pe|ane|Command|File)\b|\s{1,3}[a-z]{3,})",
    re.IGNORECASE,
)
"""A pipe into an interpreter that reads its program from there: without a script, a module or a program text of its own."""
_FETCHED = late(rf"\b{_FETCH}\b(?:\.exe)?[^;\n]{{0,300}}?{_SOURCE}", re.IGNORECASE)
_DECODED = late(
    r"\b(?:base64\s{1,3}(?:-d|-D|--decode|-di)|openssl\s{1,3}(?:enc\s{1,3})?-?base64\s{1,3}-d|xxd\s{1,3}-r)", re.IGNORECASE
)
_SUBSTITUTED = late(
    r"(?:\b(?:ba|z|da|k)?sh\s{1,3}-\w{0,3}c\s{1,3}|\beval\s{1,3}|\b(?:source|bash|sh|zsh)\s{1,3}|(?:^|[;&|]\s{0,3})\.\s{1,3}|\bpython3?\s{1,3}-c\s{1,3})"
    rf"[\"']?(?:\$\(|<\(|`)\s{{0,3}}{_FETCH}\b[^)`\n]{{0,300}}",
    re.IGNORECASE,
)
_POWERSHELL = late(r"\b(?:iex|invoke-expression)\b", re.IGNORECASE)
_POWERSHELL_FETCH = late(r"\b(?:iwr|irm|invoke-webrequest|invoke-restmethod|downloadstring|curl|wget)\b", re.IGNORECASE)
_REMOTE_CODE = late(
    r"\b(?:exec|eval|Function)\s{0,3}\(\s{0,3}(?:compile\s{0,3}\(\s{0,3})?(?:\(?await\s{1,3}){0,2}\(?"
    r"(?:requests\.(?:get|post)|urllib\.request\.urlopen|urlopen|httpx\.get|fetch|axios(?:\.get)?)\s{0,3}\(",
)
_SAVED = late(
    rf"\b{_FETCH}\b(?=[^\n]{{0,300}}?(?:(?:\s-o|\s--output|\s-OutFile|\s>)\s{{0,3}}[\"']?([^\s\"']{{1,80}})|://[^\s\"']{{1,200}}/([\w.-]{{1,80}})))",
    re.IGNORECASE,
)
_THEN = late(r"&&|;")
_RUNS = (
    r"(?:\b(?:ba|z)?sh\s{1,3}|\bsource\s{1,3}|\bchmod\s{1,3}(?:[ugoa]?\+x|[0-7]{3,4})\s{1,3}|\bpython3?\s{1,3}|\./)[\"']?(?:\./)?"
)
_URL = late(r"https?://[^\s<>\"'`)\]|;&]{1,500}", re.IGNORECASE)
_GET = late(
    r"\b(?:fetch|download|retrieve|get|read|load|open|visit|curl|go to|browse)\b[^.!?\n]{0,120}$",
    re.IGNORECASE,
)
_OBEY = late(
    r"^[^\n]{0,200}?\b(?:follow|obey|execute|carry out|apply|comply with|do (?:exactly )?what|act on|adhere to)\b[^.\n]{0,60}"
    r"\b(?:instructions?|steps|commands?|rules|guidelines|directions|directives|prompt|says|it|them|there)\b",
    re.IGNORECASE,
)
_FETCHED_RULES = late(
    r"\b(?:follow|apply|obey|execute|use|against)\b[^.\n]{0,60}\b(?:rules|instructions|guidelines|steps|commands)\b[^.\n]{0,30}"
    r"\b(?:from|in)\b[^.\n]{0,15}\b(?:fetched|downloaded|retrieved|remote)\b",
    re.IGNORECASE,
)
_AUTO = late(r"(?:^|[\s(:])!`([^`\n]{1,300})`")
_DOWNLOADED = "keep what runs in the package, or fetch it, check its digest and run it in separate steps"
_WORDS = ("curl", "wget", "aria2c", "base64", "xxd", "openssl", "exec", "eval", "function", "iwr", "irm", "iex", "invoke-")
"""Without one of these, in small letters, a line is none of the rules' business."""
_SIGNS = ("|", "`", "(", ";", "&&", "iex", "invoke-expression")
"""Nor is a text of ASCII without one of these: nothing joins what is fetched to what runs it."""
_SAID = {
    "security-curl-pipe-shell": "fetched and run unseen",
    "security-decode-pipe-shell": "decoded and run unseen",
    "security-remote-code": "code that was fetched is run",
    "security-download-run": "downloaded and run at once",
}
_RESERVED = late(
    r"[a-z]+://(?:[\w-]{1,60}\.){0,5}(?:example\.(?:com|org|net)|example|test|invalid|localhost)(?::\d{1,5})?(?=[/?#]|$)|[a-z]+://127\.0\.0\.1(?::\d{1,5})?(?=[/?#]|$)"
)
"""Names that reach nobody else (RFC 2606)."""
_PLACE = late(r"\$(?!\()|[\w-]\.[a-z]{2,}|\d\.\d{1,3}\.\d|\[[0-9a-f:]+\]", re.IGNORECASE)
_RESERVED_HOST = late(r"\s[\"']?example\.(?:com|org|net)\b")
INSTALLERS = (
    "https://aka.ms/install",
    "https://astral.sh/uv/",
    "https://bun.sh/install",
    "https://claude.ai/install.",
    "https://deb.nodesource.com/setup_",
    "https://deno.land/install.",
    "https://get.docker.com/",
    "https://get.pnpm.io/install.",
    "https://install.python-poetry.org/",
    "https://ollama.com/install.sh",
    "https://raw.githubusercontent.com/homebrew/install/",
    "https://raw.githubusercontent.com/nvm-sh/nvm/",
    "https://sh.rustup.rs/",
)
"""Where the makers of widely used tools say to install them from; in small letters."""


def check_commands(subject: Subject) -> Iterator[Finding]:
    """Findings in everything an agent gets that is prose, script or configuration."""
    for text in subject.staged:
        for number, line in text.logical_lines() if _joins(text.low) and _concerns(text.low) else ():
            if _concerns(line.lower()):
                yield from _piped(text, number, line)
                yield from _run(text, number, line)
        if text.is_prose and "://" in text.content:
            yield from _followed(text)
    skill = subject.skill
    if skill is not None and "!`" in skill.content:
        yield from _opened(skill)


def _joins(low: str) -> bool:
    """Other letters than ASCII may be the capitals of some that the patterns name."""
    return not low.isascii() or any(sign in low for sign in _SIGNS)


def _concerns(low: str) -> bool:
    return any(word in low for word in _WORDS)


def _piped(text: Text, number: int, line: str) -> Iterator[Finding]:
    if "|" not in line:
        return
    is_row = text.is_prose and line.lstrip().startswith("|")
    for hit in islice(_INTO_SHELL.finditer(line), SECURITY_CANDIDATES):
        if is_row and line[hit.start() - 1 : hit.start()] != "\\":
            continue
        before = line[max(0, hit.start() - _WINDOW) : hit.start()]
        source = _DECODED.search(before)
        if source:
            yield _unseen("security-decode-pipe-shell", text, number, line, before[source.start() :] + hit[0])
            return
        source = _FETCHED.search(before)
        if source:
            yield from _fetched(text, number, line, before[source.start() :] + hit[0])
            return


def _run(text: Text, number: int, line: str) -> Iterator[Finding]:
    hit = _SUBSTITUTED.search(line)
    shown = hit[0] if hit else _powershell(line)
    if shown:
        yield from _fetched(text, number, line, shown)
    elif _REMOTE_CODE.search(line):
        yield _unseen("security-remote-code", text, number, line, _first(_REMOTE_CODE, line))
    elif (shown := _saved_and_run(line)) != "":
        yield _unseen("security-download-run", text, number, line, shown)


def _saved_and_run(line: str) -> str:
    """From the fetching on, where what it writes is run behind it in the same line."""
    for hit in islice(_SAVED.finditer(line), SECURITY_CANDIDATES) if "&&" in line or ";" in line else ():
        near = line[hit.start() : hit.start() + 2 * _WINDOW]
        then = _THEN.search(near)
        name = (hit[1] or hit[2]).rpartition("/")[2]
        if then and name and re.search(_RUNS + re.escape(name), near[then.end() :]):
            return near
    return ""


def _first(pattern: re.Pattern[str], line: str) -> str:
    """The line from the first match on; empty without one."""
    hit = pattern.search(line)
    return line[hit.start() :] if hit else ""


def _fetched(text: Text, number: int, line: str, shown: str) -> Iterator[Finding]:
    """Nothing for addresses that reach nobody, less for the installers of tools that everybody knows."""
    addresses = [hit[0].lower() for hit in _URL.finditer(shown)]
    left = [address for address in addresses if not _RESERVED.match(address)]
    # Only where nothing else in it can be an address: a known one beside another is a decoy.
    told = (addresses or _RESERVED_HOST.search(shown)) and not _PLACE.search(_RESERVED_HOST.sub(" ", _URL.sub(" ", shown)))
    if left or not told:
        known = bool(told) and all(map(_is_installer, left))
        yield _unseen("security-curl-pipe-shell", text, number, line, shown, Severity.WARNING if known else None)


def _is_installer(address: str) -> bool:
    """Whether the address lies below one of `INSTALLERS`, whatever a client makes of its path."""
    return f"{address}/".startswith(INSTALLERS) and not {"%", "\\"} & set(address) and ".." not in address


def _unseen(code: str, text: Text, number: int, line: str, shown: str, severity: Severity | None = None) -> Finding:
    return found(code, text.path, number, _SAID[code], line.strip(), show=shown, hint=_DOWNLOADED, severity=severity)


def _powershell(line: str) -> str:
    for hit in islice(_POWERSHELL.finditer(line), SECURITY_CANDIDATES):
        near = line[max(0, hit.start() - _WINDOW) : hit.end() + _WINDOW]
        source = _POWERSHELL_FETCH.search(near)
        if source and ("://" in near or "$" in near):
            end = min(hit.start(), _WINDOW) + len(hit[0])
            return near[source.start() : end] if source.end() < end else near[end - len(hit[0]) :]
    return ""


def _followed(text: Text) -> Iterator[Finding]:
    """Lines that say to fetch from an address and do what stands there."""
    hint = "copy what is needed into references/, where the lock covers it"
    for number, line in enumerate(text.lines, 1):
        if not text.fenced[number - 1]:
            shown = _address_to_follow(text, number, line) if "://" in line else _first(_FETCHED_RULES, line)
            if shown:
                said = "instructions are fetched and followed"
                yield found("security-remote-instructions", text.path, number, said, line.strip(), show=shown, hint=hint)


def _address_to_follow(text: Text, number: int, line: str) -> str:
    nearby = " ".join(text.lines[number - 1 : number + 3]) if len(line) < _WINDOW else line
    for hit in islice(_URL.finditer(line), SECURITY_CANDIDATES // 10):
        before, after = nearby[max(0, hit.start() - 200) : hit.start()], nearby[hit.end() : hit.end() + 300]
        if _GET.search(before) and _OBEY.search(after):
            return hit[0]
    return ""


def _opened(skill: Text) -> Iterator[Finding]:
    for number, line in enumerate(skill.lines, 1):
        hit = None if skill.fenced[number - 1] else _AUTO.search(line)
        if hit and line.count("`", 0, hit.start()) % 2 == 0:
            hint = "ask for the command in words, so that the host asks before it runs"
            yield found(
                "security-auto-execution", skill.path, number, "hosts run this when the skill is opened", hit[1], hint=hint
            )
