"""SKILL.md → Skill: frontmatter and body the way hosts read them, and everything that would make two hosts disagree."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from selftune_build.errors import InputError
from selftune_build.late import late
from selftune_build.limits import SKILL_FILE_BYTES_MAX
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.package import Skill
from selftune_build.reading import strict_yaml
from selftune_build.reading.conflict_markers import conflict_markers
from selftune_build.reading.document import pointer_of

DELIMITER = "---"
BLANKS = " \t\f\v"
"""What is trimmed at the end of a line; white space of other alphabets is text."""

_BARE = "keep --- for the two delimiter lines, bare, the first of them at the very start of the file"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_CONTROL = late(r"[\x01-\x08\x0e-\x1f\x7f]")


class SkillReading(Struct, frozen=True):
    """A SKILL.md as read, what was noticed on the way, and where each top-level key of its frontmatter stands."""

    skill: Skill
    findings: tuple[Finding, ...] = ()
    locations: dict[str, Location] = field(default_factory=dict)


class _Parts(Struct, frozen=True):
    """The two halves of the text; `frontmatter` None where none was found, and `body` is then the whole text."""

    frontmatter: str | None
    body: str
    body_line: int
    findings: tuple[Finding, ...] = ()


def read_skill(content: bytes, path: str, folder_name: str) -> SkillReading:
    """Promises a Skill for any bytes: what cannot be read becomes an error finding, and the name is then the folder's.

    Raises InputError only where the file is larger than a text of this kind can be.
    """
    if len(content) > SKILL_FILE_BYTES_MAX:
        message = f"{len(content)} bytes are more than a SKILL.md may have ({SKILL_FILE_BYTES_MAX})"
        raise InputError(message, at=Location(path), hint="move long material to files under references/")
    text, text_findings = _decode(content, path)
    lines, line_findings = _lines(text, path)
    parts = _split(lines, path)
    data, locations, yaml_findings = _frontmatter(parts, path)
    found = (*text_findings, *conflict_markers(lines, path), *line_findings, *_hidden_delimiter(line_findings, parts, path))
    findings = (*found, *parts.findings, *yaml_findings)
    if data is None:
        return SkillReading(Skill(name=folder_name, description="", body=_trimmed(lines)), findings)
    return _reading(data, parts, findings, locations, path, folder_name)


def scalar_text(value: object) -> str | None:
    """The text that hosts make of a YAML scalar; None for a list, a mapping or null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _reading(
    data: dict[str, Any],
    parts: _Parts,
    findings: tuple[Finding, ...],
    locations: dict[str, Location],
    path: str,
    folder_name: str,
) -> SkillReading:
    name, name_findings = _text_field(data, "name", locations, path)
    description, description_findings = _text_field(data, "description", locations, path)
    skill = Skill(
        name=name or folder_name,
        description=description,
        frontmatter=data,
        body=parts.body,
        body_line=parts.body_line,
    )
    return SkillReading(skill, (*findings, *name_findings, *description_findings), locations)


def _decode(content: bytes, path: str) -> tuple[str, tuple[Finding, ...]]:
    findings = []
    if content.startswith(_BYTE_ORDER_MARK):
        content = content[len(_BYTE_ORDER_MARK) :]
        why = "it starts with a byte order mark, which some readers take as text"
        findings.append(_ambiguous(path, 1, why, "save the file as UTF-8 without a byte order mark"))
    try:
        return content.decode(), tuple(findings)
    except UnicodeDecodeError as error:
        findings.append(_not_utf8(content, error.start, path))
        # Escapes, not replacement characters: two different files must not become one text.
        return content.decode("utf-8", "backslashreplace"), tuple(findings)


def _not_utf8(content: bytes, offset: int, path: str) -> Finding:
    at = Location(path, content.count(b"\n", 0, offset) + 1)
    said = "UTF-16" if content.startswith(_WIDE_MARKS) else f"byte 0x{content[offset]:02x} is not UTF-8"
    return Finding("skill-not-utf8", Severity.ERROR, f"SKILL.md must be UTF-8: {said}", at, "save the file as UTF-8")


def _lines(text: str, path: str) -> tuple[list[str], tuple[Finding, ...]]:
    text = text.replace("\r\n", "\n")
    lone = text.find("\r")
    findings = []
    if lone >= 0:
        at = Location(path, _line_of(text, lone))
        message = "a carriage return without a line feed: some readers see one line here, others two"
        findings.append(Finding("lone-carriage-return", Severity.WARNING, message, at, "end lines with LF or CRLF"))
    lines = text.replace("\r", "\n").split("\n")
    return lines, (*findings, *_hidden(lines, path))


def _hidden(lines: list[str], path: str) -> list[Finding]:
    """The first NUL and the first other control character."""
    findings = []
    nul = next((index for index, line in enumerate(lines) if "\0" in line), None)
    if nul is not None:
        message = "a NUL character: some readers end here, others go on"
        findings.append(Finding("nul-character", Severity.ERROR, message, Location(path, nul + 1), "remove it"))
    control = next((index for index, line in enumerate(lines) if not line.isprintable() and _CONTROL.search(line)), None)
    if control is not None:
        message = "a control character that no reader shows"
        findings.append(Finding("control-character", Severity.WARNING, message, Location(path, control + 1), "remove it"))
    return findings


