"""Every finding of the stage `spec`: what it says, how much it weighs under each profile, and where the rule comes from."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location

Profile = Literal["hosts", "strict"]

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
_SPEC = "specification"
_GUIDE = "client implementation guide"
_DIGEST = "package tree (DESIGN section 6)"
_READERS = "disagreement of readers"
_ATTACK = "hidden or confusable text"


class Rule(Struct, frozen=True):
    """One rule: its stable code, what it says, its severity under `hosts` and under `strict`, its source."""

    code: str
    says: str
    hosts: Severity
    strict: Severity
    source: str


_READING = (
    Rule("skill-file-missing", "the folder holds a file spelled exactly SKILL.md", _ERROR, _ERROR, _SPEC),
    Rule("skill-not-utf8", "SKILL.md is UTF-8", _ERROR, _ERROR, _READERS),
    Rule("nul-character", "SKILL.md holds no NUL character", _ERROR, _ERROR, _READERS),
    Rule("control-character", "SKILL.md holds no control character that is not shown", _WARNING, _WARNING, _ATTACK),
    Rule("conflict-marker", "SKILL.md holds no conflict of a merge outside of code", _ERROR, _ERROR, "git"),
    Rule("lone-carriage-return", "lines end with LF or CRLF", _WARNING, _WARNING, _READERS),
    Rule("ambiguous-frontmatter", "all common readers see the same frontmatter", _ERROR, _ERROR, _READERS),
    Rule("frontmatter-missing", "SKILL.md starts with a frontmatter", _ERROR, _ERROR, _SPEC),
    Rule("frontmatter-unclosed", "a line --- ends the frontmatter", _ERROR, _ERROR, _SPEC),
    Rule("frontmatter-invalid", "the frontmatter is YAML without aliases and tags", _ERROR, _ERROR, _GUIDE),
    Rule("frontmatter-not-map", "the frontmatter is a mapping", _ERROR, _ERROR, _SPEC),
    Rule("yaml-duplicate-key", "no key stands twice; readers take the first, the last or refuse", _ERROR, _ERROR, _READERS),
    Rule("yaml-control-character", "no value holds a control character or a hidden line break", _WARNING, _ERROR, _ATTACK),
    Rule("yaml-key-not-text", "every key is text to every reader", _NOTE, _NOTE, _READERS),
    Rule("yaml-implicit-boolean", "what is meant as text is not read as a boolean by others", _NOTE, _NOTE, _READERS),
    Rule("yaml-implicit-number", "what is meant as text is not read as a number by others", _NOTE, _NOTE, _READERS),
    Rule("yaml-implicit-date", "what is meant as text is not read as a date by others", _NOTE, _NOTE, _READERS),
)

_NAME = (
    Rule("name-missing", "there is a name; several hosts refuse a skill without", _ERROR, _ERROR, _SPEC),
    Rule("name-not-scalar", "the name is no list and no mapping", _ERROR, _ERROR, _SPEC),
    Rule("name-not-text", "the name is text, not a number or boolean", _WARNING, _ERROR, _SPEC),
    Rule("name-not-ascii", "the name is ASCII; the reference validator lets lookalikes pass", _ERROR, _ERROR, _ATTACK),
    Rule("name-unsafe", "the name can be a folder and a target: no / \\ : [ ] and no control character", _ERROR, _ERROR, _GUIDE),
    Rule("name-characters", "the name has only a-z, 0-9 and hyphens", _WARNING, _ERROR, _SPEC),
    Rule("name-hyphens", "no hyphen at either end of the name, no two in a row", _WARNING, _ERROR, _SPEC),
    Rule("name-too-long", "the name has at most 64 characters", _WARNING, _ERROR, _SPEC),
    Rule("name-not-folder", "the name equals the name of the folder", _WARNING, _ERROR, _SPEC),
)

_DESCRIPTION = (
    Rule("description-missing", "there is a description; hosts skip a skill without", _ERROR, _ERROR, _SPEC),
    Rule("description-not-scalar", "the description is no list and no mapping", _ERROR, _ERROR, _SPEC),
    Rule("description-not-text", "the description is text, not a number or boolean", _WARNING, _ERROR, _SPEC),
    Rule("description-too-long", "the description has at most 1,024 characters", _WARNING, _ERROR, _SPEC),
    Rule("description-markup", "the description has no < or >; hosts put it between tags", _NOTE, _NOTE, "skill-creator"),
    Rule("hidden-text", "name and description hold no characters that carry text nobody sees", _ERROR, _ERROR, _ATTACK),
    Rule("invisible-character", "name and description hold no invisible character", _WARNING, _WARNING, _ATTACK),
    Rule("mixed-script-word", "no word mixes Latin with letters that look like it", _WARNING, _WARNING, _ATTACK),
)

_FIELDS = (
    Rule("license-not-text", "license is text", _WARNING, _ERROR, _SPEC),
    Rule("compatibility-not-text", "compatibility is text", _WARNING, _ERROR, _SPEC),
    Rule("compatibility-length", "compatibility has 1 to 500 characters", _WARNING, _ERROR, _SPEC),
    Rule("metadata-not-map", "metadata is a mapping", _WARNING, _ERROR, _SPEC),
    Rule("metadata-value-not-scalar", "no value of metadata is a list or mapping", _WARNING, _ERROR, _SPEC),
    Rule("metadata-value-not-text", "every value of metadata is text", _NOTE, _ERROR, _SPEC),
    Rule("allowed-tools-not-text", "allowed-tools is one text, separated by spaces", _WARNING, _ERROR, _SPEC),
    Rule("extra-key", "the frontmatter has only the six keys of the specification", _NOTE, _ERROR, _SPEC),
)

_BODY = (
    Rule("body-empty", "there is a body", _WARNING, _WARNING, _SPEC),
    Rule("body-lines", "the body has at most 500 lines", _NOTE, _NOTE, _SPEC),
    Rule("body-tokens", "the body has at most about 5,000 tokens (four bytes each)", _NOTE, _NOTE, _SPEC),
    Rule("reference-missing", "every file that SKILL.md links to exists", _WARNING, _WARNING, _SPEC),
    Rule("mention-missing", "every file that SKILL.md names in code exists, or is an example", _NOTE, _WARNING, _SPEC),
    Rule("reference-escapes", "SKILL.md points to nothing outside the package", _WARNING, _WARNING, _SPEC),
    Rule("reference-deep", "files that SKILL.md points to are at most one folder down", _NOTE, _NOTE, _SPEC),
    Rule("references-not-checked", "the body is small enough to look for references", _NOTE, _NOTE, "limit of this tool"),
)

_TREE = (
    Rule("link-leaves-repository", "no link leads out of the repository", _ERROR, _ERROR, _DIGEST),
    Rule("link-leaves-package", "no link leads out of the package", _WARNING, _WARNING, _DIGEST),
    Rule("link-to-excluded", "no link leads to version control, a lock or a cache", _ERROR, _ERROR, _DIGEST),
    Rule("link-absolute", "links are relative", _WARNING, _WARNING, _DIGEST),
    Rule("link-loop", "no link leads back to itself or to a folder that holds it", _ERROR, _ERROR, _DIGEST),
    Rule("link-dangling", "every link leads somewhere", _ERROR, _ERROR, _DIGEST),
    Rule("special-file", "there are no pipes, sockets and devices", _ERROR, _ERROR, _DIGEST),
    Rule("unreadable-file", "every file and folder can be read", _ERROR, _ERROR, _DIGEST),
    Rule("file-too-large", "no file has more than 128 MiB", _ERROR, _ERROR, "limit of this tool"),
    Rule("path-too-long", "no path has more than 1,024 bytes", _ERROR, _ERROR, "limit of this tool"),
    Rule("path-too-deep", "folders are nested at most 64 deep", _ERROR, _ERROR, "limit of this tool"),
    Rule("name-not-utf8", "every file name is UTF-8", _ERROR, _ERROR, _DIGEST),
    Rule("name-control-character", "no file name holds a control or bidirectional character", _ERROR, _ERROR, _ATTACK),
    Rule("name-collision", "no two paths are one where names ignore case or Unicode form", _ERROR, _ERROR, _DIGEST),
    Rule("name-not-portable", "every file name works on every system", _WARNING, _WARNING, _DIGEST),
    Rule("nested-skill", "no folder inside the package has a SKILL.md of its own", _WARNING, _WARNING, _GUIDE),
)

_SECOND = (
    Rule("second-opinion", "the reference validator agrees with the strict profile", _WARNING, _WARNING, "skills-ref"),
    Rule("second-opinion-absent", "the reference validator was asked and answered", _NOTE, _NOTE, "skills-ref"),
)

RULES: tuple[Rule, ...] = (*_READING, *_NAME, *_DESCRIPTION, *_FIELDS, *_BODY, *_TREE, *_SECOND)
"""All rules, by family."""

_BY_CODE = {rule.code: rule for rule in RULES}


def finding(code: str, message: str, at: Location | None = None, hint: str | None = None) -> Finding:
    """A finding of a rule, with its severity under `hosts`. Raises KeyError for a code that is not in the catalogue."""
    return Finding(code, _BY_CODE[code].hosts, message, at, hint)


def weigh(found: Finding, profile: Profile) -> Finding:
    """The finding with its severity under a profile; one of another family keeps its own."""
    rule = _BY_CODE.get(found.code)
    if rule is None:
        return found
    severity = rule.strict if profile == "strict" else rule.hosts
    return found if found.severity is severity else replace(found, severity=severity)
