"""The words of prompts that say what they are about: what a description or a row lacks where a prompt did not lead to it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from selftune_build.agents.embedded.vocabulary import background, rarity, stem, stem_set

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")


def telling_words(prompts: Iterable[str], known: frozenset[str], most: int) -> tuple[str, ...]:
    """Words of the prompts whose stems are not `known`, each stem once, in lower case and in the order of the prompts.

    Of too many those stay that say most: words that descriptions of skills use, the rarest first; then those that none uses,
    which are names as often as not.
    """
    found: dict[str, str] = {}
    for prompt in prompts:
        for word in _WORD.findall(prompt):
            root = stem(word.lower())
            if root and root not in known:
                found.setdefault(root, word.lower())
    ranked = sorted(found, key=lambda root: (root not in background().counts, -rarity(root), root))
    kept = frozenset(ranked[:most])
    return tuple(word for root, word in found.items() if root in kept)


def stems_of(texts: Iterable[str]) -> frozenset[str]:
    """The stems of several texts."""
    return frozenset(root for text in texts for root in stem_set(text))
