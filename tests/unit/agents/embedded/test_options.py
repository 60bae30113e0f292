from __future__ import annotations

from pathlib import Path

import pytest

from selftune_build.agents.embedded.options import number_beside
from selftune_build.agents.embedded.vocabulary import stem_set
from tests.unit.agents.embedded.ledger import run_case

ECHO = """import sys
OPTIONS = ("--by", "--top", "--slo", "--days", "--verbose", "--format")
print("called with", *sys.argv[1:])
"""
BODY = """---
name: ledgers
description: Summarise ledgers of bookkeeping entries.
---

# Ledgers

| The user wants | Run |
|---|---|
| a summary of a ledger | `python3 scripts/sum.py FILE` |
| to see what is broken | `python3 scripts/check.py FILE` |

- `--by region` groups by one column, `--by region,product` by each combination.
- `--top 3` keeps the largest three groups.
- `--days 28` sets the window.
- `--verbose` says more, `--format json` prints JSON.
- `--unknown 3` is an option of another program.

Name every gap that `check.py` finds.
"""
SKILL = {"SKILL.md": BODY, "scripts/sum.py": ECHO, "scripts/check.py": "print('checked')"}
SEMICOLONS = {"book.csv": "region;product;amount\nnorth;ale;3\n"}


def called(folder: Path, prompt: str) -> str:
    output: str = run_case(folder, prompt, SKILL, SEMICOLONS)["output"]
    return output.split("\n")[0].replace("called with ", "")


@pytest.mark.parametrize(
    ("prompt", "arguments"),
    [
        ("Summarise the ledger book.csv", "book.csv"),
        ("Summarise the ledger book.csv by region", "book.csv --by region"),
        ("Summarise the ledger book.csv: every region and product", "book.csv --by region,product"),
        ("Summarise the ledger book.csv, the top five", "book.csv --top 5"),
        ("Summarise the ledger book.csv over 90 days", "book.csv --days 90"),
        ("Summarise the ledger book.csv, verbose please", "book.csv --verbose"),
        ("Summarise the ledger book.csv in the format JSON", "book.csv --format json"),
        ("Summarise the ledger book.csv, unknown 7", "book.csv"),
    ],
)
def test_an_option_explained_in_prose_is_given_where_the_prompt_asks_for_it(tmp_path: Path, prompt: str, arguments: str) -> None:
    assert called(tmp_path, prompt) == arguments


def test_what_is_said_of_a_script_elsewhere_helps_to_choose_it(tmp_path: Path) -> None:
    assert called(tmp_path, "Is there a gap in the ledgers of book.csv?") == "checked"


def test_where_no_command_fits_a_named_file_goes_to_the_first_that_takes_it(tmp_path: Path) -> None:
    assert called(tmp_path, "Ledgers: book.csv") == "book.csv"


def test_without_a_file_nothing_is_run_where_no_command_fits(tmp_path: Path) -> None:
    response = run_case(tmp_path, "What are ledgers?", SKILL, SEMICOLONS)
    assert "Script" not in {call["name"] for call in response["tool_calls"]}


@pytest.mark.parametrize(
    ("prompt", "number"),
    [
        ("SLO is 99.95 % over 28 days", "99.95"),
        ("28 days and an SLO of 99", "99"),
        ("the slo is three", "3"),
        ("slo, and much later in this text 7", None),
        ("slo ٣", None),
        ("7", None),
    ],
)
def test_the_number_nearest_to_a_word_is_its_value(prompt: str, number: str | None) -> None:
    assert number_beside(stem_set("--slo"), prompt) == number
