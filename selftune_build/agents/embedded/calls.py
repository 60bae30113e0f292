"""Which script calls a case asks for: the commands that the prompt calls for, with their arguments filled in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from selftune_build.agents.embedded.arguments import Case, filled
from selftune_build.agents.embedded.case_files import find_case_files
from selftune_build.agents.embedded.commands import (
    Command,
    Skill,
    Unit,
    called_for,
    nearest_first,
    said_of_scripts,
    units,
    with_words,
)
from selftune_build.agents.embedded.options import Option, asked_for, options, takes, with_options
from selftune_build.agents.embedded.reading import Opened, read_text
from selftune_build.agents.embedded.vocabulary import stem_set, weight
from selftune_build.agents.protocol import RunRequest
from selftune_build.limits import EMBEDDED_SCRIPTS_RUN, EMBEDDED_TEXT_CHARACTERS


class ScriptCall(Struct, frozen=True):
    """A script with the arguments it is to get; `argv` starts with the program and holds paths relative to the workspace."""

    script: str
    argv: tuple[str, ...]


class Plan(Struct, frozen=True):
    """The calls of a run in order, and the paths in the skill that were looked up to find them."""

    calls: tuple[ScriptCall, ...]
    probed: tuple[str, ...]


def plan(request: RunRequest, skill: Skill, opened: Sequence[Opened], prompt_words: frozenset[str]) -> Plan:
    """The script calls that the instructions ask for in this case, each once, up to a limit."""
    found = units(skill, opened)
    if not found:
        return Plan((), tuple(skill.probed))
    case = _case(request, skill)
    wishes = _Wishes(case, asked_for(options(opened), case), {})
    found = with_words(found, said_of_scripts(found, opened))
    found = with_words(found, {script: wishes.words(script) for script in _scripts_of(found)})
    calls = [call for unit in called_for(found, prompt_words) for call in _best_alternatives(unit, wishes, prompt_words)]
    if not calls and case.files.named:
        calls = _nearest(found, wishes, prompt_words)
    return Plan(tuple(dict.fromkeys(calls))[:EMBEDDED_SCRIPTS_RUN], tuple(skill.probed))


def _case(request: RunRequest, skill: Skill) -> Case:
    root = request.workspace.root
    prompt = request.prompt[:EMBEDDED_TEXT_CHARACTERS]
    files = find_case_files(root, request.workspace.home, prompt)
    staged = Path(os.path.relpath(skill.folder, root)).as_posix()
    return Case(root, skill.folder, staged, prompt, files, skill.probed)


class _Wishes(Struct):
    """The options that the prompt asks for, and the texts of scripts that were read to see whether they take them."""

    case: Case
    asked: list[tuple[Option, str | None]]
    texts: dict[str, str | None]

    def words(self, script: str) -> frozenset[str]:
        """What the explanations of those options say that the script takes."""
        return frozenset().union(*(option.words for option, _ in self.asked if takes(self._text(script), option)))

    def added(self, script: str, arguments: list[str]) -> list[str]:
        """The arguments with those options that the script takes."""
        return with_options(arguments, self.asked, self._text(script)) if self.asked else arguments

    def _text(self, script: str) -> str | None:
        if script not in self.texts:
            self.case.probed.append(script)
            self.texts[script] = read_text(self.case.skill, script)
        return self.texts[script]


def _scripts_of(found: Sequence[Unit]) -> list[str]:
    return list(dict.fromkeys(command.script for unit in found for command in unit.commands))


def _nearest(found: Sequence[Unit], wishes: _Wishes, prompt_words: frozenset[str]) -> list[ScriptCall]:
    """Where nothing fits but the prompt names a file: the first command, the nearest before others, that takes that file."""
    named = wishes.case.files.paths[: wishes.case.files.named]
    for unit in nearest_first(found, prompt_words):
        calls = _best_alternatives(unit, wishes, prompt_words)
        taking = [call for call in calls if any(path in call.argv for path in named)]
        if taking:
            return taking[:1]
    return []


def _best_alternatives(unit: Unit, wishes: _Wishes, prompt_words: frozenset[str]) -> list[ScriptCall]:
    """One call for each script of the unit: of the commands that the case can fill the one that fits the prompt best."""
    best: dict[str, tuple[float, ScriptCall]] = {}
    for command in unit.commands:
        arguments = filled(command.arguments, wishes.case)
        if arguments is None:
            continue
        fit = weight((command.words | stem_set(" ".join(arguments))) & prompt_words)
        if command.script not in best or fit > best[command.script][0]:
            best[command.script] = (fit, _call(command, wishes.case.staged, wishes.added(command.script, arguments)))
    return [call for _, call in best.values()]


def _call(command: Command, staged: str, arguments: list[str]) -> ScriptCall:
    program = (command.interpreter,) if command.interpreter else ()
    path = f"{staged}/{command.script}"
    return ScriptCall(command.script, (*program, path if program else f"./{path}", *arguments))
