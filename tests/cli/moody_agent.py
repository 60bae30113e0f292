"""A command agent whose answers are good by chance, drawn by its call_id: how often, stands in the prompt.

`$MOODY_DIR/rules.json` says what is otherwise: a `rate` for all prompts, `unaided` without a skill, the `model` that serves,
a word `failing` of prompts that bring an error. Each call is a line in `$MOODY_DIR/ledger`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from pathlib import Path

FOLDER = Path(os.environ["MOODY_DIR"])


def main() -> None:
    """Answer one request (DESIGN 8.5)."""
    request = json.load(sys.stdin)
    with (FOLDER / "ledger").open("ab", buffering=0) as ledger:
        ledger.write(json.dumps({name: request[name] for name in ("call_id", "prompt", "sample")}).encode() + b"\n")
    rules = json.loads((FOLDER / "rules.json").read_text())
    rate = rules.get("rate", int(re.search(r"(\d+) %", request["prompt"])[1]))
    drawn = int.from_bytes(hashlib.sha256(request["call_id"].encode()).digest()[:4], "big") % 100
    good = drawn < (rate if request["skills"] else rules.get("unaided", 0))
    used = [skill["name"] for skill in request["skills"]]
    failing = rules.get("failing") in request["prompt"].split() if "failing" in rules else False
    answer = {
        "output": "well done" if good else "no idea",
        "skills_used": used,
        "files_read": [f".agents/skills/{name}/SKILL.md" for name in used],
        "tool_calls": [],
        "usage": {"input_tokens": 1, "output_tokens": 1, "cost_usd": 0.01},
        "model": rules.get("model", "served-1"),
        "error": "out of service" if failing else None,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