def _split(lines: list[str], path: str) -> _Parts:
    if lines[0].rstrip(BLANKS) != DELIMITER:
        return _Parts(None, "", 1, (_no_opening(lines, path),))
    closing = next((index for index, line in enumerate(lines) if index and line.rstrip(BLANKS) == DELIMITER), None)
    if closing is None:
        return _Parts(None, "", 1, _no_closing(lines, path))
    inside = lines[1:closing]
    return _Parts(
        frontmatter="\n".join(line.rstrip(BLANKS) for line in inside),
        body=_trimmed(lines[closing + 1 :]),
        body_line=closing + 2,
        findings=_disagreements(lines, closing, path),
    )


def _no_opening(lines: list[str], path: str) -> Finding:
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if lines[first].lstrip().startswith(DELIMITER):
        return _ambiguous(path, first + 1, "the opening --- must be the whole first line; some readers accept this one")
    hint = "start the file with a line ---, then name: and description:, then a line ---"
    return Finding("frontmatter-missing", Severity.ERROR, "SKILL.md has no frontmatter", Location(path, 1), hint)


def _no_closing(lines: list[str], path: str) -> tuple[Finding, ...]:
    hint = "end the frontmatter with a line that is exactly ---"
    unclosed = Finding("frontmatter-unclosed", Severity.ERROR, "the frontmatter is never closed", Location(path, 1), hint)
    other = _first_dashes(lines, 1, len(lines))
    return (unclosed,) if other is None else (unclosed, _dashes_inside(path, other))


def _disagreements(lines: list[str], closing: int, path: str) -> tuple[Finding, ...]:
    findings = [
        _ambiguous(path, index + 1, "white space after ---; readers that want the bare line do not see a delimiter")
        for index in (0, closing)
        if lines[index] != DELIMITER
    ]
    inside = _first_dashes(lines, 1, closing)
    return tuple(findings) if inside is None else (*findings, _dashes_inside(path, inside))


def _hidden_delimiter(line_findings: tuple[Finding, ...], parts: _Parts, path: str) -> tuple[Finding, ...]:
    lines = [finding.at.line or 0 for finding in line_findings if finding.code == "lone-carriage-return" and finding.at]
    if parts.frontmatter is None or not lines or lines[0] >= parts.body_line:
        return ()
    why = "a carriage return alone ends a line of it; readers that want LF see another text"
    return (_ambiguous(path, lines[0], why, "end lines with LF or CRLF"),)


def _first_dashes(lines: list[str], start: int, end: int) -> int | None:
    return next((index for index in range(start, end) if DELIMITER in lines[index]), None)


def _dashes_inside(path: str, index: int) -> Finding:
    return _ambiguous(path, index + 1, "--- inside the frontmatter; readers that split at the first --- end it here")


def _ambiguous(path: str, line: int, why: str, hint: str = _BARE) -> Finding:
    message = f"hosts will disagree on the frontmatter: {why}"
    return Finding("ambiguous-frontmatter", Severity.ERROR, message, Location(path, line), hint)


def _frontmatter(parts: _Parts, path: str) -> tuple[dict[str, Any] | None, dict[str, Location], tuple[Finding, ...]]:
    """The frontmatter as data (None: there is none to be had), places of its keys, findings."""
    if parts.frontmatter is None:
        return None, {}, ()
    try:
        document = strict_yaml.load(f"{parts.frontmatter}\n".encode(), path, wild=True, first_line=2)
    except InputError as error:
        hint = error.hint or "put quotes around a value that contains a colon and a space"
        at = error.at or Location(path, 1)
        return None, {}, (Finding("frontmatter-invalid", Severity.ERROR, f"invalid YAML: {error.message}", at, hint),)
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        message = "the frontmatter must be a mapping of keys to values"
        return None, {}, (*document.findings, Finding("frontmatter-not-map", Severity.ERROR, message, Location(path, 2)))
    locations = {key: document.locate(pointer_of((key,))) for key in data}
    return data, locations, document.findings


def _text_field(data: dict[str, Any], key: str, locations: dict[str, Location], path: str) -> tuple[str, tuple[Finding, ...]]:
    value = data.get(key)
    at = locations.get(key, Location(path, 1))
    text = scalar_text(value)
    if value is not None and text is None:
        message = f"{key} must be text, not a {'list' if isinstance(value, list) else 'mapping'}"
        return "", (Finding(f"{key}-not-scalar", Severity.ERROR, message, at),)
    if text is None or not text.strip():
        hint = f"add {key}: to the frontmatter"
        return "", (Finding(f"{key}-missing", Severity.ERROR, f"{key} is missing or empty", at, hint),)
    if isinstance(value, str):
        return text.strip(), ()
    message = f"{key} is not text but {text}; hosts differ in how they write it"
    return text, (Finding(f"{key}-not-text", Severity.WARNING, message, at, f'write {key}: "{text}"'),)


def _trimmed(lines: list[str]) -> str:
    return "\n".join(line.rstrip(BLANKS) for line in lines).rstrip(BLANKS + "\n")


def _line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
