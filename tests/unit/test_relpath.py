"""Safe relative paths: what is refused, how globs match, which names collide elsewhere."""

from __future__ import annotations

import fnmatch
import re
import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftune_build import limits
from selftune_build.errors import InputError
from selftune_build.model.location import Location
from selftune_build.relpath import case_collisions, fault, glob_fault, is_glob, join, match_glob, match_segment, safe, safe_glob


@pytest.mark.parametrize(
    "path", ["a", "a/b.txt", ".claude/skills", "café/ü", "a b/c", "con-tract", "console.md", "a..b", "...a", "-x", "a~"]
)
def test_an_ordinary_path_is_safe_and_stays_as_it_is(path: str) -> None:
    assert fault(path) is None
    assert safe(path) == path


@pytest.mark.parametrize(("path", "normal"), [("./a", "a"), ("a/", "a"), ("a/./b", "a/b"), (".", "."), ("./", ".")])
def test_a_safe_path_is_given_in_one_form(path: str, normal: str) -> None:
    assert safe(path) == normal


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("", "empty"),
        ("..", "`..`"),
        ("../a", "`..`"),
        ("a/../b", "`..`"),
        ("a/../../b", "`..`"),
        ("/etc/passwd", "absolute"),
        ("~/x", "`~`"),
        ("~root/x", "`~`"),
        ("C:/x", "drive"),
        ("c:x", "drive"),
        ("\\\\server\\share", "network"),
        ("//server/share", "network"),
        ("a\\b", "backslash"),
        ("a\0b", "cannot be seen"),
        ("a\nb", "cannot be seen"),
        ("a\u2028b", "cannot be seen"),
        ("a\ud800b", "cannot be seen"),
        ("a./b", "dot or a space"),
        ("a /b", "dot or a space"),
        ("a.", "dot or a space"),
        ("...", "dot or a space"),
        (" a", "starts with a space"),
        ("CON", "reserved"),
        ("x/nul.txt", "reserved"),
        ("Com1", "reserved"),
        ("lpt9.tar.gz", "reserved"),
        ("COM¹", "reserved"),
        ("a//b", "empty folder"),
        ("a" * (limits.PATH_CHARACTERS + 1), "longer"),
    ],
)
def test_an_unsafe_path_is_refused_with_place_and_remedy(path: str, word: str) -> None:
    at = Location("selftune.yaml", 3, 5, "/evals/0")
    with pytest.raises(InputError) as caught:
        safe(path, at=at)
    error = caught.value
    assert word in error.message
    assert (error.at, error.code, error.exit_status) == (at, "unsafe-path", 2)
    assert error.hint
    assert error.message.isprintable()


@pytest.mark.parametrize(
    ("base", "path", "joined"),
    [
        ("skills/pdf", "../docx", "skills/docx"),
        ("skills/pdf", "../../other/x", "other/x"),
        ("skills/pdf", "extra", "skills/pdf/extra"),
        (".", "skills/a", "skills/a"),
        ("skills", "..", "."),
        ("skills/pdf", "./../docx", "skills/docx"),
    ],
)
def test_a_path_seen_from_a_folder_is_given_from_the_root(base: str, path: str, joined: str) -> None:
    assert join(base, path) == joined


