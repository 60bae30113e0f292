"""`selftune completion`: what a shell has to know to complete our command lines."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click
from click.shell_completion import ShellComplete, get_completion_class

from selftune_build.exits import REFUSED

VARIABLE = "_SELFTUNE_COMPLETE"
"""Set by the script in the shell when it asks for words, to `SHELL_complete`."""
_RC_FILES = {
    "bash": "~/.bashrc",
    "zsh": "~/.zshrc",
    "fish": "~/.config/fish/completions/selftune.fish",
}


class _Commands(click.Group):
    """Every command of the tool, imported when it is looked at."""

    def __init__(self, modules: dict[str, str]) -> None:
        super().__init__("selftune")
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = self._modules.get(cmd_name)
        return import_module(module).command if module is not None else None


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("shell", type=click.Choice(sorted(_RC_FILES)))
def command(shell: str) -> int:
    """Print the completion script for SHELL; the shell reads it at its start.

    \b
    bash   selftune completion bash >> ~/.bashrc
    zsh    selftune completion zsh >> ~/.zshrc
    fish   selftune completion fish > ~/.config/fish/completions/selftune.fish
    """
    print(_completer(shell, {}).source())
    return 0


def complete(instruction: str, modules: dict[str, str]) -> int:
    """Answer the script of a shell: print the words that fit. 0 where there was an answer."""
    shell, _, what = instruction.partition("_")
    if what != "complete" or shell not in _RC_FILES:
        return REFUSED
    print(_completer(shell, modules).complete())
    return 0


def _completer(shell: str, modules: dict[str, str]) -> ShellComplete:
    found = get_completion_class(shell)
    assert found is not None
    arguments: dict[str, Any] = {}
    return found(_Commands(modules), arguments, "selftune", VARIABLE)
