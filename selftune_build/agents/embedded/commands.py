"""Commands that run a script of the skill, found in what was read of it, and which of them the prompt calls for."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path, PurePosixPath

from msgspec import Struct, field

from selftune_build import relpath
from selftune_build.agents.embedded.passages import Passage
from selftune_build.agents.embedded.reading import Opened, fitting, inside, sentence_around, without_base
from selftune_build.agents.embedded.vocabulary import stem_set, weight
from selftune_build.limits import EMBEDDED_COMMAND_CHARACTERS
from selftune_build.model.package import SKILL_FILE

INTERPRETERS = {"python3": "python3", "python": "python3", "bash": "bash", "sh": "sh", "node": "node"}
_BY_SUFFIX = {".py": "python3", ".sh": "sh", ".bash": "bash", ".js": "node", ".mjs": "node", ".cjs": "node"}
_SHELL_LANGUAGES = ("", "bash", "sh", "shell", "console", "zsh", "shell-session", "terminal", "text")
_SHELL_SYNTAX = re.compile(r"`|\$\(|&&|\|\||<<|;")
_SHELL_WORDS = frozenset(("|", "&", "<", ">", ">>", "2>", "2>&1", "&>"))
_SCRIPTS_FOLDER = "scripts/"
_RUN_REACH = 90
_TOLD_TO_RUN = re.compile(r"\b(?:run|execute|call|invoke)\b[^.`\n]*$", re.IGNORECASE)
_ON_SOMETHING = re.compile(r"\s+(?:on|over|against|with)\b", re.IGNORECASE)
_NAME = re.compile(r"[\w./]+")
_SPACED_PLACEHOLDER = re.compile(r"<(\w[^<>|\n]{0,80}[^\s<>|])>")


class Command(Struct, frozen=True):
    """One command of the instructions: a script by its path in the skill, and its arguments as they are written."""

    interpreter: str
    script: str
    arguments: tuple[str, ...]
    words: frozenset[str]
    """Of its line, its comment and the text that introduces it."""


class Unit(Struct, frozen=True):
    """Commands that stand together: all below one heading, or one table row, or one bullet."""

    path: str
    words: frozenset[str]
    commands: tuple[Command, ...]


class Skill(Struct, frozen=True):
    """The skill whose scripts are meant, and the paths in it that were looked up on the way: what they are decides too."""

    folder: Path
    name: str
    probed: list[str] = field(default_factory=list)


def units(skill: Skill, opened: Sequence[Opened]) -> list[Unit]:
    """Every unit of the files that were read, in order."""
    return [unit for file in opened for unit in _units_of(skill, file)]


def called_for(found: Sequence[Unit], prompt_words: frozenset[str]) -> list[Unit]:
    """The units whose commands the prompt calls for.

    In each file those that fit the prompt. Of a file that SKILL.md led to and in which none fits, the first. Where that
    leaves nothing and all commands run one and the same script: all of them, as alternatives.
    """
    chosen: list[Unit] = []
    for path, group in groupby(found, key=lambda unit: unit.path):
        of_file = list(group)
        fits = fitting([unit.words for unit in of_file], prompt_words)
        fitted = [unit for unit, fit in zip(of_file, fits, strict=True) if fit]
        chosen += fitted or ([] if path == SKILL_FILE else of_file[:1])
    everything = tuple(command for unit in found for command in unit.commands)
    if chosen or len({command.script for command in everything}) != 1:
        return chosen
    return [Unit(found[0].path, frozenset(), everything)]


def nearest_first(found: Sequence[Unit], prompt_words: frozenset[str]) -> list[Unit]:
    """The units by how much they share with the prompt, in the order of the text where that is equal."""
    return sorted(found, key=lambda unit: -weight(unit.words & prompt_words))


def with_words(found: Sequence[Unit], said: Mapping[str, frozenset[str]]) -> list[Unit]:
    """The units with what is said of their scripts elsewhere, by script, added to their words."""
    return [
        Unit(unit.path, unit.words.union(*(said.get(command.script, ()) for command in unit.commands)), unit.commands)
        for unit in found
    ]


def said_of_scripts(found: Sequence[Unit], opened: Sequence[Opened]) -> dict[str, frozenset[str]]:
    """The words of the sentences that name a script without being one of its commands."""
    said: dict[str, frozenset[str]] = {}
    for script in dict.fromkeys(command.script for unit in found for command in unit.commands):
        name = PurePosixPath(script).name
        told = [
            stem_set(sentence_around(passage.text, span))
            for file in opened
            for passage in file.passages
            for span in passage.spans
            if span in (name, script)
        ]
        said[script] = frozenset().union(*told)
    return said


def _units_of(skill: Skill, file: Opened) -> Iterator[Unit]:
    groups: dict[tuple[str, ...] | int, list[Passage]] = {}
    for number, passage in enumerate(file.passages):
        groups.setdefault(number if passage.kind in ("row", "item") else passage.section, []).append(passage)
    for group in groups.values():
        commands = tuple(_commands(skill, group))
        if commands:
            yield Unit(file.path, _words_of(group), commands)


def _words_of(group: Sequence[Passage]) -> frozenset[str]:
    titles = " ".join(dict.fromkeys(title for passage in group for title in passage.titles[-1:]))
    return frozenset().union(stem_set(titles), *(stem_set(passage.text) for passage in group))


def _commands(skill: Skill, group: Sequence[Passage]) -> Iterator[Command]:
    introduction = ""
    for passage in group:
        if passage.kind == "code":
            lines = passage.text.replace("\\\n", " ").splitlines() if passage.language in _SHELL_LANGUAGES else []
        else:
            introduction = passage.text
            lines = [_spoken(passage.text, span) for span in passage.spans]
        for line in lines:
            command = parse(skill, line, introduction)
            if command is not None:
                yield command


def _spoken(text: str, span: str) -> str:
    """The command that inline code stands for: a bare script is one only where the text says to run it, "on" a file or alone."""
    if " " in span.strip():
        return span
    before, found, after = text.partition(f"`{span}`")
    if not found or not _TOLD_TO_RUN.search(before[-_RUN_REACH:]):
        return ""
    return f"{span} FILE" if _ON_SOMETHING.match(after) else span


def parse(skill: Skill, line: str, introduction: str = "") -> Command | None:
    """The command on one line; None for everything that is not exactly one script of the skill with arguments."""
    text = line.strip().removeprefix("$ ").removeprefix("> ")[: EMBEDDED_COMMAND_CHARACTERS + 1]
    # `<first word to find>` is one argument, though it holds spaces.
    text = _SPACED_PLACEHOLDER.sub(lambda name: f"<{'-'.join(_NAME.findall(name.group(1)))}>", text)
    if not text or len(text) > EMBEDDED_COMMAND_CHARACTERS:
        return None
    try:
        arguments = shlex.split(text, comments=True)
    except ValueError:
        return None
    if not arguments or _SHELL_SYNTAX.search(" ".join(arguments)) or _SHELL_WORDS.intersection(arguments):
        return None
    interpreter = INTERPRETERS.get(arguments[0])
    rest = arguments[1:] if interpreter else arguments
    script = _script(skill, rest[0], called=interpreter is not None) if rest else None
    if script is None:
        return None
    suffix = PurePosixPath(script).suffix.lower()
    if interpreter is None and suffix and suffix not in _BY_SUFFIX:
        return None
    program = interpreter or _BY_SUFFIX.get(suffix, "")
    return Command(program, script, tuple(rest[1:]), stem_set(f"{introduction} {text}"))


def _script(skill: Skill, word: str, *, called: bool) -> str | None:
    """The script of the skill that a word names, there or missing; None for any other program."""
    path = without_base(word)
    marker = f"skills/{skill.name}/"
    if marker in path:
        path = path.partition(marker)[2]
    elif path.startswith(f"{skill.name}/"):
        path = path.removeprefix(f"{skill.name}/")
    if relpath.fault(path) is not None:
        return None
    if path.startswith(_SCRIPTS_FOLDER) and not path.endswith("/"):
        return path
    target = inside(skill.folder, path)
    if target is None or not (called or "/" in path):
        return None
    skill.probed.append(path)
    return path if target.is_file() and PurePosixPath(path).suffix else None
