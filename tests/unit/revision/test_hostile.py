"""Repositories that somebody made to harm who reads them: nothing runs, nothing waits, nothing grows, nothing else is read."""

from __future__ import annotations

import os
import resource
import struct
import subprocess
import sys
import zlib
from hashlib import sha1
from pathlib import Path

import pytest

from selftune_build.errors import UndecidedError
from selftune_build.revision.revision import list_at, merge_base, open_revision, read_at
from tests.cli.repository import committed, git

READ = """
import sys
from pathlib import Path
from selftune_build.errors import SelftuneError
from selftune_build.revision.revision import list_at, merge_base, read_at
for act in (lambda: read_at(Path(sys.argv[1]), sys.argv[2], "README.md"), lambda: list_at(Path(sys.argv[1]), sys.argv[2]),
            lambda: merge_base(Path(sys.argv[1]), sys.argv[2])):
    try:
        act()
        print("read")
    except SelftuneError as error:
        print(error.message)
"""
MEMORY = 1 << 30


def bounded(folder: Path, revision: str = "HEAD") -> list[str]:
    """What comes of reading a repository in a process that may take a gibibyte of memory and thirty seconds of the processor."""

    def limits() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (30, 30))

    command = [sys.executable, "-c", READ, str(folder), revision]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, preexec_fn=limits)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-2000:]
    return done.stdout.splitlines()


def packed(folder: Path, *entries: bytes) -> None:
    """Write a pack of these entries, and let git index it."""
    body = b"PACK" + struct.pack(">II", 2, len(entries)) + b"".join(entries)
    place = folder / ".git/objects/pack/pack-1.pack"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(body + sha1(body).digest())


def entry(kind: int, size: int, content: bytes, between: bytes = b"") -> bytes:
    """One entry of a pack with the size that it is said to have."""
    head, rest = bytearray([kind << 4 | size & 15]), size >> 4
    while rest:
        head[-1] |= 0x80
        head.append(rest & 0x7F)
        rest >>= 7
    return bytes(head) + between + zlib.compress(content)


def index_of(folder: Path, offsets: dict[bytes, int]) -> None:
    """An index, version 2, for a pack whose objects git would refuse to name."""
    names = sorted(offsets)
    fanout = b"".join(struct.pack(">I", sum(name[0] <= first for name in names)) for first in range(256))
    pack = (folder / ".git/objects/pack/pack-1.pack").read_bytes()
    body = b"\xfftOc" + struct.pack(">I", 2) + fanout + b"".join(names) + b"\0\0\0\0" * len(names)
    body += b"".join(struct.pack(">I", offsets[name]) for name in names) + pack[-20:]
    (folder / ".git/objects/pack/pack-1.idx").write_bytes(body + sha1(body).digest())


def varint(size: int) -> bytes:
    out = bytearray()
    while True:
        out.append(size & 0x7F | (0x80 if size > 0x7F else 0))
        size >>= 7
        if not size:
            return bytes(out)


