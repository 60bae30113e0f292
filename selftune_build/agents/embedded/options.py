"""Options that the instructions explain apart from a command (`--by region` groups by a column), and their values in a case."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from selftune_build.agents.embedded.arguments import Case, tables
from selftune_build.agents.embedded.case_files import columns, columns_named
from selftune_build.agents.embedded.reading import Opened, sentence_around
from selftune_build.agents.embedded.vocabulary import stem_set, stems

_OPTION = re.compile(r"(-{1,2}[A-Za-z][\w-]{0,40})(?:[ =]([^\s`]{1,80}))?")
_COUNTS = "one two three four five six seven eight nine ten eleven twelve"
_NUMBER_OF_WORD = {word: str(number) for number, word in enumerate(_COUNTS.split(), 1)}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+")
_REACH = 3
"""How many words may stand between a number and the word that it belongs to."""


class Option(Struct, frozen=True):
    """An option as the instructions write it, with the example of a value if there is one."""

    name: str
    example: str | None
    words: frozenset[str]
    """Of the sentence that explains it."""


def options(opened: Sequence[Opened]) -> list[Option]:
    """Every option that stands alone in inline code, in order."""
    return [option for file in opened for passage in file.passages for option in _explained(passage.text, passage.spans)]


def asked_for(found: Sequence[Option], case: Case) -> list[tuple[Option, str | None]]:
    """The options that the prompt asks for with their values, each name once: the form that more of its words ask for."""
    best: dict[str, tuple[int, Option, str | None]] = {}
    prompt_words = stem_set(case.prompt)
    for option in found:
        known, value = _value(option, case)
        weight = len(stem_set(f"{option.name} {value or ''}") & prompt_words)
        if known and weight > best.get(option.name, (0,))[0]:
            best[option.name] = (weight, option, value)
    return [(option, value) for _, option, value in best.values()]


def with_options(arguments: Sequence[str], asked: Sequence[tuple[Option, str | None]], script: str | None) -> list[str]:
    """The arguments and after them those options that the text of the script names and that are not there yet."""
    given = {argument.partition("=")[0] for argument in arguments}
    more = [
        part
        for option, value in asked
        if option.name not in given and takes(script, option)
        for part in ((option.name,) if value is None else (option.name, value))
    ]
    return [*arguments, *more]


def takes(script: str | None, option: Option) -> bool:
    """Whether the text of a script names the option."""
    return script is not None and re.search(rf"(?<![\w-]){re.escape(option.name)}(?![\w-])", script) is not None


def _explained(text: str, spans: Sequence[str]) -> Iterator[Option]:
    for span in spans:
        written = _OPTION.fullmatch(span.strip())
        if written:
            yield Option(written.group(1), written.group(2), stem_set(sentence_around(text, span)))


def _value(option: Option, case: Case) -> tuple[bool, str | None]:
    """Whether the prompt asks for the option, and with which value."""
    prompt_words = stem_set(case.prompt)
    own = stem_set(option.name)
    said = bool(own & prompt_words)
    if option.example is None:
        return bool(own) and own <= prompt_words, None
    if _NUMBER.fullmatch(option.example):
        number = number_beside(own, case.prompt)
        return number is not None, number
    parts = option.example.split(",")
    known = {column for path in tables(case) for column in columns(case.root, path)}
    if all(part in known for part in parts):
        named = {column for path in tables(case) for column in columns_named(case.root, path, case.prompt)}
        return said or named.issuperset(parts), option.example
    return said and stem_set(option.example) <= prompt_words, option.example


def number_beside(words: frozenset[str], prompt: str) -> str | None:
    """The number in the prompt that stands nearest to one of the words, in figures; None where none is near."""
    tokens = _TOKEN.findall(prompt)
    places = [place for place, token in enumerate(tokens) if words.intersection(stems(token))]
    near = [
        (abs(place - at), at, number)
        for at, token in enumerate(tokens)
        if (number := token if token[0].isdigit() else _NUMBER_OF_WORD.get(token.lower())) is not None and token[0].isascii()
        for place in places
        if abs(place - at) <= _REACH
    ]
    return min(near)[2] if near else None
