"""Ids of cases stay what they are while the suite around them changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from selftune_build.model.case import Case
from selftune_build.reading.evals import EvalReading
from selftune_build.reading.evals.identifiers import derived_id, id_fault, with_unique_ids

Suite = Callable[..., EvalReading]


def ids(reading: EvalReading) -> list[str]:
    return [case.id for case in reading.cases]


def prompts(*texts: str) -> dict[str, Any]:
    return {"evals/evals.json": {"evals": [{"prompt": text, "assertions": ["a"]} for text in texts]}}


def test_declared_ids_are_kept_as_they_are(evals: Suite) -> None:
    items = [{"id": declared, "prompt": "p", "assertions": [str(declared)]} for declared in (0, 12, "Fills: a form", " spaced ")]
    assert ids(evals({"evals/evals.json": {"evals": items}})) == ["0", "12", "Fills: a form", "spaced"]


def test_a_name_serves_where_there_is_no_id(evals: Suite) -> None:
    assert ids(evals({"evals/evals.json": {"evals": [{"name": "Fills a form", "prompt": "p", "assertions": ["a"]}]}})) == [
        "Fills a form"
    ]


def test_an_id_that_cannot_be_shown_is_replaced_with_a_finding(evals: Suite) -> None:
    for declared in ("a\u202eb", "a\nb", "x" * 500):
        reading = evals({"evals/evals.json": {"evals": [{"id": declared, "prompt": "do it", "assertions": ["a"]}]}})
        assert ids(reading) == [derived_id("do it")]
        assert [finding.code for finding in reading.findings] == ["case-id-not-used"]


def test_an_id_made_of_the_prompt_can_be_read_and_told_apart() -> None:
    assert derived_id("Please, fill in the PDF form for me").startswith("please-fill-in-the-pdf-")
    assert derived_id("Please, fill in the PDF form for me") != derived_id("Please, fill in the PDF form for her")
    assert derived_id("填写表格").startswith("case-")


def test_inserting_a_case_does_not_shift_the_others(evals: Suite) -> None:
    before = ids(evals(prompts("one", "two", "three")))
    after = ids(evals(prompts("one", "new", "two", "three")))
    assert [name for name in after if name in before] == before


def test_the_same_case_twice_counts_once(evals: Suite) -> None:
    reading = evals({**prompts("one", "one", "two"), "evals/more.json": prompts("two")["evals/evals.json"]})
    assert len(reading.cases) == 2
    assert [finding.code for finding in reading.findings] == ["case-repeated", "case-repeated"]


def test_another_case_of_the_same_id_gets_a_suffix_from_its_content(evals: Suite) -> None:
    items = [{"id": 1, "prompt": text, "assertions": ["a"]} for text in ("p", "q", "r")]
    first, second, third = ids(evals({"evals/evals.json": {"evals": items}}))
    assert first == "1"
    assert ids(evals({"evals/evals.json": {"evals": [items[0], items[2], items[1]]}})) == [first, third, second]


def test_ids_taken_elsewhere_are_not_used_again(evals: Suite) -> None:
    reading = evals({"evals/evals.json": {"evals": [{"id": "a", "prompt": "p", "assertions": ["x"]}]}}, taken=("a",))
    assert ids(reading)[0].startswith("a~")
    assert [finding.code for finding in reading.findings] == ["case-id-repeated"]


@given(st.lists(st.builds(Case, id=st.sampled_from("abc"), prompt=st.sampled_from("pqrs")), max_size=12))
def test_ids_are_unique_and_no_case_is_lost_but_repeated_ones(cases: list[Case]) -> None:
    kept = with_unique_ids(cases, taken=(), strict=()).cases
    assert len({case.id for case in kept}) == len(kept)
    assert {(case.id[0], case.prompt) for case in kept} == {(case.id, case.prompt) for case in cases}


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=8, unique=True), st.text(min_size=1), st.integers(0, 8))
def test_no_insertion_shifts_an_id(texts: list[str], new: str, place: int) -> None:
    assume(new not in texts)
    before = [case.id for case in with_unique_ids([of(text) for text in texts], taken=(), strict=()).cases]
    grown = [*texts[:place], new, *texts[place:]]
    after = {case.prompt: case.id for case in with_unique_ids([of(text) for text in grown], taken=(), strict=()).cases}
    assert [after[text] for text in texts] == before
    assert all(id_fault(name) is None for name in after.values())


def of(prompt: str) -> Case:
    return Case(id=derived_id(prompt), prompt=prompt)
