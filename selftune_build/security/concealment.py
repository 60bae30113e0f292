"""Text that a reader of the rendered page does not see: comments, hidden elements, text out of sight, and asking for secrecy."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selftune_build.late import late
from selftune_build.limits import (
    SECURITY_BLANK_LINES,
    SECURITY_BLANKS,
    SECURITY_CANDIDATES,
    SECURITY_COMMENT_CHARACTERS,
    SECURITY_PROSE_LINE_CHARACTERS,
)
from selftune_build.model.finding import Finding
from selftune_build.security.phrases import ADDRESS, CONCEAL, OVERRIDE, hostile
from selftune_build.security.subject import Subject, Text, found

_REFERENCE_COMMENT = late(r"^ {0,3}\[[^\]\n]{0,40}\]:\s{0,3}(?:#|<>)\s{1,3}[\"'(](.{1,2000})[\"')]\s*$")
_STYLED = late(
    r"<[a-z][a-z0-9]{0,15}\b[^<>\n]{0,200}\bstyle\s{0,2}=\s{0,2}[\"'][^\"'<>\n]{0,200}?"
    r"(?:display\s{0,2}:\s{0,2}none|visibility\s{0,2}:\s{0,2}hidden|font-size\s{0,2}:\s{0,2}[01](?:px|pt|em)?\s{0,2}[;\"']"
    r"|opacity\s{0,2}:\s{0,2}0(?:\.0+)?\s{0,2}[;\"']|(?<![-\w])color\s{0,2}:\s{0,2}(?:#fff(?:fff)?|white|transparent)\b)"
    r"[^<>\n]{0,200}>([^<]{1,2000})",
    re.IGNORECASE,
)
_HIDDEN_ATTRIBUTE = late(r"<[a-z][a-z0-9]{0,15}\s[^<>\n]{0,200}?\bhidden\b[^<>\n]{0,200}>([^<]{1,2000})", re.IGNORECASE)
_BLANK = r"[ \t\u00a0\u2000-\u200a\u3000]"
_BLANKS = late(rf"(?<!{_BLANK}){_BLANK}{{{SECURITY_BLANKS},}}+(?=[^\s|])")
_FORGET = ("ignore", "disregard", "forget", "override")
_OPEN = "write it in the open, or remove it"


def check_concealment(subject: Subject) -> Iterator[Finding]:
    """Findings in the prose of a package; scripts and data have comments for good reasons."""
    for text in subject.staged:
        if text.is_prose:
            yield from _hidden_parts(text)
            yield from _out_of_sight(text)
            yield from _secrecy(text)


def _hidden_parts(text: Text) -> Iterator[Finding]:
    for line, inside in (*_comments(text), *_reference_comments(text), *_elements(text)):
        wanted = hostile(inside)
        if wanted:
            said = "hidden from whoever reads the rendered page"
            yield found("security-hidden-comment", text.path, line, said, inside, hint=_OPEN)
        elif (address := ADDRESS.search(inside)) is not None:
            said = "a comment that speaks to the model"
            yield found("security-comment-to-model", text.path, line, said, inside, show=address[0], hint=_OPEN)


def _comments(text: Text) -> Iterator[tuple[int, str]]:
    """Line and content of HTML comments outside of code; one that is never closed hides the rest."""
    place, line, content = 0, 1, text.content
    for _ in range(SECURITY_CANDIDATES):
        start = content.find("<!--", place)
        if start < 0:
            return
        line += content.count("\n", place, start)
        end = content.find("-->", start + 4)
        written = content.count("`", content.rfind("\n", 0, start) + 1, start) % 2
        if not text.fenced[line - 1] and not written:
            inside = content[start + 4 : end if end >= 0 else len(content)]
            yield line, inside.strip()[:SECURITY_COMMENT_CHARACTERS]
        if end < 0:
            return
        line += content.count("\n", start, end)
        place = end


def _reference_comments(text: Text) -> Iterator[tuple[int, str]]:
    """Link definitions that nothing refers to: `[//]: # (text)`."""
    for number, line in enumerate(text.lines, 1) if "]:" in text.content else ():
        hit = _REFERENCE_COMMENT.match(line) if "]:" in line[:60] and not text.fenced[number - 1] else None
        if hit:
            yield number, hit[1]


def _elements(text: Text) -> Iterator[tuple[int, str]]:
    """Line and text of elements that a style or an attribute hides, outside of code."""
    for number, line in enumerate(text.lines, 1) if "<" in text.content else ():
        if "<" not in line or "`" in line or text.fenced[number - 1]:
            continue
        window = "\n".join(text.lines[number - 1 : number + 9]) if len(line) < SECURITY_COMMENT_CHARACTERS else line
        for pattern in (_STYLED, _HIDDEN_ATTRIBUTE):
            hit = pattern.search(window)
            if hit and hit.start() <= len(line) and hit[1].strip():
                yield number, hit[1].strip()
                break


def _out_of_sight(text: Text) -> Iterator[Finding]:
    blank = 0
    for number, line in enumerate(text.lines, 1) if _has_space(text.lines) else ():
        if not line.strip():
            blank += 1
            continue
        hidden = _BLANKS.search(line) if len(line) > SECURITY_BLANKS and not line.lstrip().startswith("|") else None
        if hidden:
            said = f"text after {len(hidden[0])} blanks in a row"
            yield found("security-off-screen", text.path, number, said, line[hidden.end() :], hint=_OPEN)
        elif blank >= SECURITY_BLANK_LINES:
            yield found("security-off-screen", text.path, number, f"text after {blank} empty lines", line, hint=_OPEN)
        elif len(line) > SECURITY_PROSE_LINE_CHARACTERS:
            hint = "break the line, or move data to a file of its own"
            said = f"a line of {len(line)} characters"
            yield found("security-long-line", text.path, number, said, line, show="", hint=hint)
        blank = 0


def _has_space(lines: list[str]) -> bool:
    """Whether anything can be out of sight there: a line is longer than so many blanks, or so many are empty."""
    empty = lines.count("") + sum(map(str.isspace, lines))
    return empty >= SECURITY_BLANK_LINES or len(max(lines, key=len)) > SECURITY_BLANKS


def _secrecy(text: Text) -> Iterator[Finding]:
    hint = "say why the user is better off, or remove it"
    suspect = "user" in text.low or any(verb in text.low for verb in _FORGET)
    for number, line in enumerate(text.lines, 1) if suspect else ():
        low = line.lower()
        conceals = CONCEAL.search(line) if "user" in low else None
        hit = conceals or (OVERRIDE.search(line) if any(verb in low for verb in _FORGET) else None)
        if hit and not text.fenced[number - 1]:
            said = "it asks to keep something from the user" if conceals else "it asks to ignore other instructions"
            yield found("security-concealment", text.path, number, said, line.strip(), show=hit[0], hint=hint)
