"""Choice of a skill: what a host sees of the staged skills, the prompt, and one threshold."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from selftune_build.agents.embedded.index import Index, build_index
from selftune_build.agents.embedded.vocabulary import stem_set, stems, weight
from selftune_build.agents.protocol import StagedSkill
from selftune_build.limits import EMBEDDED_TEXT_CHARACTERS

THRESHOLD = 0.45
"""Where a description counts as fitting; docs/embedded-agent.md has the table that this figure comes from."""

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|\n+|\s[\u2013\u2014]\s")
_REFUSAL = re.compile(
    r"\b(?:do\s+not|don['\u2019]t|not|never|does\s+not|doesn['\u2019]t)\s+(?:\w+\s+){0,2}?"
    r"(?:use|used|using|trigger|triggers|triggered|activate|invoke|apply|handle|handles|cover|for|when|intended)\b",
    re.IGNORECASE,
)
_NEGATION_BEFORE = re.compile(r"\b(?:not|don['\u2019]t|never|without|avoid)\b[^.,;:!?\n]*$", re.IGNORECASE)
_NEGATION_REACH = 60


def choose(skills: tuple[StagedSkill, ...], prompt: str) -> str | None:
    """The name of the skill that a host would activate for the prompt, or None.

    A skill that the prompt mentions by name wins; one that the prompt says not to use is out. Else the best score decides,
    if it reaches `THRESHOLD`; equal scores go by name. No skill changes the score of another.
    """
    text = prompt[:EMBEDDED_TEXT_CHARACTERS]
    wanted, refused = _mentions(tuple(skill.name for skill in skills), text)
    if wanted is not None:
        return wanted
    ranked = [(-score, name) for name, score in scores(skills, text).items() if score >= THRESHOLD and name not in refused]
    return min(ranked)[1] if ranked else None


def scores(skills: tuple[StagedSkill, ...], prompt: str) -> dict[str, float]:
    """Score of every staged skill for the prompt: BM25 of its name and description over the square root of the most that
    the prompt's words could bring, so that long and short prompts share one threshold."""
    words = stem_set(prompt)
    if not words or not skills:
        return dict.fromkeys((skill.name for skill in skills), 0.0)
    index = _index(skills)
    scale = math.sqrt(weight(words))
    return {skill.name: round(score / scale, 6) for skill, score in zip(skills, index.scores(sorted(words)), strict=True)}


@lru_cache(maxsize=64)
def _index(skills: tuple[StagedSkill, ...]) -> Index:
    return build_index([_described(skill) for skill in skills])


@lru_cache(maxsize=4096)
def _described(skill: StagedSkill) -> tuple[str, ...]:
    return stems(f"{skill.name} {without_refusals(skill.description)}")


def names_skill(name: str, prompt: str) -> bool:
    """Whether a prompt asks for this skill by its name: "use the pdf skill" does, "merge these pdf files" does not."""
    return _mentions((name,), prompt)[0] is not None


def without_refusals(description: str) -> str:
    """A description less its clauses of the kind "Do NOT use for …": the words in them must not attract."""
    sentences = _SENTENCE_END.split(description[:EMBEDDED_TEXT_CHARACTERS])
    return " ".join(sentence[: found.start()] if (found := _REFUSAL.search(sentence)) else sentence for sentence in sentences)


def _mentions(names: tuple[str, ...], prompt: str) -> tuple[str | None, frozenset[str]]:
    """The first skill that the prompt asks for by name, and those that it refuses by name."""
    refused: set[str] = set()
    for match in _mention_pattern(names).finditer(prompt) if names else ():
        name = _spelled(names, next(group for group in match.groups() if group))
        if not _NEGATION_BEFORE.search(prompt[max(0, match.start() - _NEGATION_REACH) : match.start()]):
            return name, frozenset(refused)
        refused.add(name)
    return None, frozenset(refused)


def _spelled(names: tuple[str, ...], mention: str) -> str:
    return mention if mention in names else next(name for name in names if name.lower() == mention.lower())


@lru_cache(maxsize=64)
def _mention_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """`$name`, `/name`, "the name skill", and a hyphenated name as a word of its own; never a part of a path."""
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    any_name = "|".join(map(re.escape, longest_first))
    hyphenated = "|".join(re.escape(name) for name in longest_first if "-" in name.strip("-")) or r"(?!)"
    quote = r"[\"'`\u201c\u201d]?"
    return re.compile(
        rf"(?<![\w/.$-])[$/]({any_name})(?![\w/-]|\.\w)"
        rf"|\b(?:the|this|your|my|use|using|with|run|invoke)\s+{quote}({any_name}){quote}\s+skill\b"
        rf"|(?<![\w/.$-])({hyphenated})(?![\w/-]|\.\w)",
        re.IGNORECASE,
    )
