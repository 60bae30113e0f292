"""`selftune store`: what was paid for, and how it is looked after."""

from __future__ import annotations

import click

from selftune_build.cli import store_fsck, store_gc, store_stats


@click.group(
    help="Look after what was paid for: the samples of this workspace and of all that share its store.", no_args_is_help=True
)
def command() -> None:
    """The verbs below `selftune store`."""


for _verb in (store_stats, store_fsck, store_gc):
    command.add_command(_verb.command)
