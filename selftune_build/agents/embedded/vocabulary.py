"""Words of a text, and how common each of them is in the descriptions of public skills."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from functools import lru_cache
from importlib.resources import files

from msgspec import Struct

from selftune_build.limits import EMBEDDED_TEXT_CHARACTERS, EMBEDDED_WORD_CHARACTERS

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_VOWEL = re.compile(r"[aeiouy]")

STOP_WORDS = frozenset(
    """
    a about above after again all also am an and any are as at be because been before being below between both but by
    can cannot could did do does doing don done down during each few for from further get gets got had has have having
    he her here hers him his how i if in into is it its itself just ll me more most must my no nor not now of off on
    once only or other our ours out over own please re s same she should so some such t than that the their theirs them
    then there these they this those through to too under until up us ve very was we were what when where which while
    who whom whose why will with would you your yours let like want wants need needs e g i.e eg ie etc via vs per use
    used uses using user users skill skills
    """.split()  # noqa: SIM905 - a table of words is read more easily without quotes
)
"""Words that say nothing about a subject, and those that every description of a skill has."""

_SUFFIXES = (
    ("ization", ""), ("isation", ""), ("izing", ""), ("ising", ""), ("ized", ""), ("ised", ""), ("izes", ""), ("ises", ""),
    ("izer", ""), ("iser", ""), ("ize", ""), ("ise", ""), ("ysis", "ys"), ("yses", "ys"), ("yzing", "ys"), ("ysing", "ys"),
    ("yzed", "ys"), ("ysed", "ys"), ("yzes", "ys"), ("yze", "ys"), ("yse", "ys"), ("yst", "ys"), ("ations", "at"),
    ("ation", "at"), ("ating", "at"), ("ated", "at"), ("ates", "at"), ("ator", "at"), ("ies", "y"), ("ied", "y"), ("ying", "y"),
    ("tions", "t"), ("tion", "t"), ("ings", ""), ("ing", ""), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"),
    ("ers", ""), ("er", ""), ("edly", ""), ("ed", ""), ("s", ""), ("ly", ""),
)  # fmt: skip
_UNTOUCHED_ENDINGS = ("ss", "us", "is", "eed")
_STILL_CUT = "ysis"
_ONE_SPELLING = (("enc", "ens"), ("our", "or"))
_SHORTEST_OF_TWO_SPELLINGS = 5
_DOUBLING = ("ing", "ings", "ed", "er", "ers")
_SHORTEST_STEM = 3


class Background(Struct, frozen=True):
    """What is known about descriptions of skills in general: never anything about the skills of the case at hand."""

    documents: int
    words_per_document: float
    counts: dict[str, int]
    """Stem → number of descriptions that hold it; a stem that is not here is as rare as one that is in one."""

    def count(self, stem: str) -> int:
        """In how many descriptions the stem occurs, at least 1."""
        return self.counts.get(stem, 1)


@lru_cache(maxsize=1)
def background() -> Background:
    """The vocabulary that is shipped with the package."""
    stated = json.loads((files(__package__) / "background.json").read_text(encoding="utf-8"))
    return Background(stated["documents"], stated["words_per_document"], stated["counts"])


@lru_cache(maxsize=65536)
def rarity(stem: str) -> float:
    """How much a shared word says: the inverse document frequency of Lucene's BM25 in the background vocabulary."""
    known = background()
    count = known.count(stem)
    return math.log(1 + (known.documents - count + 0.5) / (count + 0.5))


def weight(shared: Iterable[str]) -> float:
    """The rarity of several stems together, rounded so that no platform's last digit decides."""
    return round(math.fsum(rarity(stem) for stem in shared), 6)


def stems(text: str) -> tuple[str, ...]:
    """The words of a text in order, without stop words, cut to their stems; of very long texts the start."""
    return tuple(found for word in _words(text[:EMBEDDED_TEXT_CHARACTERS]) if (found := stem(word)))


@lru_cache(maxsize=1024)
def stem_set(text: str) -> frozenset[str]:
    """The distinct stems of a text."""
    return frozenset(stems(text))


def _words(text: str) -> Iterable[str]:
    for match in _WORD.finditer(_CAMEL.sub(" ", text)):
        word = match.group().lower()
        if word.isascii() or not _UNSPACED.search(word):
            yield word
        else:
            # Scripts without spaces: neighbouring pairs stand for the words nobody marks.
            yield from (word[at : at + 2] for at in range(max(1, len(word) - 1)))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The stem of one lower-case word, or an empty string for a stop word or noise.

    A light suffix stripper: plurals, -ing, -ed, -er, -ation, and both spellings of -ise, -ence and -our; no dictionary.
    """
    base = word.replace("\u2019", "'").split("'")[0]
    if base in STOP_WORDS or word.replace("\u2019", "'") in STOP_WORDS or len(base) > EMBEDDED_WORD_CHARACTERS:
        return ""
    if len(base) < 2 or not base.isascii() or not base.isalpha():
        return base if len(base) > 1 or base.isalpha() else ""
    return _in_one_spelling(_without_silent_end(_without_suffix(base)))


def _without_suffix(word: str) -> str:
    if word.endswith(_UNTOUCHED_ENDINGS) and not word.endswith(_STILL_CUT):
        return word
    for suffix, replacement in _SUFFIXES:
        kept = word.removesuffix(suffix)
        if len(kept) >= _SHORTEST_STEM and kept != word and _VOWEL.search(kept):
            return _undoubled(kept) if suffix in _DOUBLING else kept + replacement
    return word


def _undoubled(kept: str) -> str:
    doubled = len(kept) > _SHORTEST_STEM and kept[-1] == kept[-2] and kept[-1] not in "aeioulsz"
    return kept[:-1] if doubled else kept


def _without_silent_end(word: str) -> str:
    return word[:-1] if len(word) > _SHORTEST_STEM and word[-1] in "ey" else word


def _in_one_spelling(word: str) -> str:
    """British and American forms as one: `licence` and `license`, `colour` and `color`."""
    if len(word) < _SHORTEST_OF_TWO_SPELLINGS:
        return word
    return next((word.removesuffix(end) + other for end, other in _ONE_SPELLING if word.endswith(end)), word)
