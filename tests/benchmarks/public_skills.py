"""Descriptions and trigger cases of any folders of skills, for the two scripts that tune the embedded agent."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct

PROMPT_KEYS = ("prompt", "query", "question")


class PublicSkill(Struct, frozen=True):
    """A skill as a host lists it, and from which collection it is."""

    collection: str
    folder: str
    name: str
    description: str


class TriggerCase(Struct, frozen=True):
    """A prompt and whether its author wants the skill for it."""

    skill: PublicSkill
    prompt: str
    wanted: bool


def read_skills(folders: list[Path]) -> list[PublicSkill]:
    """Every skill below the folders; a description that was seen before is left out."""
    seen: set[str] = set()
    found = []
    for folder in sorted(folders):
        for path in sorted(folder.rglob("SKILL.md")):
            skill = _skill(folder, path)
            if skill is not None and skill.description not in seen:
                seen.add(skill.description)
                found.append(skill)
    return found


def _skill(collection: Path, path: Path) -> PublicSkill | None:
    text = path.read_text(encoding="utf-8", errors="replace").lstrip("\ufeff")
    parts = text.split("\n---", 1)
    if not text.startswith("---") or len(parts) < 2:
        return None
    try:
        front = next(iter(yaml.safe_load_all(parts[0].removeprefix("---"))), None)
    except yaml.YAMLError:
        return None
    if not isinstance(front, dict) or not isinstance(front.get("description"), str):
        return None
    name = front["name"] if isinstance(front.get("name"), str) else path.parent.name
    return PublicSkill(collection.name, str(path.parent), name, front["description"])


def read_cases(folders: list[Path], skills: list[PublicSkill]) -> list[TriggerCase]:
    """Every trigger case that can be told to belong to one of the skills, each prompt of a skill once."""
    found: dict[tuple[str, str], TriggerCase] = {}
    for folder in sorted(folders):
        own = [skill for skill in skills if skill.collection == folder.name]
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".json", ".jsonl", ".yaml", ".yml", ".csv") and path.is_file():
                for case in _cases(path, own):
                    found.setdefault((case.skill.folder, case.prompt), case)
    return list(found.values())


def _cases(path: Path, skills: list[PublicSkill]) -> Iterator[TriggerCase]:
    above = _skill_above(path, skills)
    for document in _documents(path):
        named = _named(document.get("skill_name"), skills) if isinstance(document, dict) else None
        if isinstance(document, dict) and isinstance(document.get("should_trigger"), list):
            yield from _listed(document, named or above)
        for entry in _entries(document):
            yield from _judged(entry, named or above, skills)


def _skill_above(path: Path, skills: list[PublicSkill]) -> PublicSkill | None:
    around = [skill for skill in skills if path.is_relative_to(skill.folder)]
    if around:
        return max(around, key=lambda skill: len(skill.folder))
    return skills[0] if len(skills) == 1 else None


def _named(name: object, skills: list[PublicSkill]) -> PublicSkill | None:
    return next((skill for skill in skills if skill.name == name or Path(skill.folder).name == name), None)


def _documents(path: Path) -> list[Any]:
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        if path.suffix == ".json":
            return [json.loads(text)]
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in text.splitlines() if line.strip()]
        if path.suffix == ".csv":
            return list(csv.DictReader(text.splitlines()))
        return list(yaml.safe_load_all(text))
    except (ValueError, yaml.YAMLError, csv.Error):
        return []


def _entries(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if any(isinstance(value.get(key), str) for key in PROMPT_KEYS):
            yield value
        for item in value.values():
            yield from _entries(item)
    elif isinstance(value, list):
        for item in value:
            yield from _entries(item)


def _listed(document: dict[str, Any], skill: PublicSkill | None) -> Iterator[TriggerCase]:
    for key, wanted in (("should_trigger", True), ("should_not_trigger", False)):
        for prompt in document.get(key) or []:
            if skill is not None and isinstance(prompt, str):
                yield TriggerCase(skill, prompt, wanted)


def _judged(entry: dict[str, Any], own: PublicSkill | None, skills: list[PublicSkill]) -> Iterator[TriggerCase]:
    prompt = next(entry[key] for key in PROMPT_KEYS if isinstance(entry.get(key), str))
    wanted = entry.get("should_trigger")
    invoked = [
        name
        for grader in entry.get("graders") or []
        if isinstance(grader, dict) and grader.get("type") == "skill-invocation"
        for name in (grader.get("config") or {}).get("required") or []
    ]
    if isinstance(wanted, bool) and own is not None:
        yield TriggerCase(own, prompt, wanted)
    elif isinstance(wanted, str) and (skill := _named(wanted, skills)):
        yield TriggerCase(skill, prompt, True)
    elif invoked:
        yield from (TriggerCase(skill, prompt, True) for name in invoked if (skill := _named(name, skills)))
    elif "expected_skill" in entry or "expect" in entry:
        expected = entry.get("expected_skill", entry.get("expect"))
        if expected and (skill := _named(expected, skills)):
            yield TriggerCase(skill, prompt, True)
        elif not expected:
            yield from (TriggerCase(skill, prompt, False) for skill in ([own] if own else skills))
