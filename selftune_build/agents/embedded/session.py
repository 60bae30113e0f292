"""One run from prompt to answer: choose a skill, read it, run what it names, say what came out."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

from selftune_build.agents.embedded import answer, calls, quotation, reading, router, scripts
from selftune_build.agents.embedded.commands import Skill
from selftune_build.agents.embedded.vocabulary import stem_set
from selftune_build.agents.protocol import AgentFailure, RunRequest
from selftune_build.limits import EMBEDDED_TEXT_CHARACTERS
from selftune_build.model.sample import ErrorKind


def act(request: RunRequest) -> bytes:
    """The raw answer to a request. Raises AgentFailure(UNAVAILABLE) where a script may not run or its interpreter is missing."""
    skill = router.choose(request.skills, request.prompt)
    if skill is None:
        return answer.response(answer.NOTHING_CHOSEN, None, (), ())
    folder = request.workspace.skill(skill)
    prompt_words = stem_set(request.prompt[:EMBEDDED_TEXT_CHARACTERS])
    read = reading.read_skill(folder, prompt_words)
    plan = calls.plan(request, Skill(folder, skill), read.opened, prompt_words)
    if plan.calls and not request.allow_exec:  # whatever is said instead would be kept as what the skill does
        needed = plan.calls[0].script
        raise AgentFailure(ErrorKind.UNAVAILABLE, f"the case needs {needed} of the skill, and --no-exec refuses to run it")
    results = scripts.run_scripts(request, folder, plan.calls)
    output = answer.without_places(_output(read, results, prompt_words), request.workspace.root, request.workspace.home)
    staged = Path(os.path.relpath(folder, request.workspace.root)).as_posix()
    opened = [f"{staged}/{file.path}" for file in read.opened]
    touched = [f"{staged}/{path}" for path in (*read.absent, *plan.probed, *(result.call.script for result in results))]
    return answer.response(output, skill, (*opened, *touched), _tool_calls(skill, opened, results))


def _output(
    read: reading.Reading,
    results: list[scripts.ScriptResult],
    prompt_words: frozenset[str],
) -> str:
    """A failed script leaves nothing else to say: quoting the instructions would look like work done."""
    failed = next((result.failure for result in results if result.failure is not None), None)
    if failed is not None:
        return f"A script failed: {failed}"
    parts = (answer.printed(results), quotation.quotes(read.opened, prompt_words))
    return "\n\n".join(part for part in parts if part) or answer.NOTHING_FITS


def _tool_calls(skill: str, opened: list[str], results: list[scripts.ScriptResult]) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("Skill", {"skill": skill}),
        *(("Read", {"file_path": path}) for path in opened),
        *(("Script", {"command": shlex.join(result.call.argv)}) for result in results),
    ]
