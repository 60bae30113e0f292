"""`selftune eval`: cases before anything is measured with them, and how skills get along."""

from __future__ import annotations

import click

from selftune_build.cli import eval_convert, eval_export, eval_import, eval_list, eval_noise
from selftune_build.cli.eval_composability import command as composability
from selftune_build.cli.eval_family_overlap import command as family_overlap
from selftune_build.cli.eval_generate import command as generate
from selftune_build.cli.eval_unit_test import command as unit_test


@click.group(help="Read, write, draft eval cases; see how siblings get along.", no_args_is_help=False)
def command() -> None:
    """The verbs below `selftune eval`."""


for _verb in (
    *(generate, unit_test, composability, family_overlap),
    *(each.command for each in (eval_list, eval_import, eval_convert, eval_export, eval_noise)),
):
    command.add_command(_verb)
