"""The JSON of every command says the status that its process ends with."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from selftune_build.__main__ import COMMANDS, main
from tests.property.workspace import Workspace

INVOCATIONS = {
    "build": ["--dry-run", "--locked brew", "spec", "nothing"],
    "show": ["brew:replay[black]", "nothing"],
    "plan": [""],
    "explain": ["brew"],
    "status": [""],
    "graph": [""],
    "publish": ["brew", "--check nothing.skill", "--rollback brew --to out", "--new-key key"],
    "eval composability": ["--skill brew --dry-run", ""],
    "eval convert": ["brew/evals/evals.yaml out.json --to skill-creator", "brew/evals/evals.yaml --to skill-creator"],
    "eval export": ["out --package brew"],
    "eval family-overlap": ["--dry-run"],
    "eval generate": ["brew --dry-run", "brew"],
    "eval import": ["brew/evals/evals.yaml --package brew", "empty.json --package brew"],
    "eval list": ["", "torn"],
    "eval noise": ["brew --dry-run", "brew"],
    "eval unit-test": ["brew", "brew --generate"],
    "mutate": ["brew", "nothing"],
    "create baseline": ["--skill-path brew"],
    "create check": ["--skill-path brew"],
    "create init": ["--name new --description Does"],
    "create publish": ["--skill-path brew"],
    "create replay": ["--skill-path brew"],
    "create report": ["--skill-path brew"],
    "create status": ["--skill-path brew"],
    "plugins info": ["selftune-build", "nothing"],
    "plugins list": [""],
    "plugins new": ["--kind gate house"],
    "lock accept": ["brew:replay[black] --reason because"],
    "lock diff": [""],
    "lock install-driver": [""],
    "lock merge": ["brew/selftune.lock"],
    "lock sign": ["brew --key nothing"],
    "audit": ["--dry-run --fraction 1"],
    "store fsck": [""],
    "store gc": ["--alone", ""],
    "store pull": ["file://nowhere"],
    "store push": ["file://nowhere"],
    "store stats": [""],
    "store status": ["file://nowhere"],
    "verify": ["--dry-run", "--locked brew"],
    "init": ["", "--dry-run"],
    "doctor": ["", "nothing"],
}
"""By each command the words that follow it, without `--json`."""
FOREIGN = ["badge"]
"""Whose JSON is the format of somebody else."""


def _commands(words: tuple[str, ...], found: click.Command) -> Iterator[str]:
    if isinstance(found, click.Group):
        for name, command in found.commands.items():
            yield from _commands((*words, name), command)
    elif any("--json" in parameter.opts for parameter in found.params):
        yield " ".join(words)


def test_every_command_with_json_is_among_them() -> None:
    commands = {name: importlib.import_module(module).command for name, (module, _) in COMMANDS.items()}
    found = [each for name, command in commands.items() for each in _commands((name,), command)]
    assert sorted([*INVOCATIONS, *FOREIGN]) == sorted(found)


@pytest.mark.parametrize(("command", "words"), [(name, words) for name, each in INVOCATIONS.items() for words in each])
def test_the_document_says_the_status_of_the_process(
    fresh: Workspace, command: str, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in fresh.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("SELFTUNE_STORE", raising=False)
    monkeypatch.chdir(fresh.root)
    Path("empty.json").write_text("[]")
    (fresh.root / "torn").mkdir()
    Path("torn/selftune.yaml").write_text("version: [")
    Path("torn/SKILL.md").write_text("---\nname: torn\ndescription: d\n---\n")
    status = main([*command.split(), *words.split(), "--json"])
    printed = capsys.readouterr().out
    document = json.loads(printed)
    assert printed == printed.rstrip() + "\n"
    assert (document["exit_code"], document["ok"]) == (status, status == 0)
