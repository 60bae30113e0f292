"""Families of models, told by the words in their names: a judge favours answers of its own family."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from selftune_build.late import late

_WORDS: dict[str, tuple[str, ...]] = {
    "claude": ("claude", "opus", "sonnet", "haiku"),
    "command": ("command", "cohere"),
    "deepseek": ("deepseek",),
    "gemini": ("gemini", "gemma"),
    "glm": ("glm", "chatglm"),
    "gpt": ("gpt", "chatgpt", "codex", "o1", "o3", "o4"),
    "grok": ("grok",),
    "kimi": ("kimi", "moonshot"),
    "llama": ("llama", "codellama"),
    "mistral": ("mistral", "mixtral", "codestral", "devstral", "ministral", "magistral", "pixtral"),
    "nova": ("nova",),
    "phi": ("phi",),
    "qwen": ("qwen", "qwq"),
}
"""Family → the words that name it. Makers are none: one sells models of several families."""

_FAMILY_OF = {word: family for family, words in _WORDS.items() for word in words}
_WORD = late(r"[a-z0-9]+")


def families(model: str | None) -> frozenset[str]:
    """The families that a name of a model speaks of; of a distilled one both, of one that nobody knows none."""
    words = _WORD.findall(model.lower()) if model else []
    known = (_FAMILY_OF.get(word) or _FAMILY_OF.get(word.rstrip("0123456789")) for word in words)
    return frozenset(family for family in known if family)


def shared_family(ours: Iterable[str | None], theirs: Iterable[str | None]) -> str:
    """The family that two sets of names have in common, the first by name; empty where none is known."""
    first = frozenset().union(*map(families, ours))
    return min(first & frozenset().union(*map(families, theirs)), default="")


def family_of_identities(agent: Mapping[str, Any], judge: Mapping[str, Any]) -> str:
    """What agent and judge have in common by what is asked for: the family of their models, or that they are the same."""
    if agent == judge:
        return "the same agent"
    return shared_family([_asked(agent)], [_asked(judge)])


def _asked(identity: Mapping[str, Any]) -> str | None:
    model = identity.get("model")
    return model if isinstance(model, str) else None
