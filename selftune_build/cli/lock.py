"""`selftune lock`: what can be done with locks."""

from __future__ import annotations

import click

from selftune_build.cli.lock_sign import sign


@click.group(help="Vouch for locks.")
def command() -> None:
    """The verbs below `selftune lock`."""


command.add_command(sign)
