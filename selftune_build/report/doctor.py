"""What `selftune doctor` found, for people."""

from __future__ import annotations

from collections.abc import Mapping

from selftune_build.agents.protocol import Diagnosis
from selftune_build.escape import one_line
from selftune_build.limits import NAME_CHARACTERS

NOTHING = "no agent with a program behind it is installed: the README of selftune-build says how"


def render(found: Mapping[str, Diagnosis]) -> str:
    """Two or three lines for each agent."""
    return "\n".join(line for name, each in sorted(found.items()) for line in _lines(name, each)) or NOTHING


def _lines(name: str, found: Diagnosis) -> list[str]:
    version = f" {found.version}" if found.version else ""
    lines = [f"{name}{version}: {'ready' if found.next_step is None else 'not ready'}"]
    if found.program is not None:
        lines.append(f"  program: {one_line(found.program, NAME_CHARACTERS)}")
    if found.login is not None:
        lines.append(f"  login: {one_line(found.login, NAME_CHARACTERS)}")
    lines += [f"  {one_line(problem, NAME_CHARACTERS)}" for problem in found.problems]
    return [*lines, f"  next: {found.next_step}" if found.next_step else f"  next: selftune build verify --agent {name}"]
