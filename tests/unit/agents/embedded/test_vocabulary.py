from __future__ import annotations

import json
from importlib.resources import files

import pytest
from bm25s.scoring import _score_idf_lucene
from hypothesis import given
from hypothesis import strategies as st

from selftune_build.agents.embedded.vocabulary import background, rarity, stem, stem_set, stems, weight


@pytest.mark.parametrize(
    "forms",
    [
        ("summarise", "summarize", "summarising", "summarised", "summarization", "summary"),
        ("file", "files"),
        ("query", "queries"),
        ("validate", "validation", "validated", "validating", "validator"),
        ("plan", "plans", "planned", "planning"),
        ("analyse", "analyze", "analysis", "analyses"),
        ("extract", "extraction", "extracted", "extracting"),
        ("class", "classes"),
        ("licence", "license", "licences", "licensed", "licensing"),
        ("colour", "color", "colours", "colors"),
    ],
)
def test_forms_of_one_word_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("test", "text"), ("status", "state"), ("class", "clash"), ("form", "format"), ("sing", "s")]
)
def test_different_words_keep_different_stems(one: str, other: str) -> None:
    assert stem(one) != stem(other)


def test_stop_words_single_signs_and_endless_words_are_left_out() -> None:
    assert stems("Use the skill, don't: it's a user's! " + "x" * 41) == ()


def test_names_are_split_at_hyphens_underscores_and_capitals() -> None:
    assert stems("pull-request_body mergeQueue") == stems("pull request body merge queue")


def test_text_without_spaces_becomes_pairs() -> None:
    assert stems("発票を読む")[:2] == ("発票", "票を")
    assert stem_set("発票") <= stem_set("この発票を読む")


def test_the_background_holds_numbers_only() -> None:
    stated = json.loads((files("selftune_build.agents.embedded") / "background.json").read_text(encoding="utf-8"))
    assert sorted(stated) == ["counts", "documents", "words_per_document"]
    assert stated["documents"] >= 500
    assert len(stated["counts"]) >= 2000
    assert all(" " not in word and 3 <= count <= stated["documents"] for word, count in stated["counts"].items())


ENDINGS = ("", "e", "y", "s", "er", "ing", "ed", "ly", "is", "ization", "ation", "ion", "or", "our", "ce", "es")


def test_every_word_of_the_background_is_a_stem_that_a_text_can_bring() -> None:
    """Else it was counted with an earlier stemmer, and common words count as rare."""

    def written(word: str) -> set[str]:
        stumps = (word, word + word[-1], word.removesuffix("s") + "c", word.removesuffix("or") + "our")
        return {stump + ending for stump in stumps for ending in ENDINGS}

    assert {word for word in background().counts if all(stem(form) != word for form in written(word))} == set()


@pytest.mark.parametrize("common", ["file", "code", "data", "create", "review", "workflow"])
def test_words_of_every_trade_are_common_in_the_background(common: str) -> None:
    assert rarity(stem(common)) < 4 < rarity(stem("beekeeping"))


def test_rarity_is_that_of_bm25s_and_a_word_nobody_uses_is_the_rarest() -> None:
    known = background()
    for word in ("csv", "build", "no-such-word"):
        assert rarity(word) == pytest.approx(_score_idf_lucene(known.count(word), known.documents))
    assert rarity("no-such-word") >= max(rarity(word) for word in known.counts)
    assert rarity(stem("build")) < rarity(stem("invoice"))


@given(st.lists(st.sampled_from(sorted(background().counts)[:50]), unique=True))
def test_weight_does_not_depend_on_order(words: list[str]) -> None:
    assert weight(words) == weight(reversed(words))


@given(st.text(max_size=200))
def test_any_text_has_words_without_white_space(text: str) -> None:
    assert all(word and not any(sign.isspace() for sign in word) for word in stems(text))
