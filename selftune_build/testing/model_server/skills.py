"""What a model would do with skills, in the dialect of whichever host asks: choose one, open it, read a file of it.

Every function looks at the request alone, as a model does.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable

from msgspec import Struct

from selftune_build.testing.model_server.answer import Answer, Call, Say, Script
from selftune_build.testing.model_server.conversation import Conversation, Tool

_LISTED = re.compile(r"^- ([a-z0-9][a-z0-9-]*): (.*?)(?: \(file: (\S+)/SKILL\.md\))?$", re.MULTILINE)
_TAGGED = re.compile(
    r"<skill>\s*<name>\s*([^<]+?)\s*</name>\s*<description>([^<]*)</description>"
    r"(?:\s*<location>\s*(?:(/[^<]*?)/SKILL\.md)?[^<]*</location>)?"
)
_ROOT = re.compile(r"^- `(\w+)` = `([^`]+)`$", re.MULTILINE)
_BASE = re.compile(r"^Base directory for this skill: (.+)$", re.MULTILINE)


class Listed(Struct, frozen=True):
    """A skill as a host lists it."""

    name: str
    description: str
    folder: str | None = None
    """Absolute, where the host tells."""


def listed(conversation: Conversation) -> tuple[Listed, ...]:
    """The skills that a request offers, as Claude Code, Codex and the hosts with `<available_skills>` write them, in its words or
    in the description of the tool for them.

    Pi lists its tools as Claude Code lists skills.
    """
    text = "\n".join((conversation.text, *(tool.description for tool in conversation.tools if tool.name == "skill")))
    roots = dict(_ROOT.findall(text))
    lines = [each for each in _LISTED.findall(text) if not conversation.offers(each[0])]
    found = []
    for name, description, place in (*lines, *_TAGGED.findall(text)):
        root, slash, rest = place.partition("/")
        folder = f"{roots[root]}{slash}{rest}" if root in roots else place
        found.append(Listed(name, description.strip(), folder or None))
    return tuple(found)


def described(conversation: Conversation, words: str) -> Listed | None:
    """The first listed skill whose description contains these words."""
    return next((skill for skill in listed(conversation) if words.lower() in skill.description.lower()), None)


def open_skill(conversation: Conversation, skill: Listed) -> Call:
    """The call with which the host's model activates a skill: its tool for that, else reading its SKILL.md."""
    for tool in conversation.tools:
        if tool.name in ("Skill", "skill", "activate_skill"):
            return Call(tool.name, {_argument(tool, ("skill", "name")): skill.name})
    return read(conversation, f"{skill.folder or '.agents/skills/' + skill.name}/SKILL.md")


def read(conversation: Conversation, path: str) -> Call:
    """The call that reads a file."""
    for tool in conversation.tools:
        if tool.name in ("Read", "read", "read_file", "view"):
            return Call(tool.name, {_argument(tool, ("file_path", "filePath", "path")): path})
    return shell(conversation, f"cat {shlex.quote(path)}")


def _argument(tool: Tool, names: tuple[str, ...]) -> str:
    """That of these names which the tool's schema has; the first where it has none."""
    named = tool.schema.get("properties") or {}
    return next((name for name in names if name in named), names[0])


def shell(conversation: Conversation, command: str) -> Call:
    """The call that runs a command."""
    for tool, argument in (("exec_command", "cmd"), ("Bash", "command"), ("bash", "command"), ("run_shell_command", "command")):
        if conversation.offers(tool):
            return Call(tool, {argument: command})
    if conversation.offers("exec"):  # Codex has its newer models write a script that calls the tools
        script = f"const ran = await tools.exec_command({json.dumps({'cmd': command})});\ntext(ran.output);"
        return Call("exec", text=script)
    return Call("shell", {"command": ["bash", "-lc", command]})


def folder_of(conversation: Conversation, skill: Listed) -> str | None:
    """Where the files of a skill are, once the request tells: in its list, or when the skill was activated."""
    bases = [base for base in _BASE.findall(conversation.text) if base.endswith(f"/{skill.name}")]
    return skill.folder or (bases[-1] if bases else None)


def use_skill(words: str, then: Callable[[Conversation, Listed], Answer], otherwise: str = "NO-SKILL") -> Script:
    """A model that activates the skill whose description contains `words`, and goes on with `then` when its result is there.

    Without such a skill, or without any tool, it says `otherwise`: so an activation proves that the skill was offered.
    """

    def script(conversation: Conversation) -> Answer:
        skill = described(conversation, words)
        if skill is None or not conversation.tools:
            return Say(otherwise)
        return open_skill(conversation, skill) if not conversation.results else then(conversation, skill)

    return script
