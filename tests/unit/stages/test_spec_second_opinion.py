"""skills-ref beside our strict profile."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftune_build.model.finding import Severity
from selftune_build.stages.spec_rules.catalogue import RULES, finding
from selftune_build.stages.spec_rules.second_opinion import SAME_QUESTION, SecondOpinion, ask_second_opinion, compare
from tests.unit.stages.skills import ROOT, check, severities, skill


def test_both_accept_an_ordinary_skill() -> None:
    opinion = ask_second_opinion(skill().encode(), "pdf")

    assert opinion == SecondOpinion(True)
    assert check(skill(), second_opinion=opinion) == ()


@pytest.mark.parametrize(
    "source",
    [
        skill(version="1"),
        skill(name="Pdf"),
        skill(description="a: b"),
        "plain",
        skill(description="x" * 1025),
        skill(name="other"),
    ],
)
def test_both_refuse_and_nothing_is_added(source: str) -> None:
    opinion = ask_second_opinion(source.encode(), "pdf")

    assert opinion.accepted is False
    assert "second-opinion" not in severities(check(source, second_opinion=opinion))


@pytest.mark.parametrize(
    ("source", "folder", "code"),
    [
        (skill(name="рdf"), "рdf", "name-not-ascii"),
        (skill(description="tidy --- then"), "pdf", "ambiguous-frontmatter"),
        (skill(compatibility="''"), "pdf", "compatibility-length"),
    ],
)
def test_what_it_accepts_and_we_refuse_names_both(source: str, folder: str, code: str) -> None:
    opinion = ask_second_opinion(source.encode(), folder)
    (found,) = [one for one in check(source, folder, second_opinion=opinion) if one.code == "second-opinion"]

    assert opinion.accepted is True
    assert "skills-ref accepts" in found.message
    assert code in found.message
    assert found.severity is Severity.WARNING


def test_what_it_refuses_and_we_accept_names_both() -> None:
    source = skill(metadata='{version: "1"}')
    opinion = ask_second_opinion(source.encode(), "pdf")
    (found,) = check(source, second_opinion=opinion)

    assert (found.code, found.severity) == ("second-opinion", Severity.WARNING)
    assert "skills-ref refuses" in found.message
    assert "flow" in found.message


@pytest.mark.parametrize("source", [skill(allowed_tools="[a]".replace("[a]", "\n- a")), skill(metadata="\n  a:\n  - b")])
def test_on_types_of_values_it_is_not_asked(source: str) -> None:
    opinion = ask_second_opinion(source.encode(), "pdf")

    assert opinion.accepted is True
    assert "second-opinion" not in severities(check(source, profile="strict", second_opinion=opinion))


@pytest.mark.parametrize(
    "frontmatter",
    ["a:\n" + "- x\n" * 3500, "a: " + "x" * 9000, "a:\r" + "- x\r" * 3500, "a:\n" + "- " * 3900 + "x"],
    ids=["lines", "bytes", "carriage-returns", "nesting"],
)
def test_what_would_take_it_minutes_or_break_it_is_a_note(frontmatter: str) -> None:
    source = f"---\n{frontmatter}\n---\nbody".encode()
    start = time.process_time()
    opinion = ask_second_opinion(source, "pdf")

    assert time.process_time() - start < 2
    assert opinion.accepted is None
    assert severities(check(source, second_opinion=opinion))["second-opinion-absent"] == "note"


@given(st.binary(max_size=80))
def test_nothing_it_does_escapes(tail: bytes) -> None:
    opinion = ask_second_opinion(b"---\nname: a\n" + tail + b"\n---\n", "a")

    assert opinion.accepted in (True, False, None)
    assert all(complaint.isprintable() for complaint in opinion.complaints)


def test_without_skills_ref_a_note_says_so() -> None:
    script = (
        "import sys; sys.modules['skills_ref'] = None\n"
        "from selftune_build.stages.spec_rules.second_opinion import ask_second_opinion\n"
        "print(ask_second_opinion(b'---\\nname: a\\n---', 'a').reason)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)

    assert done.stdout == "skills-ref is not installed\n"


def test_only_errors_of_ours_count_as_refusing() -> None:
    assert compare(SecondOpinion(True), [finding("name-hyphens", "x")], "SKILL.md") == ()


def test_the_questions_it_shares_are_rules() -> None:
    assert {rule.code for rule in RULES} >= SAME_QUESTION
