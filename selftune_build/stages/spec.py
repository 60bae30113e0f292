"""The stage `spec`: whether hosts can load the package, by the letter of the specification or by what hosts refuse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from selftune_build.model.finding import Finding
from selftune_build.model.location import Location
from selftune_build.model.package import SKILL_FILE, Skill, TreeFile
from selftune_build.stages.spec_rules.body import check_body
from selftune_build.stages.spec_rules.catalogue import Profile, finding, weigh
from selftune_build.stages.spec_rules.fields import Subject, check_fields
from selftune_build.stages.spec_rules.second_opinion import SecondOpinion, compare

RULE_VERSION = 2
"""Part of what the stage depends on; raised when a rule or a severity changes."""


def check_spec(
    skill: Skill,
    findings: Iterable[Finding],
    files: Iterable[TreeFile],
    folder_name: str,
    profile: Profile,
    *,
    path: str = SKILL_FILE,
    locations: Mapping[str, Location] | None = None,
    second_opinion: SecondOpinion | None = None,
) -> tuple[Finding, ...]:
    """Every finding on a package with its severity under `profile`: those of reading and tree, and those of the rules.

    `path` is SKILL.md as findings name it, `locations` where its keys stand (`SkillReading.locations`). An answer of
    `ask_second_opinion`, which callers may keep by digest of SKILL.md and folder name, is compared with our strict reading.
    """
    subject = Subject(skill, folder_name, frozenset(file.path for file in files), path, locations or {})
    found = tuple(_unique([*findings, *_rules(subject)]))
    if second_opinion is not None and SKILL_FILE in subject.files:
        found = (*found, *compare(second_opinion, (weigh(one, "strict") for one in found), path))
    return tuple(weigh(one, profile) for one in found)


def _rules(subject: Subject) -> list[Finding]:
    if SKILL_FILE not in subject.files:
        return [_missing(subject)]
    return [*check_fields(subject), *check_body(subject)]


def _missing(subject: Subject) -> Finding:
    other = next((file for file in sorted(subject.files) if file.lower() == SKILL_FILE.lower()), None)
    hint = f"rename {other} to {SKILL_FILE}" if other else f"write {SKILL_FILE}, or point to the folder that holds it"
    return finding("skill-file-missing", f"there is no {SKILL_FILE} in the folder", Location(subject.path), hint)


def _unique(findings: list[Finding]) -> list[Finding]:
    """Each finding once: a caller may hand over those of an earlier run."""
    seen: dict[tuple[str, str, Location | None], Finding] = {}
    for one in findings:
        seen.setdefault((one.code, one.message, one.at), one)
    return list(seen.values())
