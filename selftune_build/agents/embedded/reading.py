"""What the agent reads of an activated skill: SKILL.md, the files it names that fit the prompt, and what those name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from msgspec import Struct

from selftune_build import relpath
from selftune_build.agents.embedded.passages import Passage, paragraphs, passages, without_frontmatter
from selftune_build.agents.embedded.vocabulary import stem_set, weight
from selftune_build.errors import InputError
from selftune_build.limits import EMBEDDED_FILE_BYTES, EMBEDDED_FILES_READ, EMBEDDED_LINK_DEPTH
from selftune_build.model.package import SKILL_FILE

FLOOR = 2.0
"""The least rarity of shared words with which a passage fits: one word that not every second description holds."""
SHARE_OF_BEST = 0.6
"""A passage fits only if it comes this close to the one that fits best."""

_MARKDOWN = (".md", ".markdown", ".mdx")
_READABLE = (*_MARKDOWN, ".txt", ".rst", ".adoc", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".csv", ".tsv", ".html", ".xml")
_SENTENCE_END = re.compile(r"(?<=[.;!?])\s+")
_BASE = re.compile(r"^(?:\{\w+\}|\$\{\w+\}|\$\w+|<[\w -]+>)/")
_ALWAYS = re.compile(r"\balways\b", re.IGNORECASE)
_TOLD_TO_READ = re.compile(
    r"^\W*(?:(?:first|then|next|now|start by|begin by|before (?:anything|everything) else),?\s+)?"
    r"(?:read|reading|open|opening|load|loading|consult|consulting|follow|following)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:if|when|whenever|where|for|unless|only|depending|whether|as needed|optional(?:ly)?|otherwise)\b", re.IGNORECASE
)


class Opened(Struct, frozen=True):
    """A file of the skill that was read: its path in the skill and its passages."""

    path: str
    passages: tuple[Passage, ...]


class Reading(Struct, frozen=True):
    """The files that were read in order, and those that were looked for and are not there."""

    opened: tuple[Opened, ...]
    absent: tuple[str, ...] = ()


class _Mention(Struct, frozen=True):
    """A file named in a passage, and the words around the name."""

    path: str
    words: frozenset[str]
    always: bool
    """Whether the text says to read it whatever is asked."""


def read_skill(folder: Path, prompt_words: frozenset[str]) -> Reading:
    """Read SKILL.md of `folder` and follow its routing rows and links as the prompt asks; never leaves the folder."""
    opened: list[Opened] = []
    absent: list[str] = []
    waiting = [(SKILL_FILE, 0)]
    known = {SKILL_FILE}
    while waiting and len(opened) < EMBEDDED_FILES_READ:
        path, depth = waiting.pop(0)
        text = read_text(folder, path)
        if text is None:
            absent.append(path)
            continue
        opened.append(Opened(path, _split(path, text)))
        if depth < EMBEDDED_LINK_DEPTH:
            for found in _followed(folder, opened[-1], prompt_words, absent):
                if found not in known:
                    known.add(found)
                    waiting.append((found, depth + 1))
    return Reading(tuple(opened), tuple(dict.fromkeys(absent)))


def read_text(folder: Path, path: str) -> str | None:
    """The text of a file of the skill; None where it is not there, not a file, too large or leads out of the folder."""
    target = inside(folder, path)
    try:
        if target is None or not target.is_file() or target.stat().st_size > EMBEDDED_FILE_BYTES:
            return None
        return target.read_bytes().decode("utf-8", "replace")
    except OSError:
        return None


def inside(folder: Path, path: str) -> Path | None:
    """The file that a skill-relative path means, or None where it or a link on the way leads out of the folder."""
    try:
        target = folder / relpath.safe(path)
        return target if target.resolve().is_relative_to(folder.resolve()) else None
    except (InputError, OSError, RuntimeError, ValueError):
        return None


def fitting(candidates: Sequence[frozenset[str]], prompt_words: frozenset[str], *, apart: bool = True) -> list[bool]:
    """Which candidates, given as words, fit the prompt: what they share with it weighs `FLOOR` and comes near the best.

    Where candidates are to be told `apart`, words that all of them share do not count.
    """
    common = frozenset.intersection(*candidates) if apart and len(set(candidates)) > 1 else frozenset()
    weights = [weight((words & prompt_words) - common) for words in candidates]
    needed = max(FLOOR, SHARE_OF_BEST * max(weights, default=0.0))
    return [found >= needed for found in weights]


def _split(path: str, text: str) -> tuple[Passage, ...]:
    if path == SKILL_FILE:
        text = without_frontmatter(text)
    return passages(text) if path.lower().endswith(_MARKDOWN) else paragraphs(text)


def _followed(folder: Path, opened: Opened, prompt_words: frozenset[str], absent: list[str]) -> Iterable[str]:
    mentions = [mention for passage in opened.passages if passage.kind != "code" for mention in _mentions(passage)]
    fits = fitting([mention.words for mention in mentions], prompt_words)
    only = len({mention.path for mention in mentions}) == 1
    paths = dict.fromkeys(mention.path for mention, fit in zip(mentions, fits, strict=True) if fit or mention.always or only)
    for path in list(paths)[:EMBEDDED_FILES_READ]:
        yield from _located(folder, opened.path, path, absent)


def _mentions(passage: Passage) -> Iterable[_Mention]:
    for span in passage.spans:
        path = _file_named(span)
        if path is not None:
            text = _around(passage, span)
            words = stem_set(f"{' '.join(passage.titles[-1:])} {text}")
            yield _Mention(path, words, _unconditional(passage, span))


def _unconditional(passage: Passage, span: str) -> bool:
    """ "Always read X", or in ordinary text and steps a plain "Read X" without a condition; a row or bullet is a choice."""
    sentence = sentence_around(passage.text, span)
    if _ALWAYS.search(sentence):
        return True
    told = passage.kind in ("paragraph", "step") and _TOLD_TO_READ.match(sentence)
    return bool(told) and _CONDITION.search(sentence) is None


def is_route(passage: Passage) -> bool:
    """Whether a passage is a row or list item that leads to another file: a signpost, not content."""
    return passage.kind in ("row", "item") and any(_file_named(span) for span in passage.spans)


def _around(passage: Passage, span: str) -> str:
    """The whole row or item, but of a paragraph only the sentence that names the file."""
    return sentence_around(passage.text, span) if passage.kind == "paragraph" else passage.text


def sentence_around(text: str, span: str) -> str:
    """The first sentence of a text that holds the span; all of the text where none does."""
    return next((sentence for sentence in _SENTENCE_END.split(text) if span in sentence), text)


def _file_named(span: str) -> str | None:
    """The path of a file to read that a link or code span names; None for web addresses, commands and scripts."""
    path = without_base(unquote(span.split("#")[0].split("?")[0]).strip())
    named = PurePosixPath(path)
    suffixes = _READABLE if "/" in path else _MARKDOWN
    if ":" in path or " " in path or named.suffix.lower() not in suffixes or relpath.fault(path, climb=True):
        return None
    return path if named.name != SKILL_FILE else None


def without_base(path: str) -> str:
    """A path less `./` or a variable for the skill's folder at its start (`{baseDir}/`, `${SKILL_DIR}/`, `<skill>/`)."""
    return _BASE.sub("", path.removeprefix("./"), count=1)


def _located(folder: Path, named_in: str, path: str, absent: list[str]) -> Iterable[str]:
    """The path from the skill's root if it is there, else from the folder of the file that names it."""
    near = str(PurePosixPath(named_in).parent)
    for base in dict.fromkeys((".", near)):
        try:
            candidate = relpath.join(base, path)
        except InputError:
            continue
        target = inside(folder, candidate)
        if target is not None and target.is_file():
            yield candidate
            return
        if target is not None:
            absent.append(candidate)
