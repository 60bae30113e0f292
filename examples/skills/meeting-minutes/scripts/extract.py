"""Find decisions, actions and open questions in the notes of a meeting."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import NamedTuple

MARKER = re.compile(r"(?:[-*]\s*)?(decision|decided|action|todo|ai|question|open)\s*:\s*(.+)", re.IGNORECASE)
KINDS = {"decision": "decision", "decided": "decision", "action": "action", "todo": "action", "ai": "action"}
AGREED = re.compile(r"\bwe (?:have )?(?:agreed|decided|chose|chosen)\b", re.IGNORECASE)
PROMISE = re.compile(r"\b([A-Z][a-z]+) (?:will|takes|to) ")
DATE = re.compile(r"\bby (\d{4}-\d{2}-\d{2})\b")
NOT_PEOPLE = {"It", "That", "This", "They", "We", "You", "He", "She", "There", "What", "Who", "Which", "Nobody", "Everybody"}


class Action(NamedTuple):
    """Something promised, who promised it, until when."""

    text: str
    person: str
    deadline: str


class Found(NamedTuple):
    """Everything in the notes that has to be in the minutes."""

    decisions: list[str]
    actions: list[Action]
    questions: list[str]


def kind_of(line: str) -> tuple[str, str]:
    """Kind and text of one line: by its marker, else by its phrase; an empty kind for talk."""
    marked = MARKER.fullmatch(line)
    if marked:
        return KINDS.get(marked.group(1).lower(), "question"), marked.group(2).strip()
    if AGREED.search(line):
        return "decision", line
    promise = PROMISE.search(line)
    if promise and promise.group(1) not in NOT_PEOPLE and not line.endswith("?"):
        return "action", line
    return ("question", line) if line.endswith("?") else ("", line)


def action(text: str) -> Action:
    """The action with the person and the deadline that the text names, if it does."""
    promise = PROMISE.search(text)
    person = promise.group(1) if promise and promise.group(1) not in NOT_PEOPLE else "nobody yet"
    date = DATE.search(text)
    return Action(text.rstrip("."), person, date.group(1) if date else "no deadline")


def extract(text: str) -> Found:
    """Decisions, actions and questions in the order of the notes."""
    found = Found([], [], [])
    for line in filter(None, (line.strip(" \t-*") for line in text.splitlines())):
        kind, words = kind_of(line)
        if kind == "decision":
            found.decisions.append(words.rstrip("."))
        elif kind == "action":
            found.actions.append(action(words))
        elif kind == "question":
            found.questions.append(words)
    return found


def block(title: str, lines: list[str]) -> list[str]:
    """A heading with its number of lines, and the lines."""
    return [f"{title} ({len(lines)})", *(f"- {line}" for line in lines), ""]


def render(found: Found) -> list[str]:
    """The three blocks and what is incomplete."""
    actions = [f"{row.text} [{row.person}, {row.deadline}]" for row in found.actions]
    persons = sum(1 for row in found.actions if row.person == "nobody yet")
    dates = sum(1 for row in found.actions if row.deadline == "no deadline")
    first = min((row.deadline for row in found.actions if row.deadline != "no deadline"), default="none")
    tail = [f"Without a person: {persons}", f"Without a deadline: {dates}", f"Nearest deadline: {first}"]
    return block("Decisions", found.decisions) + block("Actions", actions) + block("Open questions", found.questions) + tail


def load(path: str) -> Found:
    """What the notes at `path` hold. Raises SystemExit with status 2 where they cannot be read or are empty."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text.strip():
        print("error: no notes to read", file=sys.stderr)
        raise SystemExit(2)
    return extract(text)


def main() -> int:
    """Print what was found in the given notes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    print("\n".join(render(load(parser.parse_args().file))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
