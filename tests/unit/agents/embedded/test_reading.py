from __future__ import annotations

import os
from pathlib import Path

import pytest

from selftune_build.agents.embedded.passages import passages, without_frontmatter
from selftune_build.agents.embedded.reading import Reading, read_skill
from selftune_build.agents.embedded.vocabulary import stem_set
from selftune_build.limits import EMBEDDED_MARKDOWN_CHARACTERS, EMBEDDED_PASSAGES
from tests.unit.agents.embedded.ledger import LEDGER, write_files


def read(folder: Path, files: dict[str, str], prompt: str) -> Reading:
    write_files(folder, files)
    return read_skill(folder, stem_set(prompt))


def paths(reading: Reading) -> list[str]:
    return [file.path for file in reading.opened]


def test_of_a_routing_table_only_the_row_that_fits_is_followed(tmp_path: Path) -> None:
    assert paths(read(tmp_path, LEDGER, "Which receipts are missing?")) == ["SKILL.md", "workflows/receipts.md"]


def test_a_row_may_name_its_file_in_code(tmp_path: Path) -> None:
    assert paths(read(tmp_path, LEDGER, "When does the fiscal year close?")) == ["SKILL.md", "references/closing.md"]


def test_where_no_row_fits_none_is_followed(tmp_path: Path) -> None:
    assert paths(read(tmp_path, LEDGER, "Paint the fence green")) == ["SKILL.md"]


def test_a_workflow_leads_on_to_the_reference_it_names_and_no_further(tmp_path: Path) -> None:
    files = LEDGER | {"references/accounts.md": "See [more](more.md).", "references/more.md": "Deep."}
    assert paths(read(tmp_path, files, "a summary with totals")) == ["SKILL.md", "workflows/summary.md", "references/accounts.md"]


def test_a_word_that_all_rows_share_tells_none_apart(tmp_path: Path) -> None:
    table = "| a | b |\n|---|---|\n| Bake a cake | `r/cake.md` |\n| Bake bread | `r/bread.md` |\n"
    files = {"SKILL.md": table, "r/cake.md": "cake", "r/bread.md": "bread"}
    assert paths(read(tmp_path, files, "bake something")) == ["SKILL.md"]
    assert paths(read(tmp_path, files, "bake bread")) == ["SKILL.md", "r/bread.md"]


def test_in_ordinary_text_the_sentence_around_a_link_decides(tmp_path: Path) -> None:
    text = "For forms read [one](references/forms.md). For merging pages read `references/merging.md`."
    files = {"SKILL.md": text, "references/forms.md": "x", "references/merging.md": "y"}
    assert paths(read(tmp_path, files, "merge these pages")) == ["SKILL.md", "references/merging.md"]


def test_the_only_file_that_a_text_names_and_what_is_always_to_be_read_are_followed(tmp_path: Path) -> None:
    files = {"SKILL.md": "Details: references/a.md.", "references/a.md": "x"}
    assert paths(read(tmp_path / "one", files, "unrelated")) == ["SKILL.md", "references/a.md"]
    files = {
        "SKILL.md": "Always read `references/a.md`. Glaciers: `references/b.md`.",
        "references/a.md": "x",
        "references/b.md": "y",
    }
    assert paths(read(tmp_path / "two", files, "unrelated")) == ["SKILL.md", "references/a.md"]


@pytest.mark.parametrize(
    "text",
    [
        "Read [the words](r/words.md). If a glacier is meant, see [ice](r/ice.md).",
        "1. Read [the words](r/words.md).\n2. For glaciers take `r/ice.md`.",
        "First, read `r/words.md` in full. Glaciers: `r/ice.md`.",
    ],
)
def test_a_plain_instruction_to_read_is_followed_whatever_is_asked(tmp_path: Path, text: str) -> None:
    files = {"SKILL.md": text, "r/words.md": "x", "r/ice.md": "y"}
    assert paths(read(tmp_path, files, "unrelated")) == ["SKILL.md", "r/words.md"]


@pytest.mark.parametrize(
    "text",
    [
        "Read `r/ice.md` if a glacier is meant. Read `r/tea.md` for tea.",
        "- Read `r/ice.md`.\n- Read `r/tea.md`.",
        "| a | b |\n|---|---|\n| ice | Read `r/ice.md` |\n| tea | Read `r/tea.md` |",
    ],
)
def test_an_instruction_to_read_with_a_condition_or_among_choices_is_followed_only_where_it_fits(
    tmp_path: Path, text: str
) -> None:
    files = {"SKILL.md": text, "r/ice.md": "x", "r/tea.md": "y"}
    assert paths(read(tmp_path, files, "unrelated")) == ["SKILL.md"]


def test_a_file_that_is_named_and_missing_is_reported_as_looked_for(tmp_path: Path) -> None:
    reading = read(tmp_path, {"SKILL.md": "# S\n\n[a](references/a.md)"}, "unrelated")
    assert paths(reading) == ["SKILL.md"]
    assert reading.absent == ("references/a.md",)


