"""What the reference validator of the specification (skills-ref) says of the same SKILL.md."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import PurePosixPath

from msgspec import Struct

from selftune_build.escape import one_line
from selftune_build.limits import SKILL_FILE_BYTES_MAX, SPEC_SECOND_OPINION_BYTES_MAX, SPEC_SECOND_OPINION_LINES_MAX
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.stages.spec_rules.catalogue import finding
from selftune_build.stages.spec_rules.plain_frontmatter import is_plainly_valid

SAME_QUESTION = frozenset(
    {
        "skill-not-utf8",
        "ambiguous-frontmatter",
        "frontmatter-missing",
        "frontmatter-unclosed",
        "frontmatter-invalid",
        "frontmatter-not-map",
        "yaml-duplicate-key",
        "name-missing",
        "name-not-scalar",
        "name-not-ascii",
        "name-unsafe",
        "name-characters",
        "name-hyphens",
        "name-too-long",
        "name-not-folder",
        "description-missing",
        "description-not-scalar",
        "description-too-long",
        "compatibility-length",
        "extra-key",
    }
)
"""Rules that skills-ref has too; on types of other values, body, links and files it has no opinion."""

_COMPLAINTS_MAX = 3
_SHOWN = 240


class SecondOpinion(Struct, frozen=True):
    """`accepted` None: it was not asked or gave no answer, and `reason` says why. A function of SKILL.md and folder name."""

    accepted: bool | None
    complaints: tuple[str, ...] = ()
    reason: str = ""


def ask_second_opinion(content: bytes, folder_name: str) -> SecondOpinion:
    """The answer of skills-ref, in memory: nothing is executed or read from disk, and nothing it does escapes as an exception."""
    if len(content) > SKILL_FILE_BYTES_MAX or _is_too_large(_frontmatter(content)):
        return SecondOpinion(None, reason="the frontmatter is too large for it")
    if is_plainly_valid(content, folder_name) and _is_installed():
        return SecondOpinion(True)
    try:
        from skills_ref.parser import ParseError, parse_frontmatter
        from skills_ref.validator import validate_metadata
    except ImportError:
        return SecondOpinion(None, reason="skills-ref is not installed")
    try:
        # As its own reader does: UTF-8, every line end a line feed.
        text = content.decode().replace("\r\n", "\n").replace("\r", "\n")
        metadata, _ = parse_frontmatter(text)
        complaints = validate_metadata(metadata, PurePosixPath(folder_name or "."))
    except (ParseError, UnicodeDecodeError) as error:
        return _rejected([str(error)])
    except Exception as error:  # it is a demonstration by its own words: whatever breaks in it is no answer
        return SecondOpinion(None, reason=f"skills-ref failed: {type(error).__name__}")
    return _rejected(complaints) if complaints else SecondOpinion(True)


@cache
def _is_installed() -> bool:
    """Whether it could be asked, told without the millisecond a package and the fourteen once that asking takes."""
    try:
        return find_spec("skills_ref") is not None
    except ValueError:
        return False


def compare(opinion: SecondOpinion, strict: Iterable[Finding], path: str) -> tuple[Finding, ...]:
    """A finding where skills-ref and our strict reading answer the same question differently; both are named."""
    if opinion.accepted is None:
        return (finding("second-opinion-absent", f"no second opinion: {opinion.reason}", Location(path)),)
    ours = sorted({found.code for found in strict if found.severity is Severity.ERROR and found.code in SAME_QUESTION})
    if opinion.accepted and ours:
        return (finding("second-opinion", f"skills-ref accepts what we refuse ({', '.join(ours)})", Location(path)),)
    if not opinion.accepted and not ours:
        said = "; ".join(opinion.complaints)
        return (finding("second-opinion", f"skills-ref refuses what we accept: {said}", Location(path)),)
    return ()


def _frontmatter(content: bytes) -> bytes:
    """What stands between the first two `---`: what skills-ref hands to its YAML reader; nothing where it stops before."""
    parts = content.split(b"---", 2)
    return parts[1] if len(parts) == 3 and not parts[0] else b""


def _is_too_large(frontmatter: bytes) -> bool:
    """Its YAML reader takes time with the square of the number of values: 18 s for 3,500 of them."""
    lines = max(frontmatter.count(b"\n"), frontmatter.count(b"\r"))
    return len(frontmatter) > SPEC_SECOND_OPINION_BYTES_MAX or lines > SPEC_SECOND_OPINION_LINES_MAX


def _rejected(complaints: list[str]) -> SecondOpinion:
    shown = tuple(one_line(" ".join(_brief(complaint).split()), _SHOWN) for complaint in complaints[:_COMPLAINTS_MAX])
    return SecondOpinion(False, shown)


def _brief(complaint: str) -> str:
    """Without the indented excerpts of its YAML reader, whose line numbers are not those of the file."""
    said = [line for line in complaint.splitlines() if line and not line[0].isspace()]
    return f"{said[0].split(': ')[0]}: {said[-1]}" if len(said) > 1 else "".join(said)
