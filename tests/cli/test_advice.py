"""What is advised works where it is typed: every command after `next:` or `fix:`, also under `-C` and with odd names."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from selftune_build.__main__ import main
from tests.property.workspace import Workspace

_ADVICE = re.compile(r"(?:next|fix|check): (selftune .+)$|`(selftune [^`]+)`", re.MULTILINE)
EVALS = "format: selftune.evals/1\ncases: [{id: one, prompt: Wash it, should_trigger: true}]\n"


@pytest.fixture
def place(fresh: Workspace, monkeypatch: pytest.MonkeyPatch) -> str:
    """A workspace in a folder whose name needs quotes, seen from an empty one beside it; its packages have names that do."""
    for name, value in fresh.environment.items():
        monkeypatch.setenv(name, value)
    for name, folder in (("b it's", "bits"), ("spec", "batch"), ("-v", "bold"), ("b[x]", "box")):
        fresh.write(f"{folder}/SKILL.md", f"---\nname: {name!a}\ndescription: Washes cups and plates.\n---\nWash.\n")
        fresh.write(f"{folder}/evals/evals.yaml", EVALS)
    fresh.write("bare/SKILL.md", "---\nname: bare\ndescription: Dries cups and plates.\n---\nDry.\n")
    fresh.write("bare/scripts/dry.py", "import argparse\nargparse.ArgumentParser().parse_args()\nif __name__ == '__main__': 0\n")
    fresh.write("selftune.yaml", 'version: 1\nworkspace: {members: ["b*"]}\n')
    fresh.root.rename(fresh.root.with_name("the kitchen"))
    elsewhere = fresh.root.with_name("elsewhere")
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return "../the kitchen"


def _advice(text: str) -> Iterator[list[str]]:
    for found in _ADVICE.finditer(text):
        yield shlex.split(found[1] or found[2])[1:]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("build --locked", 1),
        ("build --dry-run", None),
        ("show brew:replay[black]", 3),
        ("status", 0),
        ("plan", 0),
        ("publish brew", 1),
        ("eval family-overlap --dry-run", 3),
        ("eval export out --package brew", 3),
        ("eval unit-test --generate", 0),
        ("eval generate bare", 0),
        ("eval import new.json --package bare", 0),
        ("lock accept brew:replay[black] --reason because", None),
    ],
)
def test_what_is_advised_is_no_bad_input_where_it_is_typed(
    place: str, words: str, status: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("new.json").write_text('[{"query": "Dry it", "should_trigger": true}]')
    done = main([*words.split(), "-C", place])
    said = "".join(capsys.readouterr())
    assert status in (None, done), said
    commands = list(_advice(said))
    assert commands
    for command in commands:
        assert main(command) != 2, (command, capsys.readouterr())


@pytest.mark.parametrize("words", ["build", "build --locked", "status"])
def test_of_a_failed_unit_test_the_next_command_shows_it_and_builds_nothing_again(
    fresh: Workspace, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It blocks the rows below, so a build would stop at it once more."""
    for name, value in fresh.environment.items():
        monkeypatch.setenv(name, value)
    case = "{id: pours, run: [python3, -c, 'print(1)'], checks: [{contains: poured}]}"
    fresh.write("brew/tests/unit.yaml", f"format: selftune.unit-tests/1\ncases: [{case}]\n")
    assert main(["build", "brew", "-C", str(fresh.root)]) == 1
    capsys.readouterr()
    main([*words.split(), "brew", "-C", str(fresh.root)])
    said = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert said.count(f"next: selftune show 'brew:unit-tests[pours]' -C {shlex.quote(str(fresh.root))}") > 0
    assert not any(line.startswith("next: selftune build") for line in said)
