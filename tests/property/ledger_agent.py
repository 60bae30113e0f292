"""A command agent for tests that keeps its own ledger, outside of the store: one JSON line for each call.

It behaves by rules that a reader can predict. It activates the skill whose description shares most words with the prompt
(the first by name among equals; none without a shared word), reads its body, and of the files `references/WORD.md` that the
body names those whose word stands in the prompt. It answers with what it read, line by line, without white space at line ends.

Options: `--fickle` leaves out the references in three of four samples, by their call_id; `--cost USD` bills each call.
With TEST_FORGETFUL in its environment it leaves them out always.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

LEDGER = "TEST_LEDGER"


def words(text: str) -> set[str]:
    """Its words of four letters or more."""
    return set(re.findall(r"[a-z]{4,}", text.lower()))


def chosen(prompt: str, skills: list[dict[str, str]]) -> dict[str, str] | None:
    """The skill to activate."""
    ranked = sorted(skills, key=lambda skill: (-len(words(skill["description"]) & words(prompt)), skill["name"]))
    return ranked[0] if ranked and words(ranked[0]["description"]) & words(prompt) else None


def references(body: str, prompt: str) -> list[str]:
    """The references that the body names for words of the prompt."""
    return [f"references/{name}.md" for name in re.findall(r"references/([a-z]+)\.md", body) if name in words(prompt)]


def read(path: Path) -> str:
    """The text of a file; nothing for one that is not there."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def act(request: dict, fickle: bool) -> tuple[list[str], list[str], str]:
    """Skills used, files read (relative to the workspace) and the answer."""
    skill = chosen(request["prompt"], request["skills"])
    if skill is None:
        return [], [], "nothing to offer"
    folder = Path(skill["path"])
    body = read(folder / "SKILL.md").split("---\n", 2)[2]
    forgetful = "TEST_FORGETFUL" in os.environ or (fickle and int(request["call_id"][-1], 16) % 4 != 0)
    named = [] if forgetful else references(body, request["prompt"])
    text = "\n".join([body, *(read(folder / path) for path in named)])
    at = os.path.relpath(folder, request["workspace"])
    answer = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return [skill["name"]], [f"{at}/{path}" for path in ["SKILL.md", *named]], answer


def note(request: dict, used: list[str], read_files: list[str], answer: str) -> None:
    """Append this call to the ledger, in one write."""
    line = {
        "prompt": request["prompt"],
        "model": request["model"],
        "sample": request["sample"],
        "shown": {skill["name"]: skill["description"] for skill in request["skills"]},
        "used": used,
        "read": [path.removeprefix(".agents/skills/") for path in read_files],
        "answer": answer,
    }
    descriptor = os.open(os.environ[LEDGER], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, json.dumps(line).encode() + b"\n")
    os.close(descriptor)


def main(arguments: list[str]) -> None:
    """Answer one request (DESIGN 8.5)."""
    request = json.load(sys.stdin)
    used, read_files, answer = act(request, "--fickle" in arguments)
    note(request, used, read_files, answer)
    cost = float(arguments[arguments.index("--cost") + 1]) if "--cost" in arguments else 0.0
    response = {
        "output": answer,
        "skills_used": used,
        "files_read": read_files,
        "tool_calls": [{"name": "Read", "input": {"path": path}} for path in read_files],
        "usage": {"input_tokens": 1, "output_tokens": 1, "cost_usd": cost},
        "model": "ledger-1",
        "error": None,
    }
    print(json.dumps(response))


if __name__ == "__main__":
    main(sys.argv[1:])
