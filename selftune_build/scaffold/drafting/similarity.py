"""Prompts that ask the same: equal but for case and punctuation, or nearly so by a fixed measure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from selftune_build.agents.embedded.vocabulary import stem_set
from selftune_build.limits import DRAFTED_TEXT_CHARACTERS

NEAR_STEMS = 8
"""Of ten: from this share of word stems in common on (Jaccard index, stop words left out) two prompts ask the same."""
NEAR_LETTERS = 9
"""Of ten: likewise of three-letter sequences (Dice coefficient), which also see what is spelled a little differently."""
_WORD = re.compile(r"\w+")


class _Features(Struct, frozen=True):
    stems: frozenset[str]
    letters: frozenset[str]


class Asked:
    """The prompts that are there already; remembers what is added."""

    def __init__(self, prompts: Iterable[str] = ()) -> None:
        self._exact: dict[str, str] = {}
        self._features: dict[str, _Features] = {}
        for prompt in prompts:
            self.add(prompt)

    def add(self, prompt: str) -> None:
        """Count a prompt among those that are there."""
        key = normalised(prompt)
        if key and key not in self._exact:
            self._exact[key] = prompt
            self._features[key] = _features(key)

    def like(self, prompt: str) -> str | None:
        """A prompt that asks the same, the first that was added among several; None where there is none."""
        key = normalised(prompt)
        if key in self._exact:
            return self._exact[key]
        own = _features(key)
        return next((self._exact[other] for other, features in self._features.items() if _near(own, features)), None)


def normalised(prompt: str) -> str:
    """The words of a prompt, case and punctuation aside; of a very long one the start."""
    return " ".join(_WORD.findall(prompt[:DRAFTED_TEXT_CHARACTERS].casefold()))


def _features(key: str) -> _Features:
    return _Features(stem_set(key), frozenset(key[at : at + 3] for at in range(len(key) - 2)))


def _near(one: _Features, other: _Features) -> bool:
    """Compared as integers: no platform's rounding decides."""
    shared, either = len(one.stems & other.stems), len(one.stems | other.stems)
    if shared and shared * 10 >= either * NEAR_STEMS:
        return True
    total = len(one.letters) + len(other.letters)
    return bool(total) and 20 * len(one.letters & other.letters) >= total * NEAR_LETTERS
