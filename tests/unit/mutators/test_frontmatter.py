"""Another description, however it is written, and every other byte as it was."""

from __future__ import annotations

import pytest

from selftune_build.limits import SPEC_DESCRIPTION_MAX
from selftune_build.mutators.frontmatter import with_description
from selftune_build.reading.skill import read_skill

BODY = "---\n\nText: with a colon.\n"
STYLES = {
    "plain": "description: Makes tea.\nlicense: MIT\n",
    "plain, last": "license: MIT\ndescription: Makes tea.\n",
    "plain with a remark": "description: Makes tea. # for two\nlicense: MIT\n",
    "on two lines": "description: Makes\n  tea.\nlicense: MIT\n",
    "single quotes": "description: 'Makes tea.'\nlicense: MIT\n",
    "double quotes": 'description: "Makes tea."  # for two\nlicense: MIT\n',
    "folded": "description: >\n  Makes\n  tea.\n\nlicense: MIT\n",
    "folded, stripped": "description: >-\n  Makes\n  tea.\nlicense: MIT\n",
    "literal": "description: |\n    Makes tea.\nlicense: MIT\n",
    "empty": 'description: ""\nlicense: MIT\n',
    "quoted key": '"description": Makes tea.\nlicense: MIT\n',
}


def edited(frontmatter: str, wanted: str, newline: str = "\n") -> bytes | None:
    return with_description(f"---\n{frontmatter}name: tea\n{BODY}".replace("\n", newline).encode(), "tea", wanted)


@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("wanted", ["Makes tea. Also for milk.", 'Makes tea. Say: "it\'s #1".', "Brews: leaves, and so on."])
def test_it_is_read_back_and_nothing_else_has_changed(style: str, wanted: str, newline: str) -> None:
    made = edited(STYLES[style], wanted, newline)
    assert made is not None
    skill = read_skill(made, "SKILL.md", "tea").skill
    assert skill.description.split() == wanted.split()
    assert (skill.name, skill.frontmatter["license"], skill.body) == ("tea", "MIT", "\nText: with a colon.")
    assert made.endswith(BODY.replace("\n", newline).encode())
    assert (b"# for two" in made) == ("for two" in STYLES[style])


@pytest.mark.parametrize("style", [style for style in STYLES if style != "empty"])
def test_what_is_added_at_the_end_leaves_the_lines_before_it_alone(style: str) -> None:
    made = edited(STYLES[style], "Makes tea. Also for milk.")
    assert made is not None
    before, after = f"---\n{STYLES[style]}name: tea\n{BODY}".splitlines(), made.decode().splitlines()
    assert ["Also for milk." in line for line in after if line not in before] == [True]
    assert len([line for line in before if line not in after]) <= 1


NOT_EDITED = {
    "no frontmatter": b"Just text.\n",
    "never closed": b"---\ndescription: Makes tea.\n",
    "no description": b"---\nname: tea\n---\n",
    "a list": b"---\nname: tea\ndescription: [a, b]\n---\n",
    "no YAML": b"---\nname: tea\ndescription: 'open\n---\n",
    "not UTF-8": b"---\nname: tea\ndescription: \xff\n---\n",
    "an alias": b"---\nname: &n tea\ndescription: *n\n---\n",
}


@pytest.mark.parametrize("name", NOT_EDITED)
def test_what_cannot_be_edited_with_certainty_is_left_alone(name: str) -> None:
    assert with_description(NOT_EDITED[name], "tea", "Makes tea. Also for milk.") is None


def test_a_description_that_is_too_long_or_empty_is_none() -> None:
    assert edited(STYLES["plain"], "x" * (SPEC_DESCRIPTION_MAX + 1)) is None
    assert edited(STYLES["plain"], "  ") is None
