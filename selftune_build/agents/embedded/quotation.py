"""What the agent quotes of the files it read: the passages that answer the prompt, below their headings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from selftune_build.agents.embedded.passages import Passage
from selftune_build.agents.embedded.reading import FLOOR, SHARE_OF_BEST, Opened, fitting, is_route
from selftune_build.agents.embedded.vocabulary import stem_set, weight
from selftune_build.limits import EMBEDDED_QUOTED_CHARACTERS, EMBEDDED_QUOTED_PASSAGES
from selftune_build.model.package import SKILL_FILE


def quotes(opened: Sequence[Opened], prompt_words: frozenset[str]) -> str:
    """The passages that fit the prompt, word for word; first of the files that SKILL.md led to, then of itself.

    Of a file that was led to and in which nothing fits, its beginning.
    """
    chosen = [passage for file in (*opened[1:], *opened[:1]) for passage in _chosen(file, prompt_words)]
    return "\n\n".join(_blocks(chosen))[:EMBEDDED_QUOTED_CHARACTERS]


def _chosen(file: Opened, prompt_words: frozenset[str]) -> list[Passage]:
    content = [passage for passage in file.passages if not is_route(passage)]
    words = [stem_set(f"{' '.join(passage.titles)} {passage.head} {passage.text}") for passage in content]
    fits = _narrowed(content, fitting(words, prompt_words, apart=False), prompt_words)
    fits = _completed(content, fits, prompt_words)
    if file.path != SKILL_FILE:
        fits = _with_whole_procedures(content, fits) if any(fits) else [True] * len(content)
    return [passage for passage, fit in zip(content, fits, strict=True) if fit][:EMBEDDED_QUOTED_PASSAGES]


def _narrowed(content: Sequence[Passage], fits: Sequence[bool], prompt_words: frozenset[str]) -> list[bool]:
    """Of a table only the rows whose own cells are asked for, where any are: its head and headings speak for every row."""
    own = [weight(stem_set(passage.text) & prompt_words) if passage.kind == "row" else 0.0 for passage in content]
    best: dict[tuple[object, ...], float] = {}
    for passage, found in zip(content, own, strict=True):
        best[_table(passage)] = max(found, best.get(_table(passage), 0.0))
    return [
        fit and (passage.kind != "row" or found >= SHARE_OF_BEST * best[_table(passage)])
        for passage, fit, found in zip(content, fits, own, strict=True)
    ]


def _table(passage: Passage) -> tuple[object, ...]:
    return passage.kind, passage.head, passage.titles


def _completed(content: Sequence[Passage], fits: Sequence[bool], prompt_words: frozenset[str]) -> list[bool]:
    """Further passages for what a prompt asks beyond its main question: those that hold words which no chosen one holds."""
    found = list(fits)
    words = [stem_set(passage.text) & prompt_words for passage in content]
    missing = prompt_words.difference(*(own for own, fit in zip(words, fits, strict=True) if fit))
    for _ in range(EMBEDDED_QUOTED_PASSAGES if any(found) else 0):
        gains = [0.0 if fit else weight(own & missing) for own, fit in zip(words, found, strict=True)]
        best = max(gains)
        if best < FLOOR:
            break
        found[gains.index(best)] = True
        missing -= words[gains.index(best)]
    return found


def _with_whole_procedures(content: Sequence[Passage], fits: Sequence[bool]) -> list[bool]:
    """A numbered list is one procedure: where one of its steps is quoted, all are."""
    begun = {passage.titles for passage, fit in zip(content, fits, strict=True) if fit and passage.kind == "step"}
    return [fit or (passage.kind == "step" and passage.titles in begun) for passage, fit in zip(content, fits, strict=True)]


def _blocks(chosen: Sequence[Passage]) -> Iterator[str]:
    """The passages as text, each heading and table head once before what stands under it."""
    titles: tuple[str, ...] = ()
    head = ""
    for passage in chosen:
        if passage.titles != titles:
            shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(passage.titles, titles, strict=False)))
            yield from passage.titles[shared:]
            titles, head = passage.titles, ""
        if passage.head and passage.head != head:
            yield passage.head
        head = passage.head
        yield passage.text.strip()
