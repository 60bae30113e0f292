"""A command agent for tests that serves the role `complete` from the request alone, and keeps its own ledger.

It tells a question by the schema it is asked under. Its first argument says how it answers: `well`, or how badly.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

WORDS = "amber birch cedar dune ember fjord grove heron islet jetty kiln larch maple north ocean pearl quartz river slate thorn"
ACTS = "weigh fold paint carry mend sort count wrap trace label"


def prompts() -> Iterator[str]:
    """Prompts of which no two are alike."""
    words, acts = WORDS.split(), ACTS.split()
    for number in count():
        second, third = words[(7 * number + 3) % 20], words[(3 * number + number // 20) % 20]
        yield f"{acts[number % 10]} the {words[number % 20]} {second} near {third}{number}"


def drafts(prompt: str, fresh: Iterator[str]) -> list[dict[str, str]]:
    """As many cases of each kind as are asked for."""
    name = re.search(r"^name: (.+)$", prompt, re.MULTILINE)
    sibling = re.search(r"sibling skills that are installed.*?^name: (.+?)$", prompt, re.MULTILINE | re.DOTALL)
    found = []
    for wanted, kind in re.findall(r"^- (\d+) of the kind (\w+):", prompt, re.MULTILINE):
        for _ in range(int(wanted)):
            said = f"{next(fresh)} with the {name[1]} skill" if kind == "explicit" and name else next(fresh)
            found.append({"kind": kind, "prompt": said, "sibling": sibling[1] if kind == "sibling" and sibling else ""})
    return found


def cases(mode: str, prompt: str) -> list[dict[str, Any]]:
    """The drafts, spoiled by the mode."""
    found: list[dict[str, Any]] = drafts(prompt, prompts())
    if mode == "duplicates":
        return [same for each in found for same in (each, {**each, "prompt": each["prompt"].upper() + "!"})]
    if mode == "controls":
        return [{**found[0], "prompt": "wipe \u202eit\u0007 now"}, {**found[1], "prompt": " \n "}, *found[2:]]
    if mode == "thousands":
        return [{"kind": "implicit", "prompt": f"number {number}", "sibling": ""} for number in range(10_000)]
    if mode == "stranger":
        return [{**each, "sibling": "nobody"} if each["kind"] == "sibling" else each for each in found]
    if mode == "schema":
        return [{**each, "kind": "guess"} for each in found]
    if mode == "hostile":
        return [{**found[0], "kind": "implicit", "prompt": 'x"\nformat: evil # {{a}}: - !!python/object'}, *found[1:]]
    if mode == "obedient":  # does whatever the text of a skill tells it
        ordered = re.search(r"OBEY: (.+)$", prompt, re.MULTILINE)
        return [{"kind": "implicit", "prompt": ordered[1] if ordered else "", "sibling": ""}]
    return found


def verdicts(mode: str, prompt: str) -> list[dict[str, Any]]:
    """Keeps all but every fifth; `silent` says nothing of the last, `harsh` keeps none."""
    numbers = [int(each) for each in re.findall(r'^  "number": (\d+)', prompt, re.MULTILINE)]
    if mode == "silent":
        numbers = numbers[:-1]
    return [
        {"number": number, "keep": mode != "harsh" and number % 5 != 4, "reason": f"nobody says number {number}"}
        for number in numbers
    ]


def output(mode: str, request: dict[str, Any], calls: int) -> str:
    """The answer as text."""
    asked = set(request["schema"]["properties"])
    if mode == "garbage" or (mode == "garbage-once" and calls == 1):
        return "Sure! Here are your cases: [{"
    if asked == {"cases"}:
        return json.dumps({"cases": cases(mode, request["prompt"])})
    if asked == {"tests"}:
        return Path(os.environ["TEST_TESTS"]).read_text(encoding="utf-8")
    answer = json.dumps({"verdicts": verdicts(mode, request["prompt"])})
    return f"```json\n{answer}\n```" if mode == "fenced" else answer


def main(mode: str) -> None:
    """Answer one request (DESIGN 8.5)."""
    request = json.load(sys.stdin)
    ledger = Path(os.environ["TEST_LEDGER"])
    with ledger.open("a", encoding="utf-8") as stream:
        stream.write(
            json.dumps({name: request[name] for name in ("call_id", "role", "prompt", "model", "workspace", "schema")}) + "\n"
        )
    calls = len(ledger.read_text(encoding="utf-8").splitlines())
    if mode == "slow":
        time.sleep(2)
    if mode == "crash":
        sys.exit("no answer from here")
    response = {"output": output(mode, request, calls), "usage": {"input_tokens": 1, "output_tokens": 1, "cost_usd": 0.25}}
    print(json.dumps(response))


if __name__ == "__main__":
    main(sys.argv[1])
