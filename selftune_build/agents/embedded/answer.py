"""The agent's answer: what scripts printed and what it read in this run, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from selftune_build.agents.embedded.passages import Passage
from selftune_build.agents.embedded.reading import Opened, fitting, is_route
from selftune_build.agents.embedded.scripts import ScriptResult
from selftune_build.agents.embedded.vocabulary import stem_set
from selftune_build.limits import EMBEDDED_QUOTED_CHARACTERS, EMBEDDED_QUOTED_PASSAGES
from selftune_build.model.package import SKILL_FILE

NOTHING_CHOSEN = "No skill was chosen."
NOTHING_FITS = "Nothing in the instructions fits the request."
NOT_EXECUTED = "Scripts were not run: running code of a package is switched off."


def quotes(opened: Sequence[Opened], prompt_words: frozenset[str]) -> str:
    """The passages that fit the prompt, file by file; of a file that was followed and has none, its beginning."""
    chosen = [passage for file in opened for passage in _chosen(file, prompt_words)][:EMBEDDED_QUOTED_PASSAGES]
    return "\n\n".join(passage.text.strip() for passage in chosen)[:EMBEDDED_QUOTED_CHARACTERS]


def printed(results: Iterable[ScriptResult]) -> str:
    """What the scripts wrote to stdout, in the order they ran."""
    outputs = [result.stdout.decode("utf-8", "replace").replace("\r\n", "\n").strip("\n") for result in results]
    return "\n\n".join(output for output in outputs if output)


def response(output: str, skill: str | None, read: Iterable[str], tool_calls: Sequence[tuple[str, dict[str, Any]]]) -> bytes:
    """The response of DESIGN 8.5 as one line of JSON."""
    document = {
        "output": output,
        "skills_used": [] if skill is None else [skill],
        "files_read": list(dict.fromkeys(read)),
        "tool_calls": [{"name": name, "input": given} for name, given in tool_calls],
        "usage": {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0},
        "model": None,
        "error": None,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def without_places(text: str, root: Path, home: Path) -> str:
    """The text with the folders of this run as `{workspace}` and `{home}`, so that equal runs give equal bytes anywhere."""
    named = ((root, "{workspace}"), (home, "{home}"))
    places = {str(path): token for folder, token in named for path in (folder, folder.resolve())}
    for path, token in sorted(places.items(), key=lambda place: (-len(place[0]), place)):
        text = text.replace(path, token)
    return text


def _chosen(file: Opened, prompt_words: frozenset[str]) -> list[Passage]:
    content = [passage for passage in file.passages if not is_route(passage)]
    words = [stem_set(f"{' '.join(passage.titles)} {passage.text}") for passage in content]
    fits = fitting(words, prompt_words, apart=False)
    fitted = [passage for passage, fit in zip(content, fits, strict=True) if fit]
    return fitted or ([] if file.path == SKILL_FILE else content[:EMBEDDED_QUOTED_PASSAGES])
