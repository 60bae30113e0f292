"""The tools that a model is offered: their names, what it is told of them, and the calls that fit. Everything here is pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

ACTIVATE, LIST, READ, RUN, WRITE = "activate_skill", "list_folder", "read_file", "run_script", "write_file"
PROFILES: dict[str, list[str]] = {"package": [ACTIVATE, LIST, READ, RUN, WRITE], "routing": [ACTIVATE]}
"""The tools by profile, as the identity states them."""
OF_SKILLS = (ACTIVATE, RUN)
"""Offered only where a skill is staged."""

_PATH = {"type": "string", "description": "Relative to the workspace."}
_TOLD: dict[str, tuple[str, dict[str, Any]]] = {
    ACTIVATE: (
        "Activate a skill: you get its instructions. Do it first whenever a skill fits what the user wants.",
        {"name": {"type": "string", "description": "The name of the skill, as it is listed."}},
    ),
    LIST: ("List what lies in a folder of the workspace; names that end with / are folders.", {"path": _PATH}),
    READ: ("Read a text file of the workspace or of a skill.", {"path": _PATH}),
    RUN: (
        "Run a script of a skill. It starts in the workspace, without a shell, without network, for a minute at most; you get "
        "its exit status and what it printed.",
        {
            "path": {"type": "string", "description": "The script's path, relative to the workspace."},
            "arguments": {"type": "array", "items": {"type": "string"}, "description": "One string for each argument."},
        },
    ),
    WRITE: (
        "Write a text file in the workspace; what is there already is replaced.",
        {"path": _PATH, "content": {"type": "string", "description": "All of the file."}},
    ),
}


class Misfit(ValueError):
    """A call that fits no tool, with the sentence that the model is told."""


def offered(profile: str, skills: Iterable[str]) -> list[dict[str, Any]]:
    """The tools as a request states them."""
    names = list(skills)
    chosen = [tool for tool in PROFILES[profile] if names or tool not in OF_SKILLS]
    return [_stated(tool, names) for tool in chosen]


def fitting(tool: str, given: dict[str, Any] | None, written: str, profile: str, skills: Iterable[str]) -> dict[str, Any]:
    """The arguments of a call that fits; `given` is None where what was `written` is no JSON object. Raises Misfit."""
    names = [each["function"]["name"] for each in offered(profile, skills)]
    if tool not in names:
        raise Misfit(f"there is no tool {tool[:80]!a}: there are {', '.join(names)}")
    if given is None:
        raise Misfit(f"the arguments of {tool} have to be a JSON object, and these are none: {written[:200]!a}")
    for name, form in _TOLD[tool][1].items():
        if name not in given and form["type"] != "array":
            raise Misfit(f"{tool} needs {name!a}")
        if not _is(given.get(name, []), form["type"]):
            raise Misfit(f"{name!a} of {tool} has to be {'a list of strings' if form['type'] == 'array' else 'a string'}")
    return given


def _is(value: Any, kind: str) -> bool:
    if kind == "string":
        return isinstance(value, str)
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _stated(tool: str, skills: list[str]) -> dict[str, Any]:
    told, properties = _TOLD[tool]
    if tool == ACTIVATE:
        properties = {"name": {**properties["name"], "enum": skills}}
    required = [name for name, form in properties.items() if form["type"] != "array"]
    parameters = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {"type": "function", "function": {"name": tool, "description": told, "parameters": parameters}}
