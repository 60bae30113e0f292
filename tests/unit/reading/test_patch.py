"""Patches: what is read, what is refused with its line, and that nothing is searched for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selftune_build.errors import InputError
from selftune_build.limits import PATCH_BYTES, PATCH_FILE_BYTES
from selftune_build.model.patch import Fate, FilePatch, Hunk
from selftune_build.reading.diff import diff
from selftune_build.reading.patch import read_patch
from selftune_build.reading.patching import patched
from tests.cli.repository import committed, git

HEAD = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n"
HUNK = b"@@ -1,2 +1,2 @@\n one\n-two\n+deux\n"
BEFORE = b"one\ntwo\n"


def one(content: bytes) -> FilePatch:
    (file,) = read_patch(content, "p")
    return file


def fault(content: bytes) -> tuple[int | None, str]:
    """Line and message of the refusal."""
    with pytest.raises(InputError) as caught:
        read_patch(content, "p")
    assert caught.value.hint
    assert caught.value.at is not None
    return caught.value.at.line, caught.value.message


def misfit(content: bytes, before: bytes | None) -> tuple[int | None, str]:
    """The same for a patch that can be read."""
    with pytest.raises(InputError) as caught:
        patched(one(content), before, "p")
    assert caught.value.at is not None
    return caught.value.at.line, caught.value.message


def test_a_change_is_read_with_the_lines_where_it_stands() -> None:
    file = one(HEAD + HUNK)
    assert (file.path, file.fate, file.line) == ("x", Fate.CHANGED, 1)
    assert file.hunks == (Hunk(4, 0, (b"one\n", b"two\n"), (b"one\n", b"deux\n")),)
    assert patched(file, BEFORE, "p") == b"one\ndeux\n"


def test_plain_headers_of_diff_with_times_are_read_too() -> None:
    file = one(b"--- a/x\t2026-01-01 00:00:00\n+++ b/x\t2026-01-02 00:00:00\n" + HUNK)
    assert patched(file, BEFORE, "p") == b"one\ndeux\n"


def test_files_come_and_go_empty_ones_too() -> None:
    new = b"diff --git a/%b b/%b\nnew file mode 100755\nindex 0000000..e69de29\n"
    gone = b"diff --git a/y b/y\ndeleted file mode 100644\nindex e69de29..0000000\n"
    files = read_patch(new % (b"bin/x y", b"bin/x y") + gone, "p")
    assert [(file.path, file.fate, file.executable) for file in files] == [
        ("bin/x y", Fate.ADDED, True),
        ("y", Fate.REMOVED, False),
    ]
    assert patched(files[0], None, "p") == b""
    assert patched(files[1], b"", "p") is None


REFUSED = {
    "empty": (b"", None, "the patch is empty"),
    "text before": (b"commit 1234\n" + HEAD + HUNK, 1, "'commit 1234' is no part of a patch"),
    "text behind": (HEAD + HUNK + b"-- \n2.43.0\n", 8, "'-- ' is no part of a patch"),
    "an empty line between": (HEAD + HUNK + b"\n", 8, "'' is no part of a patch"),
    "rename": (b"diff --git a/x b/x\nsimilarity index 90%\nrename from x\n", 2, "renames or copies"),
    "rename by names": (b"diff --git a/x b/y\n", 2, "it renames a file"),
    "copy": (b"diff --git a/x b/x\ncopy from y\n", 2, "it copies a file"),
    "mode": (b"diff --git a/x b/x\nold mode 100644\nnew mode 100755\n", 2, "changes the mode"),
    "symlink": (b"diff --git a/x b/x\nnew file mode 120000\n", 2, "about a symbolic link"),
    "symlink that changes": (b"diff --git a/x b/x\nindex 1234567..89abcde 120000\n", 2, "about a symbolic link"),
    "submodule": (b"diff --git a/x b/x\nindex 1234567..89abcde 160000\n", 2, "about a submodule"),
    "odd mode": (b"diff --git a/x b/x\nnew file mode 100777\n", 2, "of mode 100777"),
    "binary": (b"diff --git a/x b/x\nindex 1234567..89abcde 100644\nGIT binary patch\n", 3, "binary"),
    "binary, told": (b"diff --git a/x b/x\nindex 1234567..89abcde\nBinary files a/x and b/x differ\n", 3, "binary"),
    "nothing done": (b"diff --git a/x b/x\nindex 1234567..89abcde\n", 1, "nothing is done"),
    "only one name": (b"--- a/x\n" + HUNK, 2, "a line `+++ b/"),
    "two names": (b"--- a/x\n+++ b/y\n" + HUNK, 1, "name different files"),
    "nowhere": (b"--- /dev/null\n+++ /dev/null\n" + HUNK, 1, "both sides"),
    "new and not": (b"diff --git a/x b/x\nnew file mode 100644\n--- a/x\n+++ b/x\n" + HUNK, 1, "new or deleted"),
    "no prefix": (b"--- x\n+++ x\n" + HUNK, 1, "does not begin with `a/`"),
    "climbing": (b"--- a/../x\n+++ b/../x\n" + HUNK, 1, "leads out"),
    "absolute": (b"--- a//etc/passwd\n+++ b//etc/passwd\n" + HUNK, 1, "absolute path"),
    "backslash": (b"--- a/x\\y\n+++ b/x\\y\n" + HUNK, 1, "backslash"),
    "control character": (b'--- "a/x\\033y"\n+++ "b/x\\033y"\n' + HUNK, 1, "cannot be seen"),
    "not UTF-8": (b'--- "a/x\\377"\n+++ "b/x\\377"\n' + HUNK, 1, "not UTF-8"),
    "open quotes": (b'--- "a/x\n+++ "b/x\n' + HUNK, 1, "does not end"),
    "odd escape": (b'--- "a/x\\q"\n+++ "b/x\\q"\n' + HUNK, 1, "unknown escape"),
    "twice": (HEAD + HUNK + HEAD + HUNK, 8, "`x` is patched twice"),
    "twice, spelled otherwise": (HEAD + HUNK + b"--- a/./x\n+++ b/./x\n" + HUNK, 8, "`x` is patched twice"),
    "no hunk": (HEAD, 4, "no hunk follows"),
    "odd header": (HEAD + b"@@ -1 @@\n", 4, "the header of hunk 1 of `x`"),
    "line 0": (HEAD + b"@@ -0,2 +0,2 @@\n one\n-two\n+deux\n", 4, "begins at line 0"),
    "no lines": (HEAD + b"@@ -1,0 +1,0 @@\n", 4, "has no lines"),
    "cut": (HEAD + b"@@ -1,2 +1,2 @@\n one\n", 6, "hunk 1 of `x` ends too early"),
    "cut in a line": (HEAD + HUNK[:-1], 7, "in the middle of a line"),
    "too many": (HEAD + b"@@ -1 +1,2 @@\n one\n-two\n+deux\n", 6, "more old lines"),
    "stripped": (HEAD + b"@@ -1,3 +1,3 @@\n one\n\n-two\n+deux\n", 6, "an empty line before"),
    "goes on after its end": (
        HEAD + b"@@ -1,2 +1,2 @@\n-one\n\\ No newline at end of file\n-two\n+a\n+b\n",
        6,
        "has no newline, and goes on",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plain_patch_of_text_files_is_refused_with_its_line(name: str) -> None:
    content, line, said = REFUSED[name]
    at, message = fault(content)
    assert said in message
    assert at == line


def test_a_huge_patch_is_refused_before_it_is_read() -> None:
    assert "larger than" in fault(b"x" * (PATCH_BYTES + 1))[1]


MISFITS = {
    "other line": (HUNK, b"one\ndos\n", 4, "hunk 1 of `x` does not fit: line 2 should be 'two', and there is 'dos'"),
    "moved": (HUNK, b"zero\none\ntwo\n", 4, "line 1 should be 'one', and there is 'zero'"),
    "white space": (HUNK, b"one \ntwo\n", 4, "there is 'one '"),
    "line ends": (HUNK, b"one\r\ntwo\r\n", 4, "there is 'one\\\\r'"),
    "no newline": (HUNK, b"one\ntwo", 4, "there is 'two' without a newline"),
    "too short": (HUNK, b"one\n", 4, "line 2 should be 'two', and the file ends"),
    "far too short": (b"@@ -9 +9 @@\n-x\n+y\n", b"one\n", 4, "begins at line 9, and the file has 1"),
    "overlapping": (HUNK + b"@@ -2 +2 @@\n-two\n+zwei\n", BEFORE, 8, "hunk 2 of `x` begins before the end"),
    "not there": (HUNK, None, 1, "there is no file `x`"),
    "unended in the middle": (
        b"@@ -1 +1 @@\n-one\n+uno\n\\ No newline at end of file\n",
        BEFORE,
        1,
        "line 1 of `x` would have no newline",
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_a_patch_that_does_not_fit_exactly_is_refused_with_hunk_and_line(name: str) -> None:
    hunks, before, line, said = MISFITS[name]
    at, message = misfit(HEAD + hunks, before)
    assert said in message
    assert at == line


def test_a_new_file_must_not_be_there_and_a_deleted_one_must_be_named_whole() -> None:
    new = b"--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+one\n"
    assert misfit(new, b"")[1] == "`x` is there already"
    gone = b"--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n"
    assert "does not name all of its lines" in misfit(gone, BEFORE)[1]


def test_a_file_that_would_grow_beyond_the_limit_is_refused() -> None:
    before = b"one\ntwo\n" + b"x" * PATCH_FILE_BYTES
    assert "more than" in misfit(HEAD + HUNK, before)[1]


LINES = st.lists(
    st.sampled_from([b"a", b"b", b"c", b"", b"\r", b"-", b"+ x", b"\\ No newline", b"@@", b"--- a", b"\xff"]), max_size=14
)
TEXTS = st.builds(lambda lines, ended: b"\n".join(lines) + (b"\n" if ended and lines else b""), LINES, st.booleans())
PATHS = st.sampled_from(["x", "a b", "ö/ü.md", 'q"uote', "deep/er/y"])


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(PATHS, TEXTS | st.none(), TEXTS | st.none())
def test_what_is_written_as_a_patch_is_read_back_and_makes_the_same_bytes(
    path: str, before: bytes | None, after: bytes | None
) -> None:
    written = diff({} if before is None else {path: before}, {} if after is None else {path: after})
    if before == after:
        assert written == b""
    else:
        file = one(written)
        assert (file.path, patched(file, before, "p")) == (path, after)


PIECES = [*HEAD.splitlines(keepends=True), *HUNK.splitlines(keepends=True), b"@@ -1 +1 @@\n", b"\\ No newline at end of file\n"]
PIECES += [
    b"new file mode 100644\n",
    b"deleted file mode 100644\n",
    b"--- /dev/null\n",
    b"+++ /dev/null\n",
    b'--- "a/\\',
    b"\xff\n",
]


@settings(max_examples=400, deadline=None, database=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join) | st.binary(max_size=200), TEXTS | st.none())
def test_whatever_the_bytes_are_a_patch_is_read_or_refused(content: bytes, before: bytes | None) -> None:
    try:
        for file in read_patch(content, "p"):
            patched(file, before, "p")
    except InputError as error:
        assert error.hint
        assert error.at is not None


def test_git_takes_what_is_written_and_prints_what_is_read(tmp_path: Path) -> None:
    before = {"ö/a.md": b"one\ntwo\r\nthree", "gone.md": b"gone\n", "sp ace": b"a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n"}
    after = {"ö/a.md": b"one\n2\r\nthree\n", "new.md": b"", "sp ace": b"A\nb\nc\nd\ne\nf\ng\nh\ni\nJ"}
    for path, content in before.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    committed(tmp_path)
    patch = tmp_path.parent / f"{tmp_path.name}.diff"
    patch.write_bytes(diff(before, after))
    git(tmp_path, "apply", str(patch))
    assert {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file() and ".git" not in path.parts
    } == {*after}
    assert all((tmp_path / path).read_bytes() == content for path, content in after.items())
    git(tmp_path, "add", "-A")
    git(tmp_path, "diff", "--cached", "--no-renames", f"--output={patch}")
    files = read_patch(patch.read_bytes(), "p")
    assert {file.path: patched(file, before.get(file.path), "p") for file in files} == {
        path: after.get(path) for path in {*before, *after}
    }
