"""The same as plain data, for `--json`."""

from __future__ import annotations

from typing import Any

import msgspec

from selftune_build.model.statistics import Statistics


def statistics_data(statistics: Statistics) -> dict[str, Any]:
    """Fields of a package in the JSON report; lists are there also where they are empty."""
    data: dict[str, Any] = msgspec.to_builtins(statistics)
    return data
