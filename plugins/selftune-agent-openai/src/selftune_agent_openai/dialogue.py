"""What the model is told. Everything here is pure; a change of it is another agent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from selftune_agent_openai import tools
from selftune_build.agents.protocol import SKILLS_FOLDER

COMPLETE_RULES = "You answer one request from a program. Answer it completely and add nothing."
_RULES = """\
You do what a user asks, in a folder that is called the workspace. You have tools; paths are relative to the workspace. When you \
are done, answer the user in words, without calling a tool."""
_SKILLS = """\
Skills are installed: instructions, and often files and scripts, for one kind of task each. If the task is one of theirs, call \
activate_skill with its name before you do anything else, and follow what it says. If none fits, do without.

{listed}"""
_SCHEMA = "{prompt}\n\nAnswer with one JSON value that matches this JSON Schema, and with nothing before or after it:\n{schema}"
_ACTIVE = "The skill {name} is active. Its files are below {folder}/. These are its instructions:\n\n{body}"


def rules(skills: Mapping[str, str]) -> str:
    """The system prompt of a run; `skills` are descriptions by name."""
    if not skills:
        return _RULES
    listed = "\n".join(_entry(name, description) for name, description in skills.items())
    return f"{_RULES}\n\n{_SKILLS.format(listed=listed)}"


def with_schema(prompt: str, schema: dict[str, Any]) -> str:
    """A request for JSON."""
    return _SCHEMA.format(prompt=prompt, schema=json.dumps(schema, sort_keys=True))


def folder_of(skill: str) -> str:
    """Where a skill lies, as seen from the workspace."""
    return f"{SKILLS_FOLDER}/{skill}"


def activated(skill: str, text: str) -> str:
    """What the model gets when it activates a skill: the SKILL.md without its frontmatter."""
    return _ACTIVE.format(name=skill, folder=folder_of(skill), body=body_of(text))


def body_of(text: str) -> str:
    """What follows the frontmatter of a SKILL.md; all of it where there is none."""
    lines = text.splitlines(keepends=True)
    if lines and lines[0].rstrip() == "---":
        for number, each in enumerate(lines[1:], start=1):
            if each.rstrip() == "---":
                return "".join(lines[number + 1 :]).strip("\n")
    return text


def digest_source() -> bytes:
    """All that is told and offered, whatever the case is: its digest is part of the agent's identity."""
    texts = [COMPLETE_RULES, _RULES, _SKILLS, _SCHEMA, _ACTIVE, _entry("{}", "{}")]
    return json.dumps([texts, tools.offered("package", ["{}"])], sort_keys=True).encode()


def _entry(name: str, description: str) -> str:
    """One line, whatever is in a description."""
    return " ".join(f"- {name}: {description} (file: {folder_of(name)}/SKILL.md)".split())
