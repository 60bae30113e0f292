"""A new skill package as file contents, from its name and description."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from importlib.resources.abc import Traversable

from selftune_build.errors import UsageError
from selftune_build.reading.scalars import resolve
from selftune_build.scaffold.drafting.other_business import by_distance
from selftune_build.scaffold.editor import EDITOR_LINE

SUFFIX = ".template"
NAME_LIMIT = 64
DESCRIPTION_LIMIT = 1024
NEGATIVES_WANTED = 5

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def package_files(name: str, description: str) -> dict[str, bytes]:
    """Package-relative path → bytes of a package that builds and passes on the embedded agent, sorted by path.

    Raises UsageError where name or description break the rules of the Agent Skills specification.
    """
    check_name(name)
    values = {
        "editor_line": EDITOR_LINE.rstrip(),
        "name": name,
        "name_value": _yaml_text(name),
        "title": name.replace("-", " ").capitalize(),
        "description": json.dumps(clean_description(description), ensure_ascii=False),
        "negatives": _negatives(f"{name} {description}"),
    }
    templates = dict(_templates(files(__package__) / "templates", ""))
    return {path: _filled(templates[path], values).encode() for path in sorted(templates)}


def check_name(name: str) -> None:
    """Raise UsageError unless hosts accept the name: 1 to 64 of a-z, 0-9 and single hyphens inside."""
    if len(name) > NAME_LIMIT or not _NAME.fullmatch(name):
        suggestion = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:NAME_LIMIT].strip("-")
        raise UsageError(
            f"{name!r} is not a name for a skill: 1 to {NAME_LIMIT} lower-case letters, digits and single hyphens between them",
            hint=f"--name {suggestion}" if suggestion else "--name my-skill",
        )


def _yaml_text(name: str) -> str:
    """The name as a YAML value: quoted where a reader would take it for a number, a date or a boolean."""
    value, taken_for = resolve(name)
    return name if isinstance(value, str) and taken_for is None else json.dumps(name)


def clean_description(description: str) -> str:
    """The description on one line. Raises UsageError where it is empty, too long or cannot be read by every host."""
    text = " ".join(description.split())
    if not text:
        raise UsageError("the description is empty", hint="say what the skill does and when to use it")
    if len(text) > DESCRIPTION_LIMIT:
        raise UsageError(f"the description has {len(text)} characters", hint=f"keep it within {DESCRIPTION_LIMIT}")
    if not text.isprintable():
        raise UsageError("the description holds control characters", hint="write it as plain text")
    if "---" in text:
        raise UsageError("the description holds '---'", hint="some hosts cut it off there; write a single dash")
    return text


def _templates(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _templates(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            found.append((prefix + entry.name.removesuffix(SUFFIX), entry.read_text(encoding="utf-8")))
    return found


def _filled(template: str, values: dict[str, str]) -> str:
    """Each placeholder replaced once, in one pass, so that a description may hold what looks like one."""
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found.group(1)], template)


def _negatives(topic: str) -> str:
    """The cases about other business that share the fewest words with the skill."""
    lines = [
        f"  - id: leave-{case.id}\n    prompt: {json.dumps(case.prompt)}\n    should_trigger: false"
        for case in by_distance(topic)[:NEGATIVES_WANTED]
    ]
    return "\n".join(lines)
