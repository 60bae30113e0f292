"""Sort the notes of an incident into a timeline and print time to detect, to mitigate and to resolve."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

EVENT = re.compile(r"(?:(\d{4}-\d{2}-\d{2})[ T])?(\d{2}:\d{2})\s+(?:\[(\w+)\]\s*)?(.+)")
MARKS = ("start", "detected", "mitigated", "resolved")
DAY = re.compile(r"^\d{4}-\d{2}-\d{2}(?=[ T])", re.MULTILINE)
NO_DAY = "2000-01-01"


class Event(NamedTuple):
    """One line of the notes."""

    at: datetime
    mark: str
    text: str


def parse(text: str) -> tuple[list[Event], list[int]]:
    """The events in order of time, and the numbers of the lines that are none. A time alone has the day above it."""
    events: list[Event] = []
    skipped: list[int] = []
    first = DAY.search(text)
    day = first.group() if first else NO_DAY
    for place, line in enumerate(text.splitlines(), 1):
        found = EVENT.fullmatch(line.strip())
        day = (found.group(1) or day) if found else day
        try:
            at = datetime.strptime(f"{day} {found.group(2)}", "%Y-%m-%d %H:%M") if found else None
        except ValueError:
            at = None
        if found and at:
            events.append(Event(at, (found.group(3) or "").lower(), found.group(4).strip()))
        elif line.strip():
            skipped.append(place)
    return sorted(events, key=lambda event: event.at), skipped


def minutes(events: list[Event], first: str, last: str) -> str:
    """Minutes between two marks, or which of them is missing."""
    at = {event.mark: event.at for event in reversed(events) if event.mark in MARKS}
    absent = [f"[{mark}]" for mark in (first, last) if mark not in at]
    return f"unknown, no {' or '.join(absent)}" if absent else f"{int((at[last] - at[first]).total_seconds() // 60)} min"


def render(events: list[Event], skipped: list[int]) -> list[str]:
    """The timeline with minutes since its first event, then the durations."""
    lines = ["Timeline"]
    for event in events:
        passed = int((event.at - events[0].at).total_seconds() // 60)
        mark = f"[{event.mark}] " if event.mark else ""
        lines.append(f"{event.at:%H:%M} +{passed} min {mark}{event.text}")
    lines += ["", f"Time to detect: {minutes(events, 'start', 'detected')}"]
    lines += [f"Time to mitigate: {minutes(events, 'detected', 'mitigated')}"]
    lines += [f"Time to resolve: {minutes(events, 'start', 'resolved')}"]
    return lines + [f"Not an event: line {place}" for place in skipped]


def main() -> int:
    """Print the timeline of the given notes; 2 when there is no event in them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    given = parser.parse_args()
    try:
        events, skipped = parse(Path(given.file).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError):
        print("error: cannot read the notes", file=sys.stderr)
        return 2
    if not events:
        print("error: no line starts with a time such as 14:05", file=sys.stderr)
        return 2
    print("\n".join(render(events, skipped)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
