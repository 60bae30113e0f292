"""Runs `--locked` over and over on files that were damaged or made to harm; a program of its own: its memory can be bounded.

    python total.py WORKSPACE ROUNDS SEED

Prints one line for each way an input ended, and fails for any other: a pass, a no, bad input or cannot-decide, each in seconds.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from selftune_build.__main__ import main

SECONDS = 30
FILES = (
    "brew/selftune.lock",
    "brew/SKILL.md",
    "brew/evals/evals.yaml",
    "brew/selftune.yaml",
    "selftune.yaml",
    "brew/tests/unit.yaml",
)
TOKENS = [
    *(
        b"\0",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"\r\n",
        b"---\n",
        b"<<<<<<< ours\n",
        b">>>>>>> theirs\n",
        b"=======\n",
        b"\x1b[2J",
        b"\xe2\x80\xae",
    ),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b":",
        b"- ",
        b"\t",
        b"&a ",
        b"*a",
        b"<<: ",
        b"!!python/object:os.system ",
        b"? ",
        b"| \n",
        b"\\ud800",
    ),
    *(b"1e999", b"-0", b"NaN", b"9" * 400, b"0x1F", b"1_000", b"null", b"true", b"~", b"2001-01-01", b'{"a":' * 99, b"[" * 5000),
    *(b"../" * 40, b"/etc/passwd", b"x" * 70_000, b'"seal": "sha256:' + b"0" * 64 + b'"', b"(a+)+$", b"a{1,999}{1,999}"),
]
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)
WHOLE = [
    *(
        b"",
        b"\0" * 65_536,
        b"[" * 1_000_000,
        b'{"a":' * 500_000,
        b"\xff" * 9_999,
        BOMB.encode(),
        b"- " * 300_000,
        b"a: " * 100_000,
        b"? " * 100_000,
    ),
    *(
        b"---\n" * 200_000,
        b"x" * 5_000_000,
        b'"' + b"\\u0000" * 200_000 + b'"',
        b"9" * 3_000_000,
        b"-" * 3_000_000,
        b"&a *a",
        b"%YAML 9.9\n---\n",
    ),
    json.dumps({"version": 1, "revision": 1, "agents": {f"a{n}": {"cases": {}} for n in range(50_000)}}).encode(),
    json.dumps({"format": "selftune.evals/1", "cases": [{"id": str(n), "prompt": "x"} for n in range(20_000)]}).encode(),
    b"---\nname: brew\ndescription: " + b"(" * 300_000 + b"\n---\n" + b"[a](" * 100_000,
    b"---\nname: brew\ndescription: x\n---\n" + b"> " * 200_000 + b"\n" + b"`" * 100_000 + b"\n" + b"<!--" * 50_000,
]


class TooLong(BaseException):
    """An input took more seconds than it may."""


def damaged(content: bytes, chance: random.Random) -> bytes:
    """A few edits of the kinds that make parsers stumble."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        place, end = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
        kind = chance.randrange(6)
        if kind == 0:
            data[place:place] = chance.choice(TOKENS)
        elif kind == 1 and data:
            data[min(place, len(data) - 1)] = chance.randrange(256)
        elif kind == 2:
            del data[place : min(end, place + 200)]
        elif kind == 3:
            data[place:place] = data[place : min(end, place + 500)] * chance.randint(1, 3)
        elif kind == 4:
            data[place:end] = chance.choice(TOKENS)
        else:
            del data[place:]
    return bytes(data)


def conflicted(content: bytes, chance: random.Random) -> bytes:
    """Two damaged sides between the markers of a merge."""
    return b"<<<<<<< ours\n" + damaged(content, chance) + b"\n=======\n" + damaged(content, chance) + b"\n>>>>>>> theirs\n"


def ended(root: Path) -> int:
    """The exit status of one run; its output goes nowhere. Raises TooLong."""
    signal.alarm(SECONDS)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return main(["build", "--locked", "--json", "-C", str(root)])
    finally:
        signal.alarm(0)


def too_long(number: int, frame: FrameType | None) -> None:
    raise TooLong


def run(root: Path, rounds: int, seed: int) -> Counter[int]:
    """Every whole file once in every place, then damaged ones; how often each status came."""
    chance = random.Random(seed)
    found: Counter[int] = Counter()
    inputs = [(name, content) for name in FILES for content in WHOLE]
    for index in range(len(inputs) + rounds):
        path = root / (inputs[index][0] if index < len(inputs) else chance.choice(FILES))
        before = path.read_bytes()
        harm = conflicted if path.suffix == ".lock" and chance.random() < 0.5 else damaged
        path.write_bytes(inputs[index][1] if index < len(inputs) else harm(before, chance))
        try:
            status = ended(root)
        except TooLong:
            status = -1
        if status not in (0, 1, 2, 3):
            Path(root.parent / "culprit").write_bytes(path.read_bytes())
            raise SystemExit(f"input {index} for {path.name} ended with {status}")
        found[status] += 1
        path.write_bytes(before)
    return found


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, too_long)
    outcomes = run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    print("\n".join(f"{status} {count}" for status, count in sorted(outcomes.items())))