def test_no_setting_of_the_repository_runs_a_program_or_names_another_file(clone: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    program = clone / "evil.sh"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    secret = tmp_path / "secret"
    secret.write_text("[core]\n\trepositoryformatversion = 9\n")
    for name, value in (
        ("core.fsmonitor", str(program)), ("core.hooksPath", str(clone)), ("core.sshCommand", str(program)),
        ("core.worktree", "/"), ("include.path", str(secret)), ("diff.external", str(program)),
        ("filter.x.smudge", str(program)), ("filter.x.process", str(program)), ("core.gitProxy", str(program)),
        ("remote.origin.url", f"ext::{program}"), ("extensions.worktreeConfig", "true"),
    ):  # fmt: skip
        git(clone, "config", name, value)
    (clone / ".gitattributes").write_text("* filter=x diff=x\n")
    for hook in ("post-checkout", "reference-transaction", "pre-commit"):
        (clone / ".git/hooks").mkdir(exist_ok=True)
        (clone / f".git/hooks/{hook}").write_text(f"#!/bin/sh\ntouch {mark}\n")
        (clone / f".git/hooks/{hook}").chmod(0o755)
    assert bounded(clone) == ["read", "read", "read"]
    assert not mark.exists()


def test_the_environment_of_git_is_not_obeyed(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "README.md").write_text("other\n")
    committed(other)
    for name, value in (
        ("GIT_DIR", other / ".git"),
        ("GIT_OBJECT_DIRECTORY", other),
        ("GIT_ALTERNATE_OBJECT_DIRECTORIES", other),
    ):
        monkeypatch.setenv(name, str(value))
    assert read_at(clone, "HEAD", "README.md") == b"read me first\n"


def test_a_replacement_of_an_object_is_not_looked_at(clone: Path) -> None:
    git(clone, "replace", git(clone, "rev-parse", "HEAD"), git(clone, "rev-parse", "v1^{}"))
    assert read_at(clone, "HEAD", "README.md") == b"read me first\n"


@pytest.mark.parametrize(
    "text", ["gitdir: {other}/.git", "gitdir: {other}/.git/worktrees/x", "gitdir: ", "gitdir: \0", "rubbish", "x" * 99_999]
)
def test_a_git_file_does_not_lead_to_another_repository(clone: Path, tmp_path: Path, text: str) -> None:
    git(clone, "worktree", "add", "-q", str(tmp_path / "x"), "topic/deep")
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    (unpacked / ".git").write_text(text.format(other=clone))
    with pytest.raises(UndecidedError, match="git repository cannot be read"):
        open_revision(unpacked, "HEAD")


def test_a_git_folder_that_is_a_link_is_refused(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/.git").symlink_to(clone / ".git")
    with pytest.raises(UndecidedError, match="is a symbolic link"):
        open_revision(tmp_path / "linked", "HEAD")


@pytest.mark.parametrize("place", ["HEAD", "config", "packed-refs", "refs/heads/main", "objects/info/alternates", "shallow"])
@pytest.mark.parametrize("kind", ["pipe", "link", "endless"])
def test_a_file_of_git_that_would_make_a_reader_wait_is_refused(clone: Path, place: str, kind: str) -> None:
    file = clone / ".git" / place
    file.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "link":
        file.symlink_to("/dev/zero")
    else:
        with file.open("wb") as stream:
            stream.truncate(1 << 40)
    said = bounded(clone)
    assert "the git repository cannot be read" in "".join(said)


@pytest.mark.parametrize("folder", ["objects/pack", "refs", "objects"])
def test_pipes_among_packs_and_objects_make_nobody_wait(clone: Path, folder: str) -> None:
    if folder == "objects":
        name = git(clone, "rev-parse", "HEAD:README.md")
        loose = clone / ".git/objects" / name[:2] / name[2:]
        loose.unlink()
        os.mkfifo(loose)
    else:
        os.mkfifo(clone / ".git" / folder / "evil.pack")
        os.mkfifo(clone / ".git" / folder / "evil.idx")
    assert len(bounded(clone)) == 3


def test_an_object_under_another_name_is_damage(clone: Path) -> None:
    name, other = git(clone, "rev-parse", "HEAD:README.md"), git(clone, "rev-parse", "HEAD:skills/pdf/SKILL.md")
    objects = clone / ".git/objects"
    (objects / name[:2] / name[2:]).chmod(0o644)
    (objects / name[:2] / name[2:]).write_bytes((objects / other[:2] / other[2:]).read_bytes())
    with pytest.raises(UndecidedError, match="is damaged"):
        read_at(clone, "HEAD", "README.md")


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"x", zlib.compress(b"blob 3\0abc"), zlib.compress(b"commit 9\0tree zzzz"), zlib.compress(b"tree 1\0x")],
)
def test_rubbish_in_place_of_an_object_is_damage(clone: Path, content: bytes) -> None:
    names = [git(clone, "rev-parse", revision) for revision in ("HEAD^{tree}", "HEAD")]
    for name, act in zip(names, (lambda: list_at(clone, "HEAD"), lambda: merge_base(clone, "HEAD", "topic/deep")), strict=True):
        loose = clone / ".git/objects" / name[:2] / name[2:]
        loose.chmod(0o644)
        loose.write_bytes(content)
        with pytest.raises(UndecidedError, match="git repository cannot be read"):
            act()


