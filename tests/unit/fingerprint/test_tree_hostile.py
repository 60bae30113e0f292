"""Names, sizes, depths and kinds of files that a package cannot have."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from selftune_build.errors import InputError
from selftune_build.fingerprint import tree as tree_module
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.fingerprint.tree import read_digest, scan
from selftune_build.limits import TREE_FINDINGS_PER_CODE_MAX
from tests.unit.fingerprint.folders import found, look, paths, write


def test_pipes_and_sockets_are_errors_and_do_not_block(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(package / "pipe")
    (package / "to-pipe").symlink_to("pipe")
    monkeypatch.chdir(package)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("plug")
        tree = look(package)

    assert paths(tree) == ["SKILL.md"]
    assert found(tree) == [
        ("special-file", "error", "pipe"),
        ("special-file", "error", "plug"),
        ("special-file", "error", "to-pipe"),
    ]
    assert "named pipe" in tree.findings[0].message
    assert "socket" in tree.findings[1].message


def test_a_file_that_became_a_pipe_since_it_was_listed_is_an_error_and_does_not_block(package: Path) -> None:
    status = (package / "SKILL.md").stat()
    os.mkfifo(package / "pipe")

    with pytest.raises(OSError, match="regular file"):
        read_digest(str(package / "pipe"), status)


def test_a_file_that_grew_since_it_was_listed_is_read_whole(package: Path) -> None:
    path = write(package / "a.md", b"1234")
    status = path.stat()
    path.write_bytes(b"12345678" * 1000)

    assert read_digest(str(path), status) == digest_bytes(b"12345678" * 1000)


@pytest.mark.parametrize(
    "names",
    [("README.md", "readme.md"), ("caf\u00e9.md", "cafe\u0301.md"), ("Scripts/a.py", "scripts/b.py"), ("STRASSE", "stra\u00dfe")],
    ids=["case", "form", "folders", "sharp-s"],
)
def test_names_that_collide_on_other_systems_are_errors(package: Path, names: tuple[str, str]) -> None:
    for name in names:
        write(package / name)

    tree = look(package)

    assert len(tree.files) == 3
    assert [(code, severity) for code, severity, _ in found(tree)] == [("name-collision", "error")]


def test_a_name_that_is_not_utf8_is_an_error_that_can_be_printed(package: Path) -> None:
    write(package / os.fsdecode(b"caf\xe9.md"))

    tree = look(package)

    assert paths(tree) == ["SKILL.md"]
    assert found(tree) == [("name-not-utf8", "error", "caf\\xe9.md")]


@pytest.mark.parametrize("name", ["a\nb.md", "a\x1b[31m.md", "a\u202egpj.md", "a\u2028b", "a\x9bb"])
def test_control_and_bidirectional_characters_in_names_are_errors(package: Path, name: str) -> None:
    write(package / name)

    tree = look(package)

    assert paths(tree) == ["SKILL.md"]
    assert [(code, severity) for code, severity, _ in found(tree)] == [("name-control-character", "error")]
    assert all(one.at is not None and one.at.path.isprintable() for one in tree.findings)


@pytest.mark.parametrize("name", ["日本語.md", "Screenshot\u202f3 PM.png", "emoji-🎉.md", "with space.md"])
def test_ordinary_names_of_any_language_are_fine(package: Path, name: str) -> None:
    write(package / name)

    tree = look(package)

    assert name in paths(tree)
    assert tree.findings == ()


@pytest.mark.parametrize("name", ["con.txt", "ends-with-dot.", "back\\slash"])
def test_names_that_fail_on_other_systems_are_warnings(package: Path, name: str) -> None:
    write(package / name)

    tree = look(package)

    assert name in paths(tree)
    assert found(tree) == [("name-not-portable", "warning", name)]


def test_a_sparse_file_of_ten_gigabytes_is_refused_by_its_size_alone(package: Path) -> None:
    with (package / "huge.bin").open("wb") as file:
        file.truncate(10 * 1024**3)
    start = time.monotonic()

    tree = look(package)

    assert time.monotonic() - start < 1
    assert paths(tree) == ["SKILL.md"]
    assert found(tree) == [("file-too-large", "error", "huge.bin")]


@pytest.mark.parametrize(
    ("limit", "value", "words"),
    [("TREE_FILES_MAX", 3, "3 files"), ("TREE_TOTAL_BYTES_MAX", 20, "20 bytes"), ("TREE_ENTRIES_MAX", 3, "3 files and folders")],
)
def test_a_package_beyond_all_bounds_is_refused_as_a_whole(
    package: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, words: str
) -> None:
    for number in range(3):
        write(package / f"{number}.md")
    monkeypatch.setattr(tree_module, limit, value)

    with pytest.raises(InputError, match=words) as caught:
        look(package)

    assert caught.value.at is not None
    assert caught.value.hint


@pytest.fixture
def bottomless(package: Path) -> Iterator[Path]:
    """5,000 folders in each other: deeper than a path can be named, and than a recursive walk can go."""
    start = Path.cwd()
    os.chdir(package)
    for _ in range(5_000):
        os.mkdir("d")
        os.chdir("d")
    yield package
    for _ in range(5_000):
        os.chdir("..")
        os.rmdir("d")
    os.chdir(start)


def test_a_path_five_thousand_folders_deep_is_a_finding(bottomless: Path) -> None:
    tree = look(bottomless)

    assert paths(tree) == ["SKILL.md"]
    assert [(code, severity) for code, severity, _ in found(tree)] == [("path-too-deep", "error")]


def test_a_path_that_is_too_long_is_a_finding(package: Path) -> None:
    write(package / ("/".join(["f" * 200] * 6)) / "x.md")

    assert [(code, severity) for code, severity, _ in found(look(package))] == [("path-too-long", "error")]


def test_a_file_that_cannot_be_read_is_a_finding_and_the_others_are_read(package: Path) -> None:
    write(package / "secret")
    write(package / "z.md")

    def answer(path: str, status: os.stat_result) -> str:
        if path.endswith("secret"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return read_digest(path, status)

    tree = scan(package, (), package, read_digest=answer)

    assert paths(tree) == ["SKILL.md", "z.md"]
    assert found(tree) == [("unreadable-file", "error", "secret")]


def test_of_many_findings_of_one_kind_the_first_are_shown_and_the_rest_counted(package: Path) -> None:
    for number in range(TREE_FINDINGS_PER_CODE_MAX + 7):
        write(package / f"{number:02}/SKILL.md")
    (package / "zz").symlink_to("gone")

    tree = look(package)

    assert len(tree.findings) == TREE_FINDINGS_PER_CODE_MAX + 2
    assert tree.findings[-1].message == "and 7 more of this kind"
    assert "link-dangling" in [code for code, _, _ in found(tree)]
