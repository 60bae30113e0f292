"""A command agent that breaks in three of ten calls, in one of five ways, by a rule that a seed fixes.

What it answers depends on the sample alone, never on how often it broke before: so a suite that it breaks for
differs from one that it does not in nothing but what is missing. `--seed N` breaks; without it nothing breaks. It activates a
skill whose name stands in the prompt, always for `sure`, never for `deaf`, in every other sample for `torn`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys

SHARE = 0.3


def chance(*parts: object) -> float:
    """A number from 0 to 1 that these parts fix."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:6], "big") / 2**48


def attempt_of(call_id: str) -> int:
    """How often this sample was asked for before; this time is noted."""
    path = os.environ["TEST_LEDGER"]
    with open(path, "a+", encoding="utf-8") as ledger:
        ledger.seek(0)
        attempt = sum(call_id in line for line in ledger)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.write(descriptor, f"{call_id}\n".encode())
    os.close(descriptor)
    return attempt


def broken(kind: int) -> None:
    """End without an answer, in one of five ways."""
    if kind == 1:
        print("this is no JSON")
    if kind == 2:
        print(json.dumps({"output": "", "error": "the service is overloaded"}))
    if kind == 3:
        print(json.dumps({"output": 7}))
    if kind == 4:
        os.abort()
    sys.exit(1 if kind == 0 else 0)


def main(arguments: list[str]) -> None:
    """Answer one request, or break."""
    request = json.load(sys.stdin)
    call_id, attempt = request["call_id"], attempt_of(request["call_id"])
    if "--seed" in arguments:
        seed = arguments[arguments.index("--seed") + 1]
        if chance("breaks", seed, call_id, attempt) < SHARE:
            broken(int(5 * chance("how", seed, call_id, attempt)))
    name = next(skill["name"] for skill in request["skills"] if skill["name"] in request["prompt"])
    active = {"sure": True, "deaf": False, "torn": chance("torn", request["prompt"], request["sample"]) < 0.5}[name]
    used = [name] if active else []
    print(json.dumps({"output": "done", "skills_used": used, "files_read": [], "tool_calls": [], "error": None}))


if __name__ == "__main__":
    main(sys.argv[1:])
