"""What every command that can cost money has in common: amounts, and the question before a large plan."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from selftune_build.cli.signals import interrupting


class Money(click.ParamType[Decimal]):
    """An amount in USD, not negative."""

    name = "USD"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """The amount as a decimal; fails the way click does."""
        try:
            amount = Decimal(str(value))
        except InvalidOperation:
            self.fail(f"{value!r} is not an amount", param, ctx)
        if not amount.is_finite() or amount < 0:
            self.fail(f"{value!r} is not an amount", param, ctx)
        return amount


def confirm(question: str) -> bool | None:
    """Ask on a terminal; None where there is nobody to ask."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    with interrupting():
        return click.confirm(question, default=False, err=True)


Option = Callable[[Callable[..., Any]], Callable[..., Any]]

BUDGET: tuple[Option, ...] = (
    click.option("--max-calls", type=click.IntRange(0), help="Stop before the call that would pass this number; attempts count."),
    click.option("--max-cost", type=Money(), metavar="USD", help="Stop when this much has been spent."),
    click.option("-y", "--yes", "assume_yes", is_flag=True, help="Do not ask before many paid calls."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document."),
    click.option(
        "-C", "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="As if started there."
    ),
)
"""How much, and in which form, and where: the options that commands of `eval` end with."""


def with_options(*options: Option) -> Option:
    """All of these options, in this order in the help."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
