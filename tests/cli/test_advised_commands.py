"""Every command that the program can print is one that it has: its verb is there, and takes the options printed with it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import selftune_build
from selftune_build.__main__ import COMMANDS, main

GROUPS = frozenset({"completion", "create", "eval", "lock", "plugins", "store"})
"""Commands whose next word is one, too."""
_PRINTED = re.compile(r"(?:^|`|: |; |, )selftune ((?:[a-z][a-z-]*|--?[a-z-]+|[^\s`'\"]+)(?: [^\s`'\"]+)*)", re.MULTILINE)
_MAKERS = ("command", "advised")
"""Names under which `advice.command` is called."""


def _commands(source: str) -> Iterator[str]:
    """What stands behind `selftune` in the texts of a module, and what its calls of `command` put there."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (found[1] for found in _PRINTED.finditer(node.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MAKERS:
            words = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if words and words[0] != "":
                yield " ".join(words)


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """The verb, and the options behind it."""
    verb = words[:2] if words[0] in GROUPS and len(words) > 1 and re.fullmatch("[a-z][a-z-]*", words[1]) else words[:1]
    options = (re.match("--?[a-zA-Z][a-zA-Z-]*", word) for word in words[len(verb) :])
    return verb, [found[0] for found in options if found]


def printed() -> dict[str, set[str]]:
    """Options by verb, of everything that the program can print."""
    found: dict[str, set[str]] = {}
    for path in sorted(Path(selftune_build.__file__).parent.rglob("*.py")):
        for text in _commands(path.read_text(encoding="utf-8")):
            verb, options = _split(text.rstrip(".,:;)").split())
            if re.fullmatch("[a-z][a-z-]*", verb[0]):  # else a placeholder, or an option of the program itself
                found.setdefault(" ".join(verb), set()).update(options)
    return found


PRINTED = printed()


def test_many_commands_are_looked_at() -> None:
    """Else the others would show nothing."""
    assert {"build", "audit", "show", "eval generate", "lock accept", "publish", "store fsck", "plugins list"} <= PRINTED.keys()
    assert "--generate" in PRINTED["eval unit-test"]


ANNOUNCED = frozenset({"watch"})
"""What `publish` hands over to, and says that it comes later."""


def test_what_is_announced_does_not_exist_yet() -> None:
    """Else it would be looked at with the others."""
    assert (PRINTED.keys() >= ANNOUNCED, ANNOUNCED & set(COMMANDS)) == (True, frozenset())


@pytest.mark.parametrize("verb", sorted(PRINTED.keys() - ANNOUNCED))
def test_a_command_that_is_printed_exists_and_takes_its_options(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert verb.split()[0] in COMMANDS
    assert main([*verb.split(), "--help"]) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert [option for option in sorted(PRINTED[verb]) if not re.search(rf"(?<![\w-]){option}(?![\w-])", said)] == []
