"""Rows of a routing table: every column stays, escaped pipes stay, and nothing else moves."""

from __future__ import annotations

import pytest

from selftune_build.mutators.protocol import CaseEvidence, Overlay, PackageView
from selftune_build.mutators.routing import propose, routing_of
from selftune_build.mutators.surface import fault, patched
from selftune_build.mutators.table import row_of

HEAD = "---\nname: bar\ndescription: Makes drinks.\n---\n\n# Bar\n\n"
TABLE = """\
| When the guest wants | Read | Note |
|:--|:---:|--|
| coffee, latte | `references/coffee.md` | hot \\| cold |
|  tea   |references/tea.md|  a `x\\|y`  |
| juice | references/coffee.md | hot \\| cold |
"""
FILES = {"references/coffee.md": b"Grind, then steam the milk.\n", "references/tea.md": b"Steep leaves.\n"}
WRONG = (
    CaseEvidence("latte", "A latte with oat milk, please", True, 3, 3, 1),
    CaseEvidence("leaves", "Steep some jasmine leaves", True, 3, 0, 0),
    CaseEvidence("fine", "Squeeze a juice", True, 3, 3, 3),
    CaseEvidence("other", "Sing a song", False, 3, 1),
)


def view(text: str = HEAD + TABLE, **files: bytes) -> PackageView:
    return PackageView("bar", "sha256:" + "0" * 64, {"SKILL.md": text.encode(), **FILES, **files})


def made(given: PackageView, evidence: tuple[CaseEvidence, ...] = WRONG, seed: int = 0) -> list[tuple[str, Overlay]]:
    """Text and overlay of each proposal, none of which is refused."""
    overlays = list(propose(given, evidence, seed))
    assert [fault(given, overlay) for overlay in overlays] == [None] * len(overlays)
    return [(patched(given, overlay)["SKILL.md"].decode(), overlay) for overlay in overlays]


def lines(text: str) -> list[str]:
    return text[text.index("| When") :].splitlines()


def test_a_case_widens_the_row_it_belongs_to_and_every_other_byte_stays() -> None:
    text, overlay = made(view())[0]
    changed = [(before, now) for before, now in zip(TABLE.splitlines(), lines(text), strict=True) if before != now]
    assert changed == [
        (
            "| coffee, latte | `references/coffee.md` | hot \\| cold |",
            "| coffee, latte, oat, milk | `references/coffee.md` | hot \\| cold |",
        )
    ]
    assert overlay.reason == "latte failed in 2 of 3 samples: its words go into the row it belongs to"


def test_the_file_that_a_row_leads_to_says_what_belongs_to_it_and_odd_white_space_stays() -> None:
    text, _ = made(view())[1]
    assert lines(text)[3] == "|  tea, steep, jasmine, leaves   |references/tea.md|  a `x\\|y`  |"


def test_a_row_of_its_own_has_every_column_of_the_row_it_is_made_from() -> None:
    text, _ = made(view())[2]
    assert lines(text)[3] == "| latte, oat, milk | `references/coffee.md` | hot \\| cold |"
    assert len(lines(text)) == len(TABLE.splitlines()) + 1
    assert {len(row_of(line).cells) for line in lines(text)} == {3}


def test_rows_that_lead_to_the_same_become_one() -> None:
    twice = TABLE.replace("| juice | references/coffee.md |", "| juice | `references/coffee.md` |")
    texts = [text for text, overlay in made(view(HEAD + twice)) if "they become one" in overlay.reason]
    assert [lines(text)[2:] for text in texts] == [
        ["| coffee, latte, juice | `references/coffee.md` | hot \\| cold |", "|  tea   |references/tea.md|  a `x\\|y`  |"]
    ]


def test_rows_of_cases_that_went_wrong_come_first_and_the_seed_decides_which() -> None:
    first = [lines(text)[2:] for text, overlay in made(view(), seed=1) if "come first" in overlay.reason]
    assert [[row.split("|")[1].strip() for row in rows] for rows in first] == [["tea", "coffee, latte", "juice"]]
    assert next(overlay.reason for _, overlay in made(view(), seed=1)).startswith("leaves")


def test_line_ends_and_a_missing_last_one_stay() -> None:
    windows = (HEAD + TABLE).replace("\n", "\r\n").removesuffix("\r\n")
    for text, _ in made(view(windows)):
        assert text.replace("\r\n", "").count("\n") == 0
        assert not text.endswith("\n")


def test_a_table_without_outer_pipes_keeps_its_form() -> None:
    bare = "When | Read\n--- | ---\ncoffee | references/coffee.md\ntea | references/tea.md\n"
    text, _ = made(view(HEAD + bare))[0]
    assert "coffee, latte, oat, milk | references/coffee.md\n" in text


NO_TABLE = {
    "no table": HEAD + "Read references/coffee.md.\n",
    "in a code block": HEAD + "```\n" + TABLE + "```\n",
    "in a list": HEAD + "- one\n\n" + "".join(f"  {line}\n" for line in TABLE.splitlines()),
    "about something else": HEAD + "| Size | Price |\n|---|---|\n| small | 2 |\n",
    "no rows": HEAD + "| When | Read |\n|---|---|\n",
    "a lone carriage return": HEAD + TABLE.replace("tea", "te\ra"),
}


@pytest.mark.parametrize("name", NO_TABLE)
def test_where_there_is_no_routing_table_nothing_is_proposed(name: str) -> None:
    assert routing_of(view(NO_TABLE[name])) is None
    assert made(view(NO_TABLE[name])) == []


def test_where_nothing_went_wrong_nothing_is_proposed() -> None:
    fine = (CaseEvidence("fine", "Squeeze a juice", True, 3, 3, 3), CaseEvidence("new", "Grind it", True))
    assert made(view(), fine) == []


def test_a_case_that_no_row_has_anything_to_do_with_gets_none() -> None:
    assert made(view(), (CaseEvidence("odd", "Translate Ovid", True, 3, 0, 0),)) == []
