"""Rules on the body of SKILL.md: its size, and the files it points to."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from msgspec import Struct

from selftune_build.escape import one_line
from selftune_build.late import late
from selftune_build.limits import SPEC_BODY_LINES_MAX, SPEC_BODY_TOKENS_MAX, SPEC_LINK_SCAN_BYTES_MAX
from selftune_build.model.finding import Finding
from selftune_build.model.location import Location
from selftune_build.stages.spec_rules.catalogue import finding
from selftune_build.stages.spec_rules.fields import Subject

if TYPE_CHECKING:
    from markdown_it.token import Token

BYTES_PER_TOKEN = 4
"""A rough but steady estimate; no host's tokeniser is worth loading for a note."""

_SCHEME = late(r"[A-Za-z][A-Za-z0-9+.-]{1,30}:|//|#")
_COMMAND = late(r"/[\w-]+(?::[\w-]+)?")
_PATH_WORD = late(r"(?:\./)?(?:scripts|references|assets)/[A-Za-z0-9_./-]{1,200}\.[A-Za-z0-9]{1,8}")
_NOT_NEEDED = ["emphasis", "entity", "hr", "newline"]
_SHOWN = 120
_REPORTED_MAX = 50


def check_body(subject: Subject) -> Iterator[Finding]:
    """Findings on length, missing, escaping and deep references."""
    body = subject.skill.body
    if not body:
        yield finding("body-empty", "there is nothing below the frontmatter", Location(subject.path, subject.skill.body_line))
        return
    yield from _size(subject, body)
    if len(body.encode()) > SPEC_LINK_SCAN_BYTES_MAX:
        message = f"the body has more than {SPEC_LINK_SCAN_BYTES_MAX} bytes; its references were not looked at"
        yield finding("references-not-checked", message, Location(subject.path))
        return
    yield from _reference_findings(subject, body)


class Reference(Struct, frozen=True):
    """A path that the body points to, its line in the body from 0, and whether it is only named in a code span."""

    path: str
    line: int
    mention: bool = False


def references(body: str) -> Iterator[Reference]:
    """What the body points to in Markdown links, images and code spans, in its order."""
    if "](" not in body and "]:" not in body and "`" not in body:
        return
    from markdown_it import MarkdownIt

    for token in MarkdownIt("commonmark").disable(_NOT_NEEDED).parse(body):
        line = token.map[0] if token.map else 0
        for child in token.children or ():
            yield from _pointed_to(child, line)


def _size(subject: Subject, body: str) -> Iterator[Finding]:
    lines, tokens = body.count("\n") + 1, len(body.encode()) // BYTES_PER_TOKEN
    at, hint = Location(subject.path, subject.skill.body_line), "move parts that are not always needed to references/"
    if lines > SPEC_BODY_LINES_MAX:
        yield finding("body-lines", f"the body has {lines} lines; {SPEC_BODY_LINES_MAX} are recommended", at, hint)
    if tokens > SPEC_BODY_TOKENS_MAX:
        yield finding("body-tokens", f"the body has about {tokens} tokens; {SPEC_BODY_TOKENS_MAX} are recommended", at, hint)


def _pointed_to(token: Token, line: int) -> Iterator[Reference]:
    if token.type == "code_inline":
        yield from (Reference(word, line, mention=True) for word in token.content.split() if _PATH_WORD.fullmatch(word))
    target = token.attrGet("href") or token.attrGet("src")
    # `/plugin:skill` is how a host calls a command, and `/page` a place on a site.
    if isinstance(target, str) and not _SCHEME.match(target) and not _COMMAND.fullmatch(target):
        path = unquote(re.split("[?#]", target, maxsplit=1)[0])
        if path:
            yield Reference(path, line)


def _reference_findings(subject: Subject, body: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for reference in sorted(references(body), key=lambda each: each.mention):  # a link says more than a mention
        if reference.path in seen or len(seen) >= _REPORTED_MAX:
            continue
        seen.add(reference.path)
        yield from _reference(subject, reference)


def _reference(subject: Subject, reference: Reference) -> Iterator[Finding]:
    path, at = reference.path, Location(subject.path, subject.skill.body_line + reference.line)
    normal = posixpath.normpath(path.replace("\\", "/"))
    if normal.startswith(("/", "../")) or normal == "..":
        hint = "point to files of the package, relative to SKILL.md"
        yield finding("reference-escapes", f"{_shown(path)} leads out of the package", at, hint)
    elif not _exists(subject.files, normal):
        code, how = ("mention-missing", "is named and") if reference.mention else ("reference-missing", "is")
        yield finding(code, f"{_shown(path)} {how} not in the package", at, _closest(subject.files, normal))
    elif normal.count("/") > 1:
        hint = "keep what SKILL.md points to one folder down"
        yield finding("reference-deep", f"{_shown(path)} is {normal.count('/')} folders down", at, hint)


def _exists(files: frozenset[str], path: str) -> bool:
    return path == "." or path in files or any(file.startswith(path + "/") for file in files)


def _closest(files: frozenset[str], path: str) -> str | None:
    """A hint where only the case differs (that works on some systems and fails on others), or only the folder."""
    same = next((file for file in sorted(files) if file.lower() == path.lower()), None)
    if same:
        return f"the file is spelled {_shown(same)}"
    moved = [file for file in files if posixpath.basename(file) == posixpath.basename(path)]
    return f"did you mean {_shown(moved[0])}?" if len(moved) == 1 else None


def _shown(path: str) -> str:
    return f"`{one_line(path, _SHOWN)}`"
