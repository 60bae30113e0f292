"""From clauses about users to what users would say."""

from __future__ import annotations

import pytest

from selftune_build.limits import DRAFTED_PROMPT_CHARACTERS
from selftune_build.scaffold.drafting.phrasing import plain_text, prompt_of_topic, prompts_of, sentence


@pytest.mark.parametrize(
    ("clause", "prompts"),
    [
        ("when the user asks to fill in tax forms", ["Please fill in tax forms."]),
        ("when the user wants a summary report", ["I would like a summary report."]),
        ("when asked about open licences", ["I have a question about open licences."]),
        ("when asked whether parcels may travel", ["Can you tell me whether parcels may travel?"]),
        ("when picking a licence for a project", ["I am picking a licence for a project. Can you help?"]),
        ("after editing an invoice", ["I need help after editing an invoice."]),
        ("when the user has a broken spreadsheet", ["I have a broken spreadsheet. Can you help?"]),
        ("when the user uploads tax forms", ["I upload tax forms. Can you help?"]),
        ("when the user teaches chess openings", ["I teach chess openings. Can you help?"]),
        ("when your parcels arrive damaged", ["Please help with this: my parcels arrive damaged."]),
        ("when you are about to publish a release", ["I am about to publish a release. Can you help?"]),
        ("any time a .pptx file is involved in any way", ["I have a .pptx file. Can you help?"]),
        ("when encountering any bug or unexpected behaviour", ["I am encountering a bug or unexpected behaviour. Can you help?"]),
        ("when editing any files", ["I am editing files. Can you help?"]),
        ("when implementation is complete", ["Implementation is complete. Can you help?"]),
        ("for Google Docs, test failures", ["Please help with this: Google Docs.", "Please help with this: test failures."]),
        ("for merging, review my drafts", ["Please review my drafts."]),
        ("when the user mentions or references a deck by name", ["I have a question about a deck."]),
        (
            "when the user mentions tax forms, parcel labels",
            ["I have a question about tax forms.", "Please help with this: parcel labels."],
        ),
    ],
)
def test_each_situation_becomes_a_request_in_the_first_person(clause: str, prompts: list[str]) -> None:
    assert list(prompts_of(clause)) == prompts


@pytest.mark.parametrize(
    "clause", ["when needed", "when the user asks", "for PDFs, forms", "", "when (hidden words inside)", "if not about tax forms"]
)
def test_what_says_nothing_or_is_a_remark_yields_no_request(clause: str) -> None:
    assert list(prompts_of(clause)) == []


def test_a_word_that_begins_like_a_filler_is_left_whole() -> None:
    assert list(prompts_of("when an organic order fails")) == ["An organic order fails. Can you help?"]


def test_topics_keep_acronyms_and_lose_what_stands_in_parentheses() -> None:
    assert prompt_of_topic("MIT licences (permissive)") == "Please help with this: MIT licences."
    assert prompt_of_topic("Merge tables") == "Please merge tables."


def test_a_topic_that_is_a_question_is_asked() -> None:
    assert prompt_of_topic("should I build an agent") == "Should I build an agent?"


def test_topics_without_a_word_that_means_something_yield_nothing() -> None:
    assert (prompt_of_topic("the"), prompt_of_topic("--- ()"), prompt_of_topic("")) == (None, None, None)


def test_text_is_shown_on_one_line_without_marks_or_hidden_characters() -> None:
    assert plain_text("**Fill** in\n[the form](forms.md)\x00\u202e `now`\ud800") == "Fill in the form now"


def test_a_prompt_is_cut_at_a_word() -> None:
    cut = sentence("parcel " * 200)
    assert len(cut) <= DRAFTED_PROMPT_CHARACTERS + 1
    assert cut.endswith("parcel.")
