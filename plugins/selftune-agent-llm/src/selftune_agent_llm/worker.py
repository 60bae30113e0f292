"""The process in which the library runs: one job on stdin, events on stdout (`python -m selftune_agent_llm.worker`)."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from selftune_agent_llm import dialogue, library
from selftune_agent_llm.events import Asking, End, Opening, line
from selftune_agent_llm.files import look_up

SKILL_FILE = "SKILL.md"


class Offered(Struct, frozen=True):
    """A staged skill."""

    name: str
    description: str
    folder: str


class Job(Struct, frozen=True):
    """One call; `routing` is the decision alone, `describe` asks nobody anything, without a model it is about all."""

    role: Literal["package", "routing", "complete", "describe"]
    model: str
    prompt: str = ""
    skills: tuple[Offered, ...] = ()
    max_turns: int = 1
    schema: dict[str, Any] | None = None


Emit = Callable[[Struct], None]


def main() -> None:
    """Do the job; what anybody else prints goes to stderr."""
    out = os.dup(1)
    os.dup2(2, 1)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)

    def emit(event: Struct) -> None:
        content = line(event)
        while content:
            content = content[os.write(out, content) :]

    folder = Path(os.environ[library.USER_PATH])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "logs-off").touch()
    if job.role == "describe":
        emit(library.describe(job.model) if job.model else library.keyless())
        return
    try:
        emit(Opening(tuple(each.name for each in job.skills), job.schema))
        chat = library.Chat(job.model, dialogue.COMPLETE_RULES if job.role == "complete" else dialogue.RULES)
        _answer(job, chat, emit)
        emit(End(chat.program))
    except dialogue.OffSchema:
        pass  # The reader finds it again in what was said.
    except library.Unanswered as error:
        emit(error.failed)


def _answer(job: Job, chat: library.Chat, emit: Emit) -> None:
    if job.role == "complete":
        emit(chat.say(job.prompt, "words" if job.schema is None else "document", job.schema))
    else:
        _run(job, chat, emit)


def _run(job: Job, chat: library.Chat, emit: Emit) -> None:
    skills = {each.name: each for each in job.skills}
    if not skills:
        if job.role == "package":
            emit(chat.say(job.prompt, "words"))
        return
    question = dialogue.decide({name: each.description for name, each in skills.items()}, job.prompt)
    turn = chat.say(question, "decision", dialogue.decision_schema(skills))
    emit(turn)
    chosen = dialogue.decision(turn.text, skills)
    turns = job.max_turns - 1
    if job.role == "routing" or turns < 1:
        return
    if chosen is None:
        emit(chat.say(dialogue.without_skill(), "words"))
    else:
        _use(skills[chosen], chat, turns, emit)


def _use(skill: Offered, chat: library.Chat, turns: int, emit: Emit) -> None:
    """The turns with an open skill: files as it asks for them, the last turn for the answer."""
    folder = Path(skill.folder)
    _, _, text = look_up(folder, SKILL_FILE)
    message = dialogue.opened(skill.name, text or "", turns)
    while turns > 1:
        turn = chat.say(message, "step", dialogue.STEP_SCHEMA)
        emit(turn)
        step = dialogue.step(turn.text)
        if step.path is None:
            return
        turns -= 1
        found, path, text = look_up(folder, step.path)
        emit(Asking(skill.name, path, found))
        message = dialogue.given(path, text, turns)
    emit(chat.say(message, "words"))


if __name__ == "__main__":
    main()
