"""Drafts as an eval file of our format: each says where it comes from, and the head says what they are worth."""

from __future__ import annotations

import json
from collections.abc import Iterable

from selftune_build.reading.evals.native import EVALS
from selftune_build.scaffold.drafting.drafts import KINDS, Draft, Drafting, listed
from selftune_build.scaffold.drafting.generation import Generated, Situation
from selftune_build.scaffold.drafting.phrasing import printable

_SPLIT = """\
# `tune` cases are for improving the skill by, `holdout` cases for judging the improvement: whoever edits the skill, person or
# program, looks at the first only. The split is by the digest of each prompt, within its kind.
"""
FROM_WORDS = """\
# Written by `selftune eval generate` from words alone: the description, tables and headings of the skill and of its
# siblings. No model was asked, and nobody has read it yet. Review each line: correct what no user would say, turn
# `should_trigger` round where it is wrong, delete what is neither.
# Prompts made from the description flatter trigger-recall, for a host chooses by that same description: a pass shows
# that it leads to the skill for those who speak like it. Replace them by what your users really say.
# Nothing here checks an outcome; add `checks:` to measure what the skill achieves.
"""
FROM_A_MODEL = """\
# Written by `selftune eval generate`: a model drafted and criticised these prompts, and nobody has read them yet. Review
# each line: correct what no user would say, turn `should_trigger` round where it is wrong, delete what is neither.
# A model guesses what users say, from the texts of the skill: replace its prompts by real ones as you get them.
# Nothing here checks an outcome; add `checks:` to measure what the skill achieves.
"""


def from_words(situation: Situation, drafting: Drafting, seed: int) -> Generated:
    """The file of drafts by words alone."""
    return _generated(situation, drafting, FROM_WORDS, seed)


def from_a_model(situation: Situation, drafting: Drafting, seed: int, agent: str, model: str | None) -> Generated:
    """The file of drafts by a model, and whose they are."""
    asked = printable(agent if model is None else f"{agent}, model {model}")
    return _generated(situation, drafting, f"{FROM_A_MODEL}# agent: {asked}\n", seed)


def _generated(situation: Situation, drafting: Drafting, head: str, seed: int) -> Generated:
    total, yes = len(drafting.drafts), drafting.triggering
    return Generated(
        package=situation.package,
        path=situation.path,
        content=render(drafting.drafts, head, seed) if drafting.drafts else b"",
        counts={
            "cases": total,
            "should_trigger": yes,
            "holdout": drafting.holdout,
            **{kind: sum(each.kind == kind for each in drafting.drafts) for kind in KINDS},
        },
        says=f"{total} cases, {yes} should trigger {situation.package.name}, {total - yes} should not; "
        f"{drafting.holdout} held out",
        notes=drafting.shortfalls,
        rejected=drafting.rejected,
    )


def render(drafts: Iterable[Draft], head: str, seed: int) -> bytes:
    """The bytes of the file; `head` is a comment of whole lines."""
    return (f"format: {EVALS}\n{head}{_SPLIT}# seed: {seed}\ncases:\n" + listed(drafts, _entry)).encode()


def _quoted(text: str) -> str:
    """A double-quoted scalar. The text is printable, so what JSON escapes is what YAML escapes."""
    return json.dumps(text, ensure_ascii=False)


def _entry(each: Draft) -> str:
    return (
        f"  - id: {each.id}\n    prompt: {_quoted(each.prompt)}\n    should_trigger: {str(each.should_trigger).lower()}\n"
        f"    tags: [{', '.join(each.tags)}]"
    )
