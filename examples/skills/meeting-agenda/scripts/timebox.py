"""Turn topics with minutes into a timetable that fits the length of the meeting."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import NamedTuple

CLOSING = 5
DAY = 24 * 60
SETTING = re.compile(r"(start|length)\s*:\s*(\S+)", re.IGNORECASE)
CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class Refusal(Exception):
    """A line cannot be understood; the message says which and why."""


class Topic(NamedTuple):
    """One line of the agenda."""

    title: str
    minutes: int
    owner: str


class Plan(NamedTuple):
    """Everything the file says; times in minutes since midnight."""

    start: int
    length: int
    topics: list[Topic]


def clock(minutes: int) -> str:
    """Minutes since midnight as HH:MM."""
    return f"{minutes % DAY // 60:02d}:{minutes % 60:02d}"


def parse_clock(text: str, place: int) -> int:
    """Minutes since midnight. Raises Refusal for anything but HH:MM."""
    match = CLOCK.fullmatch(text)
    if not match:
        raise Refusal(f"line {place}: not a time: {text}")
    return int(match.group(1)) * 60 + int(match.group(2))


def parse_minutes(text: str, place: int) -> int:
    """A whole number of minutes from 1 to a day. Raises Refusal for anything else."""
    digits = re.fullmatch(r"(\d{1,4})\s*(?:min|minutes|m)?", text)
    if not digits or not 1 <= int(digits.group(1)) <= DAY:
        raise Refusal(f"line {place}: not a number of minutes: {text or 'nothing'}")
    return int(digits.group(1))


def parse_topic(line: str, place: int) -> Topic:
    """Title, minutes and owner. Raises Refusal where the minutes are missing."""
    parts = [part.strip() for part in line.split("|")]
    return Topic(parts[0], parse_minutes(parts[1] if len(parts) > 1 else "", place), parts[2] if len(parts) > 2 else "")


def parse(text: str) -> Plan:
    """The plan that the file describes. Raises Refusal for a line that is neither setting nor topic."""
    start, length, topics = 9 * 60, 60, []
    for place, line in enumerate(text.splitlines(), 1):
        setting = SETTING.fullmatch(line.strip())
        if setting and setting.group(1).lower() == "start":
            start = parse_clock(setting.group(2), place)
        elif setting:
            length = parse_minutes(setting.group(2), place)
        elif line.strip():
            topics.append(parse_topic(line, place))
    if not topics:
        raise Refusal("no topics")
    return Plan(start, length, topics)


def balance(plan: Plan) -> str:
    """Whether the topics fit."""
    spare = plan.length - CLOSING - sum(topic.minutes for topic in plan.topics)
    if spare < 0:
        return f"Over by {-spare} min: cut or split a topic"
    return f"Under by {spare} min" if spare else "Fits exactly"


def render(plan: Plan) -> list[str]:
    """The timetable, the closing slot and the balance."""
    lines, at = [], plan.start
    for topic in plan.topics:
        owner = f" ({topic.owner})" if topic.owner else ""
        lines.append(f"{clock(at)}-{clock(at + topic.minutes)} {topic.title}{owner}")
        at += topic.minutes
    lines.append(f"{clock(at)}-{clock(at + CLOSING)} Decisions and next steps")
    short = [f"Shorter than 10 min: {topic.title}" for topic in plan.topics if topic.minutes < 10]
    return [*lines, balance(plan), *short]


def main() -> int:
    """Print the timetable; 2 for a file that cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    given = parser.parse_args()
    try:
        plan = parse(Path(given.file).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        print("error: cannot read the topics", file=sys.stderr)
        return 2
    except Refusal as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    print("\n".join(render(plan)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
