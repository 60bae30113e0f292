"""`selftune store`: what was paid for, and how it is looked after."""

from __future__ import annotations

import click

from selftune_build.cli import store_fsck, store_gc, store_share, store_stats


@click.group(help="Look after what was paid for: the samples of all worktrees that share the store.", no_args_is_help=False)
def command() -> None:
    """The verbs below `selftune store`."""


for _verb in (
    store_stats.command,
    store_fsck.command,
    store_gc.command,
    store_share.push_command,
    store_share.pull_command,
    store_share.status_command,
):
    command.add_command(_verb)
