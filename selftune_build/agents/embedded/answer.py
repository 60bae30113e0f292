"""The agent's answer: what scripts printed and what it read in this run, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from selftune_build.agents.embedded.scripts import ScriptResult

NOTHING_CHOSEN = "No skill was chosen."
NOTHING_FITS = "Nothing in the instructions fits the request."


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
