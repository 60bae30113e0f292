"""Facets: which edit changes which digest, and which edits change none."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from selftune_build.fingerprint.digest import digest_bytes, digest_json
from selftune_build.fingerprint.facets import SHOWN_KEYS, SIDECARS, facets
from selftune_build.fingerprint.staged import facet_names, facet_record
from selftune_build.fingerprint.tree import tree_digest
from selftune_build.model.package import Facets, Skill, TreeFile
from selftune_build.reading.skill import read_skill

SOURCE = """---
name: pdf
description: Reads forms.
license: MIT
argument-hint: FILE
allowed-tools: Read Bash
metadata:
  version: "1.0"
---
# PDF

Do it.
"""
FILES = (TreeFile("SKILL.md", "sha256:s", 9), TreeFile("references/a.md", "sha256:a", 1), TreeFile("run.sh", "sha256:r", 1))


def of(source: str, files: tuple[TreeFile, ...] = FILES) -> Facets:
    return facets(read_skill(source.encode(), "SKILL.md", "pdf").skill, files)


def changed(one: Facets, other: Facets) -> set[str]:
    before, after = facet_names("pdf", facet_record(one)), facet_names("pdf", facet_record(other))
    return {name.removeprefix("pdf:") for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Reads forms.", "Reads all forms.", {"metadata", "*"}),
        ("argument-hint: FILE", "argument-hint: FILES", {"metadata", "*"}),
        ("argument-hint: FILE", "disable-model-invocation: true", {"metadata", "*"}),
        ("argument-hint: FILE\n", "argument-hint: FILE\nwhen_to_use: often\n", {"metadata", "*"}),
        ("allowed-tools: Read Bash", "allowed-tools: Read", {"body", "*"}),
        ("license: MIT", "license: BSD", {"body", "*"}),
        ('version: "1.0"', 'version: "1.1"', {"body", "*"}),
        ("Do it.", "Do it now.", {"body", "*"}),
        ("\n\nDo it.", "\nDo it.", {"body", "*"}),
    ],
)
def test_an_edit_of_skill_md_changes_the_facet_that_shows_it(old: str, new: str, expected: set[str]) -> None:
    assert old in SOURCE
    assert changed(of(SOURCE), of(SOURCE.replace(old, new))) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n", "\r\n"),
        (".\n", ".  \t\n"),
        ("Do it.\n", "Do it."),
        ("Do it.\n", "Do it.\n\n \n"),
        ("description: Reads forms.", 'description: "Reads forms."'),
        ("description: Reads forms.", "description: 'Reads forms.'  # seen by hosts"),
        ("description: Reads forms.", "description: >-\n  Reads\n  forms."),
        ("license: MIT\nargument-hint: FILE\n", "argument-hint: FILE\nlicense: MIT\n"),
        ('metadata:\n  version: "1.0"\n', "metadata: {version: '1.0'}\n"),
        ('"1.0"', "1.0"),
        ("---\nname", "---\n\n# head\nname"),
    ],
)
def test_an_edit_of_form_changes_no_facet_but_the_tree(old: str, new: str) -> None:
    edited = SOURCE.replace(old, new)
    trees = [tree_digest([TreeFile("SKILL.md", digest_bytes(text.encode()), len(text))]) for text in (SOURCE, edited)]

    assert of(edited) == of(SOURCE)
    assert trees[0] != trees[1]


def test_a_changed_file_changes_its_facet_and_the_whole() -> None:
    files = (*FILES[:2], replace(FILES[2], digest="sha256:other"))

    assert changed(of(SOURCE), of(SOURCE, files)) == {"file:run.sh", "*"}


def test_a_mode_or_a_link_changes_the_facet_of_the_file() -> None:
    plain = of(SOURCE).files["run.sh"]
    values = {
        of(SOURCE, (replace(FILES[2], executable=executable, link=link),)).files["run.sh"]
        for executable in (False, True)
        for link in (False, True)
    }

    assert values == {plain, plain + "+x", plain + "+link", plain + "+x+link"}


def test_a_new_file_changes_the_listing() -> None:
    assert changed(of(SOURCE), of(SOURCE, (*FILES, TreeFile("b.md", "sha256:b", 1)))) == {"file:b.md", "listing", "*"}


def test_a_renamed_file_is_two_changes_and_a_listing() -> None:
    files = (*FILES[:2], replace(FILES[2], path="go.sh"))

    assert changed(of(SOURCE), of(SOURCE, files)) == {"file:run.sh", "file:go.sh", "listing", "*"}


def test_the_bytes_of_skill_md_are_no_file_facet() -> None:
    files = (replace(FILES[0], digest="sha256:other"), *FILES[1:])

    assert of(SOURCE, files) == of(SOURCE)
    assert set(of(SOURCE).files) == {"references/a.md", "run.sh"}


def test_the_order_of_files_does_not_matter() -> None:
    assert of(SOURCE, FILES[::-1]) == of(SOURCE)


@pytest.mark.parametrize("path", sorted(SIDECARS))
def test_a_sidecar_that_acts_before_activation_is_part_of_the_metadata(path: str) -> None:
    with_sidecar = of(SOURCE, (*FILES, TreeFile(path, "sha256:1", 1)))
    edited = of(SOURCE, (*FILES, TreeFile(path, "sha256:2", 1)))

    assert changed(with_sidecar, edited) == {"metadata", f"file:{path}", "*"}


def test_conditions_of_hosts_under_metadata_are_shown_and_labels_are_not() -> None:
    def with_metadata(inside: str) -> Facets:
        return of(SOURCE.replace('version: "1.0"', inside))

    base = with_metadata("openclaw: {os: [linux]}\n  author: ann")

    assert changed(base, with_metadata("openclaw: {os: [darwin]}\n  author: ann")) == {"metadata", "*"}
    assert changed(base, with_metadata("openclaw: {os: [linux]}\n  author: bob")) == {"body", "*"}


def test_every_key_that_is_shown_says_why() -> None:
    assert all(reason.strip() for reason in SHOWN_KEYS.values())
    assert {"name", "description"} <= set(SHOWN_KEYS)
    assert not {"allowed-tools", "hooks", "model", "license", "metadata"} & set(SHOWN_KEYS)


def test_floats_count_as_their_text() -> None:
    skill = Skill(name="a", description="b", frontmatter={"version": 1.5, "list": [0.1]})

    assert facets(skill, ()) == facets(replace(skill, frontmatter={"version": "1.5", "list": ["0.1"]}), ())


def test_the_digests_of_a_known_package_never_change() -> None:
    metadata = digest_json({"keys": {"argument-hint": "FILE", "description": "Reads forms.", "name": "pdf"}})
    frontmatter = {"license": "MIT", "allowed-tools": "Read Bash", "metadata": {"version": "1.0"}}
    body = digest_json({"frontmatter": frontmatter, "text": "# PDF\n\nDo it."})
    listing = digest_json(["SKILL.md", "references/a.md", "run.sh"])
    files = {"references/a.md": "sha256:a", "run.sh": "sha256:r"}
    everything = digest_json({"metadata": metadata, "body": body, "listing": listing, "files": files})

    assert asdict(of(SOURCE)) == {
        "metadata": metadata,
        "body": body,
        "listing": listing,
        "everything": everything,
        "files": files,
    }
    assert of(SOURCE).metadata == "sha256:841c5ced3efe4cc03bdab00da465b3a44988a6cfc9c1940fd0b257e75f2bfdd3"


def test_names_carry_the_package() -> None:
    assert set(facet_names("pdf", facet_record(of(SOURCE)))) == {
        "pdf:metadata",
        "pdf:body",
        "pdf:listing",
        "pdf:*",
        "pdf:file:references/a.md",
        "pdf:file:run.sh",
    }


_TEXT = st.text(alphabet=st.sampled_from("abc :#'\"-é\\"), max_size=12)
_KEYS = st.sampled_from(["license", "argument-hint", "paths", "x", "metadata", "model"])
_VALUES = st.one_of(
    _TEXT, st.booleans(), st.integers(0, 99), st.lists(_TEXT, max_size=2), st.dictionaries(_TEXT, _TEXT, max_size=2)
)


def _rendered(frontmatter: dict[str, object], body: str, shuffle: random.Random, line_end: str) -> str:
    """A SKILL.md of these data in one of many forms: JSON is YAML."""
    items = list(frontmatter.items())
    shuffle.shuffle(items)
    lines = [f"{key}: {json.dumps(value, ensure_ascii=shuffle.random() < 0.5)}" for key, value in items]
    comments = [line + shuffle.choice(["", "  # why", "   "]) for line in lines]
    text = "\n".join(["---", *comments, "---", *(line + shuffle.choice(["", " ", "\t "]) for line in body.split("\n"))])
    return (text + shuffle.choice(["", "\n", "\n\n"])).replace("\n", line_end)


@given(
    st.dictionaries(_KEYS, _VALUES, max_size=4),
    st.text(alphabet="ab \n#", max_size=20),
    st.randoms(use_true_random=False),
    st.sampled_from(["\n", "\r\n"]),
)
def test_form_never_changes_a_facet(frontmatter: dict[str, object], body: str, shuffle: random.Random, line_end: str) -> None:
    data = {"name": "pdf", "description": "d", **frontmatter}
    plain = _rendered(data, body, random.Random(0), "\n")

    assert of(_rendered(data, body, shuffle, line_end)) == of(plain)


@given(st.dictionaries(_KEYS, _VALUES, max_size=3), st.dictionaries(_KEYS, _VALUES, max_size=3), _TEXT, _TEXT)
def test_different_content_never_shares_the_whole(
    one: dict[str, object], other: dict[str, object], text: str, other_text: str
) -> None:
    skills = [Skill(name="a", description="b", frontmatter=keys, body=body) for keys, body in ((one, text), (other, other_text))]
    same = (digest_json(one), text) == (digest_json(other), other_text)

    assert (facets(skills[0], ()).everything == facets(skills[1], ()).everything) == same