@pytest.mark.parametrize(
    ("base", "path"), [(".", "../x"), ("skills/pdf", "../../../x"), ("a", "b/../../.."), ("a", "/x"), ("a", "..\\x")]
)
def test_a_path_that_leaves_the_root_is_refused(base: str, path: str) -> None:
    with pytest.raises(InputError) as caught:
        join(base, path)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.json", "a.json", True),
        ("*.json", ".hidden.json", True),
        ("*.json", "x/a.json", False),
        ("evals/*", "evals/a/b", False),
        ("**/*.json", "a.json", True),
        ("**/*.json", "x/y/a.json", True),
        ("notes/**", "notes/a", True),
        ("notes/**", "notes/a/b", True),
        ("notes/**", "notes", True),
        ("notes/**", "notebook/a", False),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("a/**/b/**/c", "a/x/b/y/b/c", True),
        ("a/**/b/**/c", "a/x/c", False),
        ("**", "any/thing", True),
        ("?.md", "a.md", True),
        ("?.md", "ab.md", False),
        ("[a-c]1", "b1", True),
        ("[a-c]1", "d1", False),
        ("[!a-c]1", "d1", True),
        ("[^a-c]1", "a1", False),
        ("[]]x", "]x", True),
        ("[a-]x", "-x", True),
        ("[[]x", "[x", True),
        ("[*]", "*", True),
        ("[*]", "a", False),
        ("a*b*c", "aXbYbZc", True),
        ("a*b*c", "aXbYbZ", False),
        ("A", "a", False),
        ("[ab", "a", False),
        ("a", "a/b", False),
        ("a/b", "a", False),
    ],
)
def test_globs_match_names_and_folders(pattern: str, path: str, matches: bool) -> None:
    assert match_glob(pattern, path) is matches


def test_a_pattern_made_to_blow_up_takes_no_time() -> None:
    start = time.perf_counter()
    assert not match_segment("a*" * 200 + "b", "a" * 2000)
    assert not match_glob("**/a/" * 60 + "b", "/".join(["a"] * 400))
    assert not match_glob("**/" + "*a" * 15 + "b", "/".join(["a" * 200] * 60))
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("pattern", ["a**", "**a/b", "x/***", "[ab", "[", "[!]", "*" * 40, "a" * 600, "../*", "/x/*", "a\\*"])
def test_a_bad_glob_is_refused(pattern: str) -> None:
    assert glob_fault(pattern) is not None
    with pytest.raises(InputError):
        safe_glob(pattern)


@pytest.mark.parametrize("pattern", ["**", "**/*", "notes/**", "*.yaml", "[a-z]?/*", ".claude/skills/*"])
def test_an_ordinary_glob_is_safe(pattern: str) -> None:
    assert glob_fault(pattern) is None
    assert safe_glob("./" + pattern) == pattern
    assert is_glob(pattern)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab*?", max_size=8), st.text(alphabet="abc", max_size=10))
def test_one_name_matches_as_the_standard_library_says(pattern: str, name: str) -> None:
    assert match_segment(pattern, name) == (re.fullmatch(fnmatch.translate(pattern), name) is not None)


def reference_match(pattern: list[str], path: list[str]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(reference_match(pattern[1:], path[skip:]) for skip in range(len(path) + 1))
    return bool(path) and pattern[0] in ("*", path[0]) and reference_match(pattern[1:], path[1:])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "b", "*", "**"]), min_size=1, max_size=6),
    st.lists(st.sampled_from("abc"), min_size=1, max_size=7),
)
def test_folders_match_as_the_definition_says(pattern: list[str], path: list[str]) -> None:
    assert match_glob("/".join(pattern), "/".join(path)) == reference_match(pattern, path)


def test_names_that_differ_in_case_collide() -> None:
    assert case_collisions(["README.md", "readme.md", "a/x", "a/y"]) == (("README.md", "readme.md"),)


def test_names_that_differ_in_normal_form_collide() -> None:
    composed, decomposed = (unicodedata.normalize(form, "café.md") for form in ("NFC", "NFD"))
    assert case_collisions([f"d/{composed}", f"d/{decomposed}"]) == ((f"d/{decomposed}", f"d/{composed}"),)
    assert case_collisions(["Straße", "STRASSE"]) == (("STRASSE", "Straße"),)


def test_folders_collide_once_and_not_again_for_every_file_in_them() -> None:
    assert case_collisions(["Docs/a", "Docs/b", "docs/a"]) == (("Docs", "docs"),)
    assert case_collisions(["A/x", "a"]) == (("A", "a"),)


def test_different_names_do_not_collide() -> None:
    assert case_collisions(["a/b", "a/c", "b/a", "ab"]) == ()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_safe_or_refused_with_a_printable_message(path: str) -> None:
    found = fault(path)
    if found is None:
        assert fault(safe(path)) is None
        assert ".." not in safe(path).split("/")
    else:
        assert found.hint
        (found.message).encode()
