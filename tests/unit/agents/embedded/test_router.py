from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from bm25s.scoring import _score_idf_lucene, _score_tfc_lucene
from hypothesis import given, settings
from hypothesis import strategies as st

from selftune_build.agents.embedded import router
from selftune_build.agents.embedded.vocabulary import background, rarity, stem_set, stems
from selftune_build.agents.protocol import StagedSkill

PDF = StagedSkill("pdf-forms", "Fill in forms of PDF documents and extract their fields. Do NOT use for invoices or receipts.")
CSV = StagedSkill("tables", "Summarise CSV tables: totals, averages and missing values of every column.")
BOTH = (PDF, CSV)
WORDS = "sourdough glacier violin orchard lighthouse beekeeping tapestry regatta falconry marzipan compost origami".split()  # noqa: SIM905

unrelated = st.builds(
    lambda number, words: StagedSkill(f"other-{number}", " ".join(words)),
    st.integers(0, 10**6),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=20),
)


def test_the_skill_whose_description_shares_rare_words_with_the_prompt_is_chosen() -> None:
    assert router.choose(BOTH, "Extract the fields from this PDF document") == "pdf-forms"
    assert router.choose(BOTH, "Which column of the table has missing values?") == "tables"


@pytest.mark.parametrize(
    "prompt", ["", "   ", "?!", "the of and", "Write a poem about the sea", "What is the capital of France?"]
)
def test_no_skill_is_chosen_where_nothing_fits(prompt: str) -> None:
    assert router.choose(BOTH, prompt) is None


def test_without_skills_none_is_chosen() -> None:
    assert router.choose((), "Extract the fields from this PDF document") is None


def test_a_skill_without_a_single_word_never_fits() -> None:
    assert router.choose((StagedSkill("", ""),), "Extract the fields") is None


@pytest.mark.parametrize(
    "prompt",
    [
        "Write a poem. $tables",
        "/tables write a poem",
        "Write a poem with the tables skill",
        "Use the `tables` skill for a poem",
        "use TABLES skill for a poem",
    ],
)
def test_a_skill_asked_for_by_name_wins_over_every_score(prompt: str) -> None:
    assert router.choose(BOTH, prompt + " about PDF forms and fields") == "tables"


def test_a_hyphenated_name_counts_as_a_mention_and_a_part_of_a_path_does_not() -> None:
    assert router.choose(BOTH, "Write a poem, pdf-forms style") == "pdf-forms"
    assert router._mentions(("pdf-forms", "tables"), "see src/pdf-forms/main.py, my-pdf-forms and a/tables") == (
        None,
        frozenset(),
    )


def test_an_ordinary_word_that_is_a_name_is_no_mention() -> None:
    assert router.choose(BOTH, "Set the tables for dinner") != "pdf-forms"
    assert router._mentions(("tables",), "Set the tables for dinner") == (None, frozenset())


def test_a_skill_that_the_prompt_refuses_is_not_chosen() -> None:
    assert router.choose(BOTH, "Extract the PDF form fields, but don't use the pdf-forms skill") is None
    assert router.choose(BOTH, "This is not working; use the pdf-forms skill") == "pdf-forms"


def test_words_of_a_do_not_use_clause_do_not_attract() -> None:
    scores = router.scores(BOTH, "invoices and receipts")
    assert scores["pdf-forms"] == 0
    assert router.without_refusals("Reads ledgers. Don't use for payroll, use other. Fast.") == "Reads ledgers.  Fast."


def test_equal_scores_go_by_name() -> None:
    twins = (StagedSkill("b", CSV.description), StagedSkill("a", CSV.description))
    assert router.choose(twins, "missing values of every column") == "a"
    assert router.choose(twins[::-1], "missing values of every column") == "a"


def test_the_score_is_bm25_with_the_statistics_of_the_background_over_the_root_of_the_prompts_weight() -> None:
    document = stems("tables " + CSV.description)
    prompt = stem_set("missing values of a column of glaciers")
    known = background()
    expected = 0.0
    for word in sorted(prompt & set(document)):
        saturation = _score_tfc_lucene(document.count(word), len(document), known.words_per_document, 1.5, 0.75)
        expected += _score_idf_lucene(known.count(word), known.documents) * saturation
    expected /= sum(rarity(word) for word in prompt) ** 0.5
    assert router.scores((CSV,), "missing values of a column of glaciers")["tables"] == pytest.approx(expected, abs=2e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(unrelated, max_size=50, unique_by=lambda skill: skill.name),
    st.sampled_from(
        ["Extract the PDF fields", "totals of every column in the CSV", "Write a poem about the sea", "$tables", "averages"]
    ),
)
def test_unrelated_siblings_never_change_a_decision(siblings: list[StagedSkill], prompt: str) -> None:
    alone = router.choose(BOTH, prompt)
    crowd = (*siblings[::2], *BOTH, *siblings[1::2])
    assert router.choose(crowd, prompt) == alone
    scores, in_crowd = router.scores(BOTH, prompt), router.scores(crowd, prompt)
    assert {name: in_crowd[name] for name in scores} == scores


def test_a_very_long_prompt_is_judged_by_its_beginning() -> None:
    padding = "lorem " * 200_000
    assert router.choose(BOTH, "$tables " + padding) == "tables"
    assert router.choose(BOTH, padding + "$tables") is None


def test_names_that_are_patterns_are_taken_literally() -> None:
    odd = (StagedSkill("(a+)+$", "x"), StagedSkill("[", "y"))
    assert router.choose(odd, "$[ " + "a" * 5000) == "["
    assert router.choose(odd, "a" * 5000) is None


def test_the_documented_threshold_is_the_one_in_use() -> None:
    page = (Path(__file__).parents[4] / "docs" / "embedded-agent.md").read_text(encoding="utf-8")
    stated = re.search(r"threshold in use is \*\*([\d.]+)\*\*", page)
    assert stated is not None
    assert float(stated.group(1)) == router.THRESHOLD
    rows = [
        [float(cell) for cell in row]
        for row in re.findall(r"^\| (0\.\d+|1\.00) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", page, re.M)
    ]
    assert max((row for row in rows if row[3] >= 0.97), key=lambda row: row[4])[0] == router.THRESHOLD


def test_importing_the_agent_imports_no_heavy_library() -> None:
    code = "import sys, selftune_build.agents.embedded; print([m for m in ('numpy', 'bm25s', 'markdown_it') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
