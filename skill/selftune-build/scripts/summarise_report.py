"""Summarise a `--json` report: for each package the verdict, what stands in its way, and the next command."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

SCHEMA = "selftune.report/1"
SHOWN = 5
FIRST = ("fail", "inconclusive", "pass")


def records(parent: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects in a list field; nothing where the field is missing or no list."""
    found = parent.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def word(record: dict[str, Any], name: str) -> str:
    """A field as one line of text."""
    value = record.get(name)
    return "" if value is None else " ".join(str(value).split())


def capped(lines: list[str]) -> list[str]:
    """The first lines and how many more there are."""
    rest = len(lines) - SHOWN
    return lines[:SHOWN] + ([f"  … and {rest} more"] if rest > 0 else [])


def gate_line(gate: dict[str, Any]) -> str:
    """A gate that does not pass, and whether that matters."""
    optional = "" if gate.get("required", True) else " (not required)"
    return f"  gate {word(gate, 'id')}: {word(gate, 'verdict')}{optional}: {word(gate, 'message')}"


def problem_line(row: dict[str, Any]) -> str:
    """A problem: its code, where, what."""
    return f"  problem {word(row, 'code')} at {word(row, 'target')}: {word(row, 'message')}"


def failure_line(row: dict[str, Any]) -> str:
    """A check that did not hold: in how many samples, and the evidence."""
    share = f"{word(row, 'failed')} of {word(row, 'n')}"
    return f"  check {word(row, 'check')} at {word(row, 'target')}: {share}: {word(row, 'evidence')}"


def obstacles(package: dict[str, Any]) -> list[str]:
    """Gates that do not pass, problems and failed checks, in this order."""
    gates = [gate_line(gate) for gate in records(package, "gates") if gate.get("verdict") != "pass"]
    problems = [problem_line(row) for row in records(package, "problems")]
    failures = [failure_line(row) for row in records(package, "failures")]
    return gates + capped(problems) + capped(failures)


def next_command(package: dict[str, Any]) -> str:
    """What the report proposes, else the fix of the first problem, else nothing to do."""
    fixes = [word(row, "fix") for row in records(package, "problems") if row.get("fix")]
    return word(package, "next_command") or (fixes[0] if fixes else "none")


def rank(package: dict[str, Any]) -> tuple[int, str]:
    """Failing packages first, then those that could not be decided; inside by name."""
    verdict = word(package, "verdict")
    return (FIRST.index(verdict) if verdict in FIRST else len(FIRST), word(package, "name"))


def summary(report: dict[str, Any]) -> list[str]:
    """The whole summary, one line each."""
    spend = report.get("spend")
    spent = spend if isinstance(spend, dict) else {}
    lines = [f"Verdict: {word(report, 'verdict')}, exit status {word(report, 'exit_code')}"]
    lines += [f"Agent calls: {word(spent, 'agent_calls') or 0}, reused: {word(spent, 'reused') or 0}"]
    for package in sorted(records(report, "packages"), key=rank):
        simulated = " (simulated, no model was run)" if package.get("origin") == "simulated" else ""
        lines += [f"{word(package, 'name')}: {word(package, 'verdict')}{simulated}", *obstacles(package)]
        lines += [f"  next: {next_command(package)}"]
    return lines


def main() -> int:
    """Print the summary; 2 for anything that is not a report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", default="-", help="the report; default stdin")
    given = parser.parse_args()
    try:
        raw = sys.stdin.buffer.read() if given.file == "-" else Path(given.file).read_bytes()
        report = json.loads(raw)
    except (OSError, ValueError, RecursionError):
        print("error: no JSON document", file=sys.stderr)
        return 2
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        print(f"error: not a report of schema {SCHEMA}", file=sys.stderr)
        return 2
    sys.stdout.buffer.write(("\n".join(summary(report)) + "\n").encode("utf-8", "replace"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
