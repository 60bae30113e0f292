"""A command to type next, ready to be pasted where the invocation was typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from selftune_build.model.repeated import Repeated

_OF_AGENTS = frozenset({"build", "explain", "show"})
"""Verbs that take `--agent` and `--model` for the agents that are measured."""


def command(verb: str, *words: str, place: Repeated | str = "") -> str:
    """`selftune VERB WORD…`, each word quoted for a shell; with the `-C` of the invocation and the agents that it named.

    `place`: what is repeated, or of that the folder alone.
    """
    repeated = Repeated(place) if isinstance(place, str) else place
    return " ".join(["selftune", verb, *map(shlex.quote, [*words, *_flags(verb, repeated)])])


def _flags(verb: str, repeated: Repeated) -> Iterator[str]:
    if verb in _OF_AGENTS:
        for agent in repeated.agents:
            yield from ("--agent", agent)
        if repeated.model is not None:
            yield from ("--model", repeated.model)
    if repeated.directory:
        yield from ("-C", repeated.directory)
