"""Families of models by their names."""

from __future__ import annotations

import pytest

from selftune_build.engine.judging.families import families, family_of_identities, shared_family


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("claude-sonnet-4-5", {"claude"}),
        ("us.anthropic.claude-3-5-haiku-20241022-v1:0", {"claude"}),
        ("sonnet", {"claude"}),
        ("openai/gpt-4o-mini", {"gpt"}),
        ("o3-mini", {"gpt"}),
        ("gpt5", {"gpt"}),
        ("models/gemini-2.5-pro", {"gemini"}),
        ("meta-llama/Llama-3.1-8B-Instruct", {"llama"}),
        ("llama3.2", {"llama"}),
        ("qwen2.5-coder:7b", {"qwen"}),
        ("DeepSeek-R1-Distill-Llama-70B", {"deepseek", "llama"}),
        ("house-model-7", set()),
        ("ozone-3", set()),
        ("", set()),
        (None, set()),
    ],
)
def test_the_words_of_a_name_tell_its_family(model: str | None, found: set[str]) -> None:
    assert families(model) == found


def test_what_nobody_knows_is_shared_by_nobody() -> None:
    assert shared_family(["house"], ["house"]) == ""
    assert shared_family(["house", "gpt-5"], [None, "o4-mini"]) == "gpt"


def test_agents_with_one_identity_are_the_same_whatever_their_model_is() -> None:
    assert family_of_identities({"plugin": "command"}, {"plugin": "command"}) == "the same agent"
    assert family_of_identities({"plugin": "a", "model": "opus"}, {"plugin": "b", "model": "claude-haiku-4-5"}) == "claude"
    assert family_of_identities({"plugin": "a"}, {"plugin": "b"}) == ""
