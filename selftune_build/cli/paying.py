"""What every command that can cost money has in common: amounts, and the question before a large plan."""

from __future__ import annotations

import sys
from decimal import Decimal, InvalidOperation

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