def test_an_object_that_would_inflate_to_gibibytes_is_refused_before_it_does(clone: Path) -> None:
    zeros = zlib.compressobj(9)
    content = b"blob %d\0" % (4 << 30)
    loose = [zeros.compress(content)] + [zeros.compress(bytes(1 << 24)) for _ in range(256)] + [zeros.flush()]
    name = "ab" + "0" * 38
    folder = clone / ".git/objects/ab"
    folder.mkdir(exist_ok=True)
    (folder / name[2:]).write_bytes(b"".join(loose))
    (clone / ".git/refs/heads/bomb").write_text(name + "\n")
    assert all("git repository cannot be read" in line for line in bounded(clone, "bomb"))


@pytest.mark.parametrize("kind", ["size", "copies", "loop", "endless"])
def test_a_pack_that_asks_for_terabytes_or_turns_in_circles_is_refused(clone: Path, kind: str) -> None:
    base, name = bytes(19) + b"\1", bytes(19) + b"\2"
    first = entry(3, 1 << 16, bytes(1 << 16))
    if kind == "size":
        entries = [first, entry(3, 1 << 42, b"x")]
    elif kind == "copies":  # each of these instructions copies the whole base once more
        delta = varint(1 << 16) + varint(1 << 42) + b"\x80" * 65_536
        entries = [first, entry(7, len(delta), delta, base)]
    elif kind == "loop":
        delta = varint(9) + varint(9) + b"\x01a"
        entries = [first, entry(7, len(delta), delta, name)]
    else:
        entries = [first, entry(3, 16, b"x")[:1] + b"\xff" * 400]
    packed(clone, *entries)
    index_of(clone, {base: 12, name: 12 + len(first)})
    (clone / ".git/refs/heads/bomb").write_text(name.hex() + "\n")
    assert all("git repository cannot be read" in line for line in bounded(clone, "bomb"))


def test_folders_that_hold_themselves_a_thousand_times_a_thousand_times_end(clone: Path) -> None:
    blob = git(clone, "rev-parse", "HEAD:README.md")
    tree = blob
    for level in range(6):
        kind, mode = ("blob", "100644") if level == 0 else ("tree", "040000")
        lines = "".join(f"{mode} {kind} {tree}\tf{number:02}\n" for number in range(50))
        done = subprocess.run(["git", "mktree"], cwd=clone, input=lines, capture_output=True, text=True, check=True)
        tree = done.stdout.strip()
    commit = git(clone, "commit-tree", tree, "-m", "bomb")
    said = bounded(clone, commit)
    assert "more than 200000 files and folders" in said[1]


def test_names_that_lead_out_of_the_folder_are_only_names(clone: Path) -> None:
    """git makes no such tree; a hand does."""
    name = git(clone, "rev-parse", "HEAD:README.md")
    body = b"".join(b"100644 " + each + b"\0" + bytes.fromhex(name) for each in (b"..", b".git", b"/etc/passwd", b"\xff"))
    done = subprocess.run(
        ["git", "hash-object", "-t", "tree", "-w", "--stdin", "--literally"],
        cwd=clone,
        input=body,
        capture_output=True,
        check=True,
    )
    commit = git(clone, "commit-tree", done.stdout.decode().strip(), "-m", "odd")
    assert set(list_at(clone, commit)) == {"..", ".git", "/etc/passwd", "\udcff"}
    assert read_at(clone, commit, "../README.md") is None
