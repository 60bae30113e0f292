"""`selftune eval`: eval cases themselves, before anything is measured with them."""

from __future__ import annotations

import click

from selftune_build.cli.eval_generate import command as generate
from selftune_build.cli.eval_unit_test import command as unit_test


@click.group(help="Write and look at eval cases.", no_args_is_help=False)
def command() -> None:
    """The verbs below `selftune eval`."""


command.add_command(generate)
command.add_command(unit_test)
