"""Frontmatter that leaves nothing to ask: skills-ref, asked all the same, has nothing to say of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from skills_ref.parser import parse_frontmatter
from skills_ref.validator import validate_metadata

from selftune_build.stages.spec_rules.plain_frontmatter import is_plainly_valid

ROOT = Path(__file__).parents[3]
PLAIN = b"---\nname: pdf\ndescription: Fills forms, if there are any (in PDF files).\nlicense: MIT\n---\nBody: {a}\n"
NAMES = st.sampled_from(["pdf", "null", "true", "no", "y", "e1", "a-1-b", "a--b", "1a", "name", "x" * 65])
VALUES = st.text("ab0 ,.;()/'\"_-Zy:#", min_size=1, max_size=12)
KEYS = st.sampled_from(["name", "description", "license", "compatibility", "metadata", "extra"])


def frontmatter(name: str, description: str, more: list[tuple[str, str]]) -> bytes:
    """A SKILL.md with these fields."""
    fields = [("name", name), ("description", description), *more]
    return ("---\n" + "".join(f"{key}: {value}\n" for key, value in fields) + "---\nbody\n").encode()


@given(NAMES, VALUES, st.lists(st.tuples(KEYS, VALUES), max_size=3))
def test_what_is_plainly_valid_is_read_so_and_accepted_by_skills_ref(
    name: str, description: str, more: list[tuple[str, str]]
) -> None:
    content = frontmatter(name, description, more)
    if is_plainly_valid(content, name):
        metadata, _ = parse_frontmatter(content.decode())
        assert metadata == {"name": name, "description": description, **dict(more)}
        assert validate_metadata(metadata, PurePosixPath(name)) == []


def test_an_ordinary_skill_is_plainly_valid() -> None:
    assert is_plainly_valid(PLAIN, "pdf")


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.replace(b"name: pdf", b"name: other"),
        PLAIN.replace(b"Fills", b'"Fills"'),
        PLAIN.replace(b"Fills", b"Fills:"),
        PLAIN.replace(b"files).", b"files). "),
        PLAIN.replace(b"forms", b"forms ---"),
        PLAIN.replace(b"forms", b"forms #"),
        PLAIN.replace(b"forms", b"f" * 1025),
        PLAIN.replace(b"forms", "Formulare für".encode()),
        PLAIN.replace(b"license", b"name"),
        PLAIN.replace(b"license", b"licence"),
        PLAIN.replace(b"license: MIT", b"license:\n  MIT"),
        PLAIN.replace(b"\n", b"\r\n"),
        PLAIN.replace(b"description", b"license"),
        PLAIN + b"\xff",
        b"\n" + PLAIN,
    ],
)
def test_everything_else_is_asked(content: bytes) -> None:
    assert not is_plainly_valid(content, "pdf")


@pytest.mark.parametrize(
    ("before", "said"), [("", "True []"), ("sys.modules['skills_ref'] = None", "None []")], ids=["installed", "not-installed"]
)
def test_nothing_is_loaded_to_accept_it_and_nothing_accepts_it_that_is_not_there(before: str, said: str) -> None:
    script = (
        f"import sys\n{before}\n"
        "from selftune_build.stages.spec_rules.second_opinion import ask_second_opinion\n"
        f"accepted = ask_second_opinion({PLAIN!r}, 'pdf').accepted\n"
        "print(accepted, sorted({'strictyaml', 'skills_ref.parser'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == f"{said}\n"
