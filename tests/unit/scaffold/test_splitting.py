"""The split into tune and holdout, and which prompts ask the same."""

from __future__ import annotations

import pytest

from selftune_build.fingerprint.keys import Question, static_inputs, static_key
from selftune_build.model.case import Case
from selftune_build.model.manifest import Limits
from selftune_build.model.split import HOLDOUT, TUNE, is_held_out
from selftune_build.scaffold.drafting.similarity import Asked
from selftune_build.scaffold.drafting.splitting import held_out


@pytest.mark.parametrize(("count", "held"), [(1, 0), (2, 1), (3, 1), (4, 1), (5, 2), (9, 3), (30, 10)])
def test_a_third_of_each_kind_is_held_out(count: int, held: int) -> None:
    prompts = [(kind, f"{kind} {number}") for kind in ("implicit", "negative") for number in range(count)]
    chosen = held_out(prompts)
    assert [sum(prompt in chosen for kind, prompt in prompts if kind == name) for name in ("implicit", "negative")] == [
        held,
        held,
    ]


def test_neither_order_nor_another_kind_changes_the_split() -> None:
    prompts = [("implicit", f"prompt {number}") for number in range(12)]
    others = [("sibling", f"other {number}") for number in range(5)]
    assert held_out(reversed(prompts)) == held_out(prompts)
    assert held_out([*others, *prompts]) & {prompt for _, prompt in prompts} == held_out(prompts)


def test_the_side_of_a_case_is_no_part_of_what_is_asked() -> None:
    keys = {
        static_key(
            static_inputs(Question(Case("a", prompt="send it", tags=("generated", side)), Limits(), agent={"plugin": "x"}))
        )
        for side in (TUNE, HOLDOUT)
    }
    assert len(keys) == 1
    assert [is_held_out(Case("a", tags=(side,))) for side in (TUNE, HOLDOUT)] == [False, True]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Merge these PDFs.", "please MERGE these   pdfs!"),
        ("Fill in this form for me", "Can you fill in this form?"),
        ("Convert quarterly report.docx into a PDF file", "Convert the quarterly report.docx into PDF files"),
        ("Übersetze das ins Norwegische", "übersetze das, ins Norwegische"),
    ],
)
def test_prompts_that_differ_in_spelling_alone_ask_the_same(one: str, other: str) -> None:
    assert Asked([one]).like(other) == one


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Merge these PDFs.", "Split these PDFs."),
        ("I am sending small parcels. Can you help?", "I am sending heavy parcels. Can you help?"),
        ("", "Merge these PDFs."),
        ("你好，合并文件", "你好，拆分表格"),
    ],
)
def test_prompts_about_different_things_do_not(one: str, other: str) -> None:
    assert Asked([one]).like(other) is None
