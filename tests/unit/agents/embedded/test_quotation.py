from __future__ import annotations

from selftune_build.agents.embedded.passages import passages
from selftune_build.agents.embedded.quotation import quotes
from selftune_build.agents.embedded.reading import Opened
from selftune_build.agents.embedded.vocabulary import stem_set
from selftune_build.limits import EMBEDDED_QUOTED_CHARACTERS

FORMATS = """# Meeting formats

| Kind | Length | People |
|---|---|---|
| Retrospective | 60 minutes | the team |
| Workshop | 180 minutes | 5 to 12 |

- Send the agenda 24 hours ahead.
- Cake is optional.
"""


def quoted(text: str, prompt: str, path: str = "references/a.md") -> list[str]:
    opened = (Opened("SKILL.md", ()), Opened(path, passages(text)))
    return quotes(opened, stem_set(prompt)).split("\n\n")


def test_a_passage_stands_below_its_headings_and_a_row_below_the_head_of_its_table() -> None:
    assert quoted(FORMATS, "How long is a workshop?") == [
        "Meeting formats",
        "Kind | Length | People",
        "Workshop | 180 minutes | 5 to 12",
    ]


def test_each_heading_is_quoted_once() -> None:
    text = "# Bread\n\n## Rye\n\nRye rests.\n\nRye is dark.\n\n## Spelt\n\nSpelt rye mix.\n"
    assert quoted(text, "rye") == ["Bread", "Rye", "Rye rests.", "Rye is dark.", "Spelt", "Spelt rye mix."]


def test_words_of_a_table_head_speak_for_all_rows_and_do_not_choose_between_them() -> None:
    assert "Retrospective | 60 minutes | the team" not in quoted(FORMATS, "length and people of a workshop")
    assert "Retrospective | 60 minutes | the team" in quoted(FORMATS, "kind, length and people")


def test_a_second_question_is_answered_by_a_passage_of_its_own() -> None:
    found = quoted(FORMATS, "How many people does a workshop take, how many minutes, and when is the agenda sent?")
    assert "Workshop | 180 minutes | 5 to 12" in found
    assert "Send the agenda 24 hours ahead." in found
    assert "Cake is optional." not in found


def test_of_a_procedure_that_was_followed_all_steps_are_quoted() -> None:
    text = "# Glaciers\n\n1. Measure the moraine.\n2. Note it.\n\nTea is served.\n"
    assert quoted(text, "measure a moraine") == ["Glaciers", "Measure the moraine.", "Note it."]


def test_of_a_followed_file_in_which_nothing_fits_the_beginning_is_quoted_and_of_skill_md_nothing() -> None:
    assert quoted("One.\n\nTwo.\n", "glaciers") == ["One.", "Two."]
    assert quotes((Opened("SKILL.md", passages("One.\n\nTwo.\n")),), stem_set("glaciers")) == ""


def test_signposts_are_not_quoted() -> None:
    assert "[ice](ice.md)" not in " ".join(quoted("Glacier ice.\n\n- Glacier [ice](ice.md)\n", "glacier"))


def test_a_quotation_has_an_end() -> None:
    text = "\n\n".join(f"Glacier {number} " + "ice " * 500 for number in range(200))
    assert len(quotes((Opened("SKILL.md", passages(text)),), stem_set("glacier ice"))) <= EMBEDDED_QUOTED_CHARACTERS
