"""The package tree: which files it holds, what is staged of it, and its digest."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftune_build.errors import InputError
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.fingerprint.links import EXCLUDED_NAMES
from selftune_build.fingerprint.tree import find_boundary, scan, staged_files, tree_digest
from selftune_build.model.package import TreeFile
from tests.unit.fingerprint.folders import found, look, paths, write


def test_files_come_sorted_with_bytes_size_and_mode(package: Path) -> None:
    write(package / "references/b.md", b"bb")
    write(package / "a.sh", b"#!/bin/sh\n").chmod(0o755)

    tree = look(package)

    assert paths(tree) == ["SKILL.md", "a.sh", "references/b.md"]
    assert tree.files[1] == TreeFile("a.sh", digest_bytes(b"#!/bin/sh\n"), 10, executable=True)
    assert tree.files[2] == TreeFile("references/b.md", digest_bytes(b"bb"), 2)
    assert tree.findings == ()


@pytest.mark.parametrize("name", sorted(EXCLUDED_NAMES))
@pytest.mark.parametrize("folder", ["", "scripts/deep/"])
def test_what_is_never_part_of_a_package_is_left_out_at_any_depth(package: Path, name: str, folder: str) -> None:
    before = look(package)
    write(package / f"{folder}{name}/inner.txt")
    if name in (".git", "selftune.lock"):
        (package / f"{folder}{name}/inner.txt").unlink()
        (package / f"{folder}{name}").rmdir()
        write(package / f"{folder}{name}")

    assert look(package) == before


def test_compiled_python_and_empty_folders_are_left_out(package: Path) -> None:
    before = look(package)
    write(package / "scripts/x.pyc")
    (package / "empty/nested").mkdir(parents=True)

    assert look(package) == before


def test_names_that_only_look_alike_stay(package: Path) -> None:
    for name in ("git", ".gitignore", "my.selftune", "a.pyc.txt", "notselftune.lock"):
        write(package / name)

    assert len(look(package).files) == 6


@pytest.mark.parametrize("pattern", ["notes/**", "notes", "**/draft.md", "notes/*/draft.md"])
def test_globs_of_the_manifest_leave_files_out(package: Path, pattern: str) -> None:
    write(package / "notes/deep/draft.md")
    write(package / "kept.md")

    assert paths(look(package, pattern)) == ["SKILL.md", "kept.md"]


def test_what_a_glob_leaves_out_is_not_looked_at(package: Path) -> None:
    (package / "notes").mkdir()
    os.mkfifo(package / "notes/pipe")
    (package / "notes/out").symlink_to("/etc/passwd")

    assert look(package, "notes/**").findings == ()


def test_a_nested_skill_stays_in_the_tree_with_a_warning(package: Path) -> None:
    write(package / "inner/SKILL.md")

    tree = look(package)

    assert "inner/SKILL.md" in paths(tree)
    assert found(tree) == [("nested-skill", "warning", "inner/SKILL.md")]


def test_an_index_can_answer_in_place_of_reading(package: Path) -> None:
    asked = []

    def answer(path: str, status: os.stat_result) -> str:
        asked.append((path, stat.S_ISREG(status.st_mode), status.st_size))
        return "xxh3:0"

    tree = scan(package, (), package, read_digest=answer)

    assert [file.digest for file in tree.files] == ["xxh3:0"]
    assert asked == [(os.path.realpath(package / "SKILL.md"), True, 18)]


def test_a_folder_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        look(tmp_path / "gone")


def test_the_boundary_is_the_nearest_repository_else_the_workspace(repository: Path, package: Path, tmp_path: Path) -> None:
    assert find_boundary(package, package) == repository
    write(package / ".git", b"gitdir: elsewhere")
    assert find_boundary(package, repository) == package


def test_the_boundary_without_a_repository_is_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "skills/pdf").mkdir(parents=True)

    assert find_boundary(tmp_path / "skills/pdf", tmp_path / "skills") == tmp_path / "skills"


def test_what_is_staged_is_the_tree_without_manifest_evals_and_tests() -> None:
    names = ["SKILL.md", "eval/e.json", "evals/e.json", "evals.md", "other/e.yaml", "references/evals/a.md", "selftune.yaml"]
    names += ["references/selftune.yaml", "tests/a.py", "tests.md"]
    files = [TreeFile(name, "sha256:0", 1) for name in names]

    staged = staged_files(files, lambda path: path == "other/e.yaml")

    assert [file.path for file in staged] == [
        "SKILL.md",
        "evals.md",
        "references/evals/a.md",
        "references/selftune.yaml",
        "tests.md",
    ]


_FILES = st.builds(
    TreeFile,
    path=st.text(alphabet="ab/.", min_size=1, max_size=4),
    digest=st.sampled_from(["sha256:1", "sha256:2", "sha256:12"]),
    size=st.integers(0, 3),
    executable=st.booleans(),
    link=st.booleans(),
)
_TREES = st.lists(_FILES, max_size=4, unique_by=lambda file: file.path)


def _identity(files: list[TreeFile]) -> list[tuple[str, str, bool, bool]]:
    return sorted((file.path, file.digest, file.executable, file.link) for file in files)


@given(_TREES, _TREES)
def test_two_trees_have_one_digest_only_if_they_are_equal(one: list[TreeFile], other: list[TreeFile]) -> None:
    assert (tree_digest(one) == tree_digest(other)) == (_identity(one) == _identity(other))


@given(_TREES, st.randoms())
def test_the_order_of_files_does_not_matter(files: list[TreeFile], random: Random) -> None:
    shuffled = list(files)
    random.shuffle(shuffled)

    assert tree_digest(shuffled) == tree_digest(files)


def test_the_digest_of_a_known_tree_never_changes() -> None:
    files = [TreeFile("SKILL.md", "sha256:aa", 2), TreeFile("run.sh", "sha256:bb", 3, executable=True, link=True)]
    text = '[["SKILL.md","sha256:aa",false,false],["run.sh","sha256:bb",true,true]]'

    assert tree_digest(files) == "sha256:" + hashlib.sha256(text.encode()).hexdigest()
