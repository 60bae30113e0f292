"""What a package can reach and run, and what of it is new."""

from __future__ import annotations

from pathlib import Path

import pytest

from selftune_build.limits import SURFACE_NAMES
from selftune_build.model.location import Location
from selftune_build.security.surface import drift
from tests.unit.security.packages import inspected, skill


def names(*tools: str) -> dict[str, Location]:
    return {f"tool:{tool}": Location("SKILL.md") for tool in tools}


def test_hosts_scripts_and_tools_are_named_with_their_first_place(tmp_path: Path) -> None:
    body = "See https://docs.attack.io/a and HTTPS://user@Docs.Attack.io:8080/b."
    files = {
        "SKILL.md": skill(body, allowed_tools="Read, Bash(git add:*) Bash(git add:*)"),
        "scripts/a.py": "print('http://[2001:db8::1]/x')\n",
        "bin/run": "#!/bin/sh\n",
        "references/a.md": "https://docs.attack.io.\n",
        "evals/a.md": "https://evals.attack.io\n",
    }
    surface = inspected(tmp_path, files).surface
    assert list(surface) == [
        "host:[2001:db8::1]",
        "host:docs.attack.io",
        "host:docs.attack.io:8080",
        "script:bin/run",
        "script:scripts/a.py",
        "tool:Bash(git add:*)",
        "tool:Read",
    ]
    assert surface["host:[2001:db8::1]"] == Location("scripts/a.py", 1)


def test_names_that_reach_nobody_are_no_part_of_it(tmp_path: Path) -> None:
    body = "https://example.com http://localhost:8080/x http://127.0.0.1/ https://api.example.net/ http://forms.test"
    assert inspected(tmp_path, {"SKILL.md": skill(body)}).surface == {}


def test_too_many_names_for_a_lock_are_told_apart_all_the_same(tmp_path: Path) -> None:
    hosts = [f"https://h{number}.attack.io/" for number in range(SURFACE_NAMES + 5)]
    one = inspected(tmp_path / "a", {"references/a.md": "\n".join(hosts)}).surface
    other = inspected(tmp_path / "b", {"references/a.md": "\n".join([*hosts[:-1], "https://other.attack.io/"])}).surface
    assert len(one) == SURFACE_NAMES + 1
    assert {finding.code for finding in drift(one, other)} == {"security-drift-host"}


def test_what_is_new_is_found_at_its_place_and_what_is_gone_is_not() -> None:
    new = {"host:a.io": Location("a.md", 3), "script:b.py": Location("b.py"), "tool:Read": Location("SKILL.md")}
    found = drift(("host:gone.io", "tool:Read"), new)
    assert [(one.code, one.at) for one in found] == [
        ("security-drift-host", Location("a.md", 3)),
        ("security-drift-script", Location("b.py")),
    ]


@pytest.mark.parametrize(
    ("before", "after", "wider"),
    [
        (("Bash",), ("Bash(git:*)",), False),
        (("Bash(git:*)",), ("Bash",), True),
        (("Bash(git:*)",), ("Bash(git add:*)",), False),
        (("Bash(git:*)",), ("Bash(git)",), False),
        (("Bash(git:*)",), ("Bash(gitx:*)",), True),
        (("Bash(git:*)",), ("Bash(git:*)", "Bash(rm:*)"), True),
        (("Bash(*)",), ("Bash(rm:*)",), False),
        (("*",), ("Bash",), False),
        ((), ("Read",), True),
        (("Read", "Write"), ("Read",), False),
        (("Read",), ("ReadAll",), True),
    ],
)
def test_a_tool_is_new_only_where_it_grants_more(before: tuple[str, ...], after: tuple[str, ...], wider: bool) -> None:
    assert bool(drift(names(*before), names(*after))) is wider
