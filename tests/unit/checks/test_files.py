"""Checks on the files there are when a sample has ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from selftune_build.model.verdict import CheckResult

Judge = Callable[..., CheckResult]


@pytest.mark.parametrize(
    ("kind", "params", "held"),
    [
        ("file-exists", {"path": "out.csv"}, True),
        ("file-exists", {"path": "in.csv"}, True),
        ("file-exists", {"path": "gone.txt"}, False),
        ("file-exists", {"path": "none"}, False),
        ("file-exists", {"path": "*.csv"}, True),
        ("file-exists", {"path": "**/deep.md"}, True),
        ("file-exists", {"path": "*.pdf"}, False),
        ("file-exists", {"path": "odd[1].txt"}, True),
        ("file-absent", {"path": "gone.txt"}, True),
        ("file-absent", {"path": "out.csv"}, False),
        ("file-absent", {"path": "a/**"}, False),
        ("file-contains", {"path": "out.csv", "text": "a,b\nc"}, True),
        ("file-contains", {"path": "out.csv", "text": "C", "ignore-case": True}, True),
        ("file-contains", {"path": "out.csv", "text": "z"}, False),
        ("file-contains", {"path": "in.csv", "text": "new"}, True),
        ("file-contains", {"path": "in.csv", "text": "old"}, False),
        ("file-contains", {"path": "gone.txt", "text": "x"}, False),
        ("file-contains", {"path": "blob.bin", "text": "x"}, True),
        ("file-not-contains", {"path": "out.csv", "text": "z"}, True),
        ("file-not-contains", {"path": "out.csv", "text": "a"}, False),
        ("file-not-contains", {"path": "none", "text": "z"}, False),
        ("file-regex", {"path": "out.csv", "pattern": "^c"}, True),
        ("file-regex", {"path": "out.csv", "pattern": "^b"}, False),
        ("file-regex", {"path": "none", "pattern": "b"}, False),
    ],
)
def test_file_checks(judged: Judge, kind: str, params: dict[str, object], held: bool) -> None:
    files = {
        "out.csv": b"a,b\r\nc",
        "in.csv": b"new",
        "gone.txt": None,
        "a/b/deep.md": b"",
        "odd[1].txt": b"",
        "blob.bin": b"\xff\x00x",
    }
    assert judged(kind, params, files=files, before={"in.csv": b"old", "gone.txt": b"x"}).held is held


def test_evidence_names_what_is_there_instead(judged: Judge) -> None:
    assert judged("file-exists", {"path": "a"}, files={"b": b"", "c": b""}).evidence == "no file a; there is b, c"
    assert judged("file-contains", {"path": "a", "text": "t"}).evidence == "no file a; there are no files"
    many = {f"file{number}": b"" for number in range(9)}
    assert judged("file-exists", {"path": "a"}, files=many).evidence.endswith("and 4 more")
