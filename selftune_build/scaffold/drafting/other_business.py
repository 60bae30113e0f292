"""Requests about other business, which a skill should stay out of, and situations that say nothing about any business."""

from __future__ import annotations

import re

from msgspec import Struct

_WORD = re.compile(r"[a-z]{4,}")


class OtherBusiness(Struct, frozen=True):
    """A request that hardly any skill is for, and a short name for it."""

    id: str
    prompt: str


OTHER_BUSINESS = tuple(
    OtherBusiness(name, prompt)
    for name, prompt in (
        ("capital", "What is the capital of Portugal?"),
        ("multiply", "What is 17 times 23?"),
        ("rename-class", "Rename the class Foo to Bar everywhere."),
        ("flexbox", "Why does my flexbox layout overflow on small screens?"),
        ("undo-commit", "How do I undo the last git commit without losing my changes?"),
        ("translate", 'Translate "good morning" into Norwegian.'),
        ("recipe", "How long do I boil an egg?"),
        ("timezone", "What time is it in Nairobi when it is noon in Lima?"),
        ("thread-pool", "Explain the difference between a thread and a process."),
        ("holiday", "Suggest a birthday present for a seven-year-old."),
    )
)

SITUATIONS = (
    "I promised it for Thursday at 10.",
    "Maria began with it last week and is away now.",
    "I tried it myself yesterday and gave up after an hour.",
    "I am new to this, so tell me what you do.",
    "My manager wants to see it before lunch.",
    "We did it differently in March, and I do not know why.",
)
"""What may be said after any request: who, when, what was tried."""


def by_distance(topic: str) -> list[OtherBusiness]:
    """All of them, those first that share the fewest words with the topic, so that they are about other business."""
    words = set(_WORD.findall(topic.lower()))
    return sorted(OTHER_BUSINESS, key=lambda case: len(words & set(_WORD.findall(case.prompt.lower()))))
