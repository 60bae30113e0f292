"""An agent and a judge under script, one program: each call is noted in a ledger of its role, then answered by rule.

What changes from test to test lies in `$JUDGING_DIR`, so that no identity does: `rules.json` is a list of
`{"role", "match", "sample", "attempt", …}`, the first that fits counts, each test of a rule may be left out. A judge finds a
statement or a criterion to be true where its last word stands in the record, and prefers the answer that goes by the book.
"""

import json
import os
import re
import sys
import time
from pathlib import Path

FOLDER = Path(os.environ["JUDGING_DIR"])


def main() -> None:
    request = json.loads(sys.stdin.buffer.readline())
    rule = rule_for(request)
    if "pause" in rule:
        pause()
    output = rule.get("output")
    if output is None:
        output = run(request) if request["role"] == "run" else json.dumps(rule_on(request, rule))
    answer = {"output": output, "skills_used": [each["name"] for each in request["skills"]], "files_read": [], "tool_calls": []}
    answer |= {"usage": {"input_tokens": 1, "output_tokens": 1, "cost_usd": 0.01}, "model": rule.get("model")}
    print(json.dumps(answer | rule.get("with", {})))


def rule_for(request: dict) -> dict:
    path = FOLDER / request["role"]
    before = [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []
    attempt = sum(each["call_id"] == request["call_id"] for each in before)
    with path.open("ab", buffering=0) as file:
        file.write(json.dumps({name: request.get(name) for name in ("call_id", "prompt", "sample", "schema")}).encode() + b"\n")
    rules = json.loads((FOLDER / "rules.json").read_bytes())
    seen = {"role": request["role"], "sample": request["sample"], "attempt": attempt}
    fits = (rule for rule in rules if all(rule.get(name, value) == value for name, value in seen.items()))
    return next((rule for rule in fits if rule.get("match", "") in request["prompt"]), {})


def pause() -> None:
    """Say that somebody waits, and go on when told to."""
    (FOLDER / "waiting").touch()
    until = time.monotonic() + 60
    while not (FOLDER / "go").exists() and time.monotonic() < until:
        time.sleep(0.005)


def run(request: dict) -> str:
    how = "by the book" if request["skills"] else "by heart"
    for skill in request["skills"]:
        (Path(skill["path"]) / "SKILL.md").read_bytes()
    return f"{request['prompt']}: done {how}"


def rule_on(request: dict, rule: dict) -> dict:
    head, _, asked = request["prompt"].rpartition("\n\n")
    fence = re.search(r"The word of this record is ([0-9a-f]{16})\.", head)[1]
    parts = dict(re.findall(rf"<data {fence} ([^\n]*)>\n(.*?)\n</data {fence}>", head, re.DOTALL))
    true = rule.get("true")

    def is_true(statement: str) -> bool:
        return statement.split()[-1] in parts["answer"] if true is None else true

    names = list(request["schema"]["properties"])
    if "holds" in names:
        return {"evidence": "so it says", "holds": is_true(asked.strip())}
    if "better" in names:
        best = next((place for place in ("first", "second") if "by the book" in parts[place]), "neither")
        return {"evidence": "the book", "better": rule.get("better", best)}
    criteria = dict(line.split(": ", 1) for line in asked.strip().splitlines()[1:])
    return {name: {"evidence": "so it says", "met": is_true(criteria[name])} for name in names}


if __name__ == "__main__":
    main()
