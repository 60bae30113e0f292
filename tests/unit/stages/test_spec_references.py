"""What SKILL.md points to: found in Markdown, compared with the tree."""

from __future__ import annotations

import time

import pytest

from selftune_build.limits import SPEC_LINK_SCAN_BYTES_MAX
from selftune_build.model.location import Location
from selftune_build.stages.spec_rules.body import Reference, references
from tests.unit.stages.skills import check, severities, skill


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("[a](references/gone.md)", "reference-missing"),
        ("![a](assets/gone.png)", "reference-missing"),
        ("[a][b]\n\n[b]: gone.md", "reference-missing"),
        ("run `scripts/gone.py`", "mention-missing"),
        ("run `python ./scripts/gone.py --x`", "mention-missing"),
        ("[a](References/forms.md)", "reference-missing"),
        ("[a](../other/SKILL.md)", "reference-escapes"),
        ("[a](references/../../x.md)", "reference-escapes"),
        ("[a](/etc/passwd)", "reference-escapes"),
        ("[a](%2e%2e/x.md)", "reference-escapes"),
        ("[a](references/deep/xfa.md)", "reference-deep"),
    ],
)
def test_references_are_checked_against_the_tree(body: str, code: str) -> None:
    (found,) = check(skill(f"# Title\n\n{body}"))

    assert found.code == code
    assert found.at == Location("SKILL.md", 7)


@pytest.mark.parametrize(
    "body",
    [
        "[a](references/forms.md) `references/forms.md` [b](./scripts/run.py?x#y) [c](references/) [d](references)",
        "[a](https://example.org/x.md) [b](mailto:a@b.c) [c](#top) <https://example.org> [d](//host/x) [e]()",
        "[a](/plugin:other-skill) [b](/commit) [c](/docs)",
        "```\n[a](gone.md) `scripts/gone.py`\n```\n\n    [b](gone.md)\n\n`[c](gone.md)`",
        "`scripts/<name>.py` `scripts/*.py` `npm run scripts` `src/app.py` `references/`",
        "\\[a](gone.md) and [x] and (gone.md)",
    ],
)
def test_what_is_no_reference_is_left_alone(body: str) -> None:
    assert check(skill(body)) == ()


def test_a_reference_that_differs_in_case_names_the_file() -> None:
    (found,) = check(skill("[a](References/Forms.md)"))

    assert found.hint == "the file is spelled `references/forms.md`"


def test_a_reference_into_another_folder_names_the_only_file_of_that_name() -> None:
    (found,) = check(skill("[a](reference/forms.md)"))

    assert found.hint == "did you mean `references/forms.md`?"


def test_a_file_that_is_only_named_weighs_less_than_one_that_is_linked() -> None:
    assert severities(check(skill("`scripts/gone.py`"))) == {"mention-missing": "note"}
    assert severities(check(skill("`scripts/gone.py` [a](scripts/gone.py)"))) == {"reference-missing": "warning"}


def test_a_reference_is_reported_once() -> None:
    assert len(check(skill("[a](gone.md)\n\n[b](gone.md)"))) == 1


def test_a_body_too_large_to_parse_is_a_note() -> None:
    found = check(skill("[a](gone.md)\n" * (SPEC_LINK_SCAN_BYTES_MAX // 12)))

    assert severities(found)["references-not-checked"] == "note"
    assert "reference-missing" not in severities(found)


@pytest.mark.parametrize("piece", ["[", "![", "[a](", "`a", "<", "[[]]", "*a ", "> ", "- ", "[a](<b", "\\[", "(", "[a]: b\n"])
def test_hostile_markdown_is_read_within_two_seconds(piece: str) -> None:
    body = piece * (SPEC_LINK_SCAN_BYTES_MAX // len(piece) - 1)
    start = time.process_time()

    check(skill(body))

    assert time.process_time() - start < 2


def test_references_come_with_their_line() -> None:
    found = list(references("a\n\n[x](y.md)\n\n- `scripts/z.py`"))
    assert found == [Reference("y.md", 2), Reference("scripts/z.py", 4, mention=True)]
