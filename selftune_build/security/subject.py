"""What the rules look at: the texts of a package, each cut into lines once."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct

from selftune_build.escape import one_line
from selftune_build.fingerprint.digest import digest_json
from selftune_build.late import late
from selftune_build.limits import SECURITY_EVIDENCE_CHARACTERS, SECURITY_LOGICAL_LINE_CHARACTERS
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.package import SKILL_FILE
from selftune_build.security.catalogue import BY_CODE
from selftune_build.security.tokens import LEAST_TOKEN, TOKEN, TOKEN_CHARACTERS, masked

PROSE_SUFFIXES = (".md", ".markdown", ".mdx", ".txt", ".rst")
SHELL_SUFFIXES = (".sh", ".bash", ".zsh", ".fish", ".ps1", ".psm1", ".bat", ".cmd")
SCRIPT_SUFFIXES = (
    *SHELL_SUFFIXES,
    *(".py", ".js", ".mjs", ".cjs", ".ts", ".mts", ".tsx", ".jsx", ".rb", ".pl"),
    *(".php", ".lua", ".go", ".rs", ".r", ".jl", ".swift"),
)

_FENCE = late(r" {0,3}(?:[>*+-] {0,3}|\d{1,3}[.)] {0,3}){0,3}\s{0,12}(```+|~~~+)")


class Text:
    """One file as text; `path` is relative to the package."""

    def __init__(self, path: str, content: str, *, executable: bool = False, staged: bool = True) -> None:
        self.path = path
        self.content = content
        self.staged = staged
        """Whether an agent gets it; eval files and the manifest are looked through for secrets only."""
        suffix = posixpath.splitext(path)[1].lower()
        self.is_prose = suffix in PROSE_SUFFIXES
        self.is_script = executable or suffix in SCRIPT_SUFFIXES or content.startswith("#!")

    @cached_property
    def lines(self) -> list[str]:
        """Without line ends."""
        return self.content.split("\n")

    @cached_property
    def low(self) -> str:
        """The content in small letters."""
        return self.content.lower()

    @cached_property
    def tokens(self) -> list[tuple[int, str]]:
        """Place and text of every run of at least twenty characters that keys, digests and encoded text are made of."""
        return list(_tokens(self.content))

    def line_of(self, place: int) -> int:
        """Number from 1 of the line that a place in `content` is on."""
        return self.content.count("\n", 0, place) + 1

    @cached_property
    def fenced(self) -> list[bool]:
        """For each line whether it is inside of a code fence, or is one."""
        marks, open_with = [], ""
        for line in self.lines:
            fence = _FENCE.match(line) if "```" in line or "~~~" in line else None
            marks.append(bool(open_with) or fence is not None)
            if fence is not None and not open_with:
                open_with = fence[1]
            elif fence is not None and fence[1].startswith(open_with) and not line[fence.end() :].strip():
                open_with = ""
        return marks

    def logical_lines(self) -> Iterator[tuple[int, str]]:
        """Number from 1 and text of each line; what a backslash or an open pipe continues is one line."""
        start, held = 0, ""
        for number, line in enumerate(self.lines, 1):
            joined, first = (held + line.lstrip(), start) if held else (line, number)
            rest = _continued(joined)
            if rest is None or len(rest) > SECURITY_LOGICAL_LINE_CHARACTERS:
                held = ""
                yield first, joined
            else:
                start, held = first, rest
        if held:
            yield start, held


class Subject(Struct, frozen=True):
    """A package to look at: its texts, and what its frontmatter says."""

    texts: tuple[Text, ...]
    name: str
    description: str
    allowed_tools: str | None
    compatibility: str
    others: tuple[str, ...] = ()
    """Names of the other skills of the workspace."""

    @property
    def skill(self) -> Text | None:
        """SKILL.md."""
        return next((text for text in self.texts if text.path == SKILL_FILE), None)

    @property
    def staged(self) -> tuple[Text, ...]:
        """What an agent gets."""
        return tuple(text for text in self.texts if text.staged)


_OF_TOKENS = bytes(ord("x" if chr(code) in TOKEN_CHARACTERS else " ") for code in range(256))


def _tokens(content: str) -> Iterator[tuple[int, str]]:
    if b"x" * LEAST_TOKEN not in content.encode("utf-8", "replace").translate(_OF_TOKENS):
        return
    place = 0
    for word in content.split():
        if len(word) >= LEAST_TOKEN:  # no token has white space in it, and few words are as long
            place = content.index(word, place)
            yield from ((place + hit.start(), hit[0]) for hit in TOKEN.finditer(word))
            place += len(word)


def _continued(line: str) -> str | None:
    """What of a line stands before its continuation; None where the line ends here. Rows of tables end in pipes, too."""
    end = line.rstrip()
    if end.endswith("\\"):
        return end[:-1] + " "
    return end + " " if end.endswith("|") and not end.lstrip().startswith("|") else None


def found(
    code: str,
    path: str,
    line: int | None,
    said: str,
    evidence: str,
    *,
    show: str | None = None,
    hint: str | None = None,
    severity: Severity | None = None,
) -> Finding:
    """What a rule found. A waiver is bound to `evidence` and path, never to the line; `show` is what of it may be shown."""
    # A token on the line that is quoted must not be published by the report.
    shown = one_line(masked(" ".join((evidence if show is None else show).split())), SECURITY_EVIDENCE_CHARACTERS)
    message = f"{said}: {shown}" if shown else said
    key = digest_json([code, path, evidence])
    return Finding(code, severity or BY_CODE[code].severity, message, Location(path, line), hint, key)
