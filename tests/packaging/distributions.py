"""What is looked at in the two archives of a release."""

from __future__ import annotations

from typing import NamedTuple


class Distributions(NamedTuple):
    """Names of the files in each archive; those of the sdist without the leading folder."""

    wheel: frozenset[str]
    sdist: frozenset[str]
    metadata: str
