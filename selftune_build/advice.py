"""A command to type next, ready to be pasted where the invocation was typed."""

from __future__ import annotations

import shlex


def command(verb: str, *words: str, place: str = "") -> str:
    """`selftune VERB WORD…`, each word quoted for a shell; with `-C` where the invocation had one."""
    where = ["-C", place] if place else []
    return " ".join(["selftune", verb, *map(shlex.quote, [*words, *where])])
