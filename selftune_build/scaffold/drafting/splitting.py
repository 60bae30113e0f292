"""The split of drafts into tune and holdout: by the digest of each prompt, within its kind."""

from __future__ import annotations

from collections.abc import Iterable

from selftune_build.reading.evals.content import text_digest

HELD_OUT_OF = 3
"""Of so many drafts of a kind one is held out, rounded to the nearest: of one none, of two one."""


def held_out(prompts: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Of pairs of kind and prompt the prompts to hold out: a third of each kind, those whose digests come first.

    The same prompts give the same split in whatever order they come, and no kind depends on another.
    """
    kinds: dict[str, set[str]] = {}
    for kind, prompt in prompts:
        kinds.setdefault(kind, set()).add(prompt)
    return frozenset(prompt for group in kinds.values() for prompt in sorted(group, key=text_digest)[: _share(len(group))])


def _share(count: int) -> int:
    return (2 * count + HELD_OUT_OF) // (2 * HELD_OUT_OF)
