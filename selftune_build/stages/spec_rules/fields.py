"""Rules on the frontmatter: name, description and the optional keys of the specification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from selftune_build.escape import one_line
from selftune_build.late import late
from selftune_build.limits import SPEC_COMPATIBILITY_MAX, SPEC_DESCRIPTION_MAX, SPEC_NAME_MAX
from selftune_build.model.finding import Finding
from selftune_build.model.location import Location
from selftune_build.model.package import SKILL_FILE, Skill
from selftune_build.stages.spec_rules.catalogue import finding
from selftune_build.stages.spec_rules.characters import check_characters, describe
from selftune_build.wording import listed

SPECIFIED_KEYS = frozenset({"name", "description", "license", "compatibility", "metadata", "allowed-tools"})

_UNSAFE = late(r"[/\\:\[\]\x00-\x1f\x7f]")
_NOT_ALLOWED = late(r"[^a-z0-9-]")
_SHOWN = 80
_KEYS_SHOWN = 10


class Subject(Struct, frozen=True):
    """What the rules look at: the skill, the name of its folder, the paths of its tree, and where keys stand."""

    skill: Skill
    folder_name: str
    files: frozenset[str]
    path: str = SKILL_FILE
    locations: Mapping[str, Location] = field(default_factory=dict)

    def at(self, key: str) -> Location:
        """Where a top-level key stands, as exactly as is known."""
        return self.locations.get(key, Location(self.path))


def check_fields(subject: Subject) -> Iterator[Finding]:
    """Findings on every key of the frontmatter that is there; what is missing is noticed in reading."""
    frontmatter = subject.skill.frontmatter
    if "name" in frontmatter:
        yield from _name(subject)
    if subject.skill.description:
        yield from _description(subject)
    yield from _text_only(subject, "license", "write the name of the licence, or of the file that holds it")
    yield from _text_only(subject, "allowed-tools", "write the tools in one line, separated by spaces")
    yield from _compatibility(subject)
    yield from _metadata(subject)
    extra = [key for key in frontmatter if key not in SPECIFIED_KEYS]
    for key in extra[:_KEYS_SHOWN]:
        yield finding("extra-key", f"{_shown(key)} is not a key of the specification", subject.at(key), "put it under metadata:")
    if len(extra) > _KEYS_SHOWN:
        yield finding("extra-key", f"and {len(extra) - _KEYS_SHOWN} more keys", Location(subject.path))


def _name(subject: Subject) -> Iterator[Finding]:
    name, at = subject.skill.name, subject.at("name")
    yield from _name_characters(name, at)
    if name.startswith("-") or name.endswith("-") or "--" in name:
        yield finding("name-hyphens", f"{_shown(name)} starts or ends with a hyphen or has two in a row", at)
    if len(name) > SPEC_NAME_MAX:
        yield finding("name-too-long", f"the name has {len(name)} characters, {SPEC_NAME_MAX} are allowed", at)
    if name != subject.folder_name:
        hint = "rename the folder or change the name"
        yield finding("name-not-folder", f"the name is {_shown(name)}, the folder {_shown(subject.folder_name)}", at, hint)


def _name_characters(name: str, at: Location) -> Iterator[Finding]:
    foreign = [character for character in name if not character.isascii()]
    if foreign:
        message = f"the name {ascii(name)[:_SHOWN]} is not ASCII: {describe(foreign[0])}"
        yield finding("name-not-ascii", message, at, "write it with a-z, 0-9 and hyphens")
    yield from check_characters("name", name, at)
    if _UNSAFE.search(name) or name in (".", ".."):
        yield finding("name-unsafe", f"{_shown(name)} cannot be the name of a folder or target", at)
    odd = sorted({character for character in _NOT_ALLOWED.findall(name) if character.isascii() and not _UNSAFE.match(character)})
    if odd:
        shown = " ".join("space" if character == " " else character for character in odd)
        yield finding("name-characters", f"{_shown(name)} has characters other than a-z, 0-9 and hyphen: {shown}", at)


def _description(subject: Subject) -> Iterator[Finding]:
    text, at = subject.skill.description, subject.at("description")
    yield from check_characters("description", text, at)
    if len(text) > SPEC_DESCRIPTION_MAX:
        message = f"the description has {len(text)} characters, {SPEC_DESCRIPTION_MAX} are allowed; hosts cut it"
        yield finding("description-too-long", message, at, "say what it does and when to use it, move the rest into the body")
    if "<" in text or ">" in text:
        yield finding("description-markup", "the description holds < or >", at, "name placeholders without angle brackets")


def _text_only(subject: Subject, key: str, hint: str) -> Iterator[Finding]:
    value = subject.skill.frontmatter.get(key)
    if key in subject.skill.frontmatter and not isinstance(value, str):
        yield finding(f"{key}-not-text", f"{key} is {_kind(value)}, not text", subject.at(key), hint)


def _compatibility(subject: Subject) -> Iterator[Finding]:
    yield from _text_only(subject, "compatibility", "describe what it needs in a sentence")
    value = subject.skill.frontmatter.get("compatibility")
    if isinstance(value, str) and not 1 <= len(value.strip()) <= SPEC_COMPATIBILITY_MAX:
        message = f"compatibility has {len(value.strip())} characters, 1 to {SPEC_COMPATIBILITY_MAX} are allowed"
        yield finding("compatibility-length", message, subject.at("compatibility"))


def _metadata(subject: Subject) -> Iterator[Finding]:
    if "metadata" not in subject.skill.frontmatter:
        return
    value, at = subject.skill.frontmatter["metadata"], subject.at("metadata")
    if not isinstance(value, dict):
        yield finding("metadata-not-map", f"metadata is {_kind(value)}, not a mapping of keys to text", at)
        return
    nested = [key for key, item in value.items() if isinstance(item, dict | list)]
    if nested:
        yield finding("metadata-value-not-scalar", f"under metadata {_several(nested)} hold lists or mappings", at)
    scalars = [key for key, item in value.items() if not isinstance(item, dict | list | str)]
    if scalars:
        yield finding("metadata-value-not-text", f"under metadata {_several(scalars)} are not text", at, "put them in quotes")


def _several(keys: list[str]) -> str:
    return listed([_shown(key) for key in keys], 3)


def _shown(text: str) -> str:
    return f"`{one_line(text, _SHOWN)}`"


def _kind(value: Any) -> str:
    kinds = ((bool, "a boolean"), (int, "a number"), (float, "a number"), (list, "a list"), (dict, "a mapping"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "empty")
