"""What somebody meant who mistyped a name: the one place that guesses."""

from __future__ import annotations

from collections.abc import Iterable


def meant(word: str, known: Iterable[str]) -> str | None:
    """The known name that is most like a word; None where none is like it."""
    return next(iter(like(word, known, 1)), None)


def like(word: str, known: Iterable[str], most: int) -> list[str]:
    """Up to so many of the known names that are like a word, small or capital, the most alike first."""
    from difflib import get_close_matches  # only who mistypes pays for it

    by_letters = {name.lower(): name for name in known}
    return [by_letters[name] for name in get_close_matches(word.lower(), list(by_letters), n=most)]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The question, empty where nothing is like the word."""
    found = meant(word, known)
    return f"did you mean {found!r}?" if found is not None else ""