def test_a_skill_without_its_file_is_read_as_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, {"notes.md": "x"}, "anything") == Reading((), ("SKILL.md",))


def test_links_that_turn_in_a_circle_are_read_once(tmp_path: Path) -> None:
    files = {"SKILL.md": "[a](a.md)", "a.md": "[b](b.md) and [s](SKILL.md)", "b.md": "[a](a.md)"}
    assert paths(read(tmp_path, files, "x")) == ["SKILL.md", "a.md", "b.md"]


@pytest.mark.parametrize(
    "target",
    [
        "../secret.md",
        "references/../../secret.md",
        "/etc/hosts.md",
        "https://example.invalid/a.md",
        "file:///etc/a.md",
        "C:/a.md",
        "..\\secret.md",
        "%2e%2e/secret.md",
        "//host/a.md",
        "~/a.md",
        "link/secret.md",
        "loop.md",
        "folder.md",
        "references/a\u0000.md",
    ],
)
def test_nothing_outside_the_skill_is_ever_read(tmp_path: Path, target: str) -> None:
    (tmp_path / "secret.md").write_text("secret", encoding="utf-8")
    folder = tmp_path / "skill"
    (folder / "folder.md").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path)
    (folder / "loop.md").symlink_to(folder / "loop.md")
    reading = read(folder, {"SKILL.md": f"Always read [this]({target}) and `{target}`."}, "anything")
    assert paths(reading) == ["SKILL.md"]


def test_a_named_pipe_and_a_file_that_is_too_large_are_not_read(tmp_path: Path) -> None:
    write_files(tmp_path, {"SKILL.md": "Always [a](a.md). Always [b](b.md).", "b.md": "x" * (1024 * 1024 + 1)})
    os.mkfifo(tmp_path / "a.md")
    assert paths(read_skill(tmp_path, frozenset())) == ["SKILL.md"]


def test_of_a_huge_table_few_files_are_read_and_few_are_looked_for(tmp_path: Path) -> None:
    rows = "".join(f"| glacier number {number} | references/{number}.md |\n" for number in range(25_000))
    files = {"SKILL.md": "| a | b |\n|---|---|\n" + rows} | {f"references/{number}.md": "x" for number in range(20)}
    reading = read(tmp_path, files, "glacier number 3 and 7 and 11")
    assert len(reading.opened) <= 8
    assert len(reading.absent) <= 16


@pytest.mark.parametrize(
    "body", ["[" * 200_000, "> " * 100_000, "a/" * 300_000, "|" * 300_000 + "\n" + "|-" * 100_000, "`" * 200_000]
)
def test_a_hostile_body_is_read_within_limits(tmp_path: Path, body: str) -> None:
    reading = read(tmp_path, {"SKILL.md": body}, "anything")
    assert paths(reading) == ["SKILL.md"]
    assert len(reading.opened[0].passages) <= EMBEDDED_PASSAGES
    assert sum(len(passage.text) for passage in reading.opened[0].passages) <= EMBEDDED_MARKDOWN_CHARACTERS


def test_bytes_that_are_not_text_are_read_as_replacements(tmp_path: Path) -> None:
    (tmp_path / "SKILL.md").write_bytes(b"\xff\xfe glacier \x00")
    assert "glacier" in read_skill(tmp_path, frozenset()).opened[0].passages[0].text


def test_frontmatter_is_cut_off_and_an_open_one_is_text() -> None:
    assert without_frontmatter("---\r\nname: a\r\n---\r\nbody\r\n") == "body\n"
    assert without_frontmatter("---\nname: a\n") == "---\nname: a\n"


def test_passages_know_their_kind_their_headings_and_their_sequence() -> None:
    text = (
        "# T\n\npara\n\n## Step 1: a\n\n- item `x`\n\n## Step 2: b\n\n1. first\n\n```bash\nrun\n```\n\n| h |\n|---|\n| cell |\n"
    )
    found = [(passage.kind, passage.text.strip(), passage.titles, passage.section) for passage in passages(text)]
    assert found == [
        ("paragraph", "para", ("T",), ("T",)),
        ("item", "item `x`", ("T", "Step 1: a"), ("T",)),
        ("step", "first", ("T", "Step 2: b"), ("T",)),
        ("code", "run", ("T", "Step 2: b"), ("T",)),
        ("row", "cell", ("T", "Step 2: b"), ("T",)),
    ]


def test_a_row_knows_the_head_of_its_own_table() -> None:
    text = "| a | b |\n|---|---|\n| 1 | 2 |\n\n| c |\n|---|\n| 3 |\n"
    assert [(passage.text, passage.head) for passage in passages(text)] == [("1 | 2", "a | b"), ("3", "c")]
