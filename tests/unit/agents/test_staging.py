"""The workspace of one sample: what is in it at the start, and what the run left behind."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from selftune_build.agents import leftovers
from selftune_build.agents.protocol import AgentFailure
from selftune_build.agents.staging import SkillSource, Staging
from selftune_build.errors import InputError, StoreError
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.model.case import CaseFile
from selftune_build.model.package import TreeFile
from selftune_build.model.sample import ErrorKind, FileChange

SKILL = {"SKILL.md": b"---\nname: pdf\n---\n", "references/a.md": b"A", "scripts/run.sh": b"#!/bin/sh\n"}


def make_skill(folder: Path, name: str = "pdf", files: dict[str, bytes] = SKILL) -> SkillSource:
    staged = []
    for path, content in files.items():
        target = folder / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        staged.append(TreeFile(path, digest_bytes(content), len(content), executable=path.endswith(".sh")))
    return SkillSource(name, folder / name, tuple(staged))


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def skill(tmp_path: Path) -> SkillSource:
    return make_skill(tmp_path)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}).stdout


def test_nothing_is_made_before_it_is_asked_for(skill: SkillSource, temporary_folder: Path) -> None:
    with Staging([CaseFile("a.txt", b"a")], {"pdf": skill}) as stage:
        assert list(temporary_folder.iterdir()) == []
        assert stage.initial() == {}
        assert stage.touched() == frozenset()
        assert stage.changes() == ()


def test_the_root_has_the_files_of_the_case_and_is_a_repository_of_its_own() -> None:
    with Staging([CaseFile("data/a.txt", b"a\r\n")]) as stage:
        assert (stage.root / "data" / "a.txt").read_bytes() == b"a\r\n"
        assert git(stage.root, "status", "--porcelain") == "?? data/\n"
        assert git(stage.root, "rev-parse", "--show-toplevel").strip() == str(stage.root)
        assert stage.root.is_absolute()


def test_home_has_a_folder_for_temporary_files_and_is_outside_the_root() -> None:
    with Staging() as stage:
        assert [path.name for path in stage.home.iterdir()] == ["tmp"]
        assert not stage.home.is_relative_to(stage.root)


def test_a_skill_is_staged_when_it_is_asked_for_with_its_executable_bits(skill: SkillSource) -> None:
    with Staging(skills={"pdf": skill}) as stage:
        assert not (stage.root / ".agents").exists()
        folder = stage.skill("pdf")
        assert folder == stage.root / ".agents" / "skills" / "pdf"
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert files == SKILL
        assert stat.S_IMODE((folder / "scripts" / "run.sh").stat().st_mode) == 0o755
        assert stat.S_IMODE((folder / "SKILL.md").stat().st_mode) == 0o644
        assert stage.skill("pdf") == folder


def test_hosts_differ_in_where_they_look_for_skills(skill: SkillSource) -> None:
    with Staging(skills={"pdf": skill}, skills_folder=".claude/skills") as stage:
        assert stage.skill("pdf") == stage.root / ".claude" / "skills" / "pdf"


def test_everything_can_be_placed_at_once(tmp_path: Path, skill: SkillSource) -> None:
    with Staging([CaseFile("a.txt", b"a")], {"pdf": skill, "csv": make_skill(tmp_path, "csv")}) as stage:
        stage.place_all()
        assert stage.initial()["a.txt"] == digest_bytes(b"a")
        assert stage.initial()[".agents/skills/csv/references/a.md"] == digest_bytes(b"A")
        assert len(stage.initial()) == 7
        assert stage.home.is_dir()


def test_staged_files_have_fixed_times_the_access_a_day_before_the_change(skill: SkillSource) -> None:
    with Staging(skills={"pdf": skill}) as stage:
        found = (stage.skill("pdf") / "references" / "a.md").stat()
        assert found.st_mtime - found.st_atime == 86_400
        assert found.st_mtime == 1_577_923_200


def test_a_symbolic_link_becomes_a_regular_file(tmp_path: Path) -> None:
    source = make_skill(tmp_path, files={"real.md": b"text"})
    (source.package_root / "link.md").symlink_to("real.md")
    link = TreeFile("link.md", digest_bytes(b"text"), 4, link=True)
    with Staging(skills={"pdf": SkillSource("pdf", source.package_root, (*source.staged, link))}) as stage:
        placed = stage.skill("pdf") / "link.md"
        assert (placed.is_symlink(), placed.read_bytes()) == (False, b"text")


def test_reading_the_package_for_staging_does_not_count_as_touching_it(skill: SkillSource) -> None:
    with Staging(skills={"pdf": skill}) as stage:
        stage.place_all()
        assert stage.touched() == frozenset()
        assert stage.touched() == frozenset()


def test_a_read_file_is_touched(skill: SkillSource) -> None:
    with Staging(skills={"pdf": skill}) as stage:
        subprocess.run(
            ["cat", stage.skill("pdf") / "references/a.md", stage.skill("pdf") / "SKILL.md"], check=True, capture_output=True
        )
        assert stage.touched() == {"pdf:file:references/a.md", "pdf:body"}


def test_a_changed_and_a_removed_file_are_touched(skill: SkillSource) -> None:
    with Staging(skills={"pdf": skill}) as stage:
        (stage.skill("pdf") / "references/a.md").write_bytes(b"B")
        (stage.skill("pdf") / "scripts/run.sh").unlink()
        assert stage.touched() == {"pdf:file:references/a.md", "pdf:file:scripts/run.sh"}


def test_listing_the_folders_touches_nothing(skill: SkillSource) -> None:
    with Staging(skills={"pdf": skill}) as stage:
        stage.place_all()
        subprocess.run(["find", str(stage.root), "-type", "f"], check=True, capture_output=True)
        assert stage.touched() == frozenset()


@pytest.mark.parametrize("change", ["edited", "gone", "a folder", "a pipe", "longer"])
def test_a_package_that_changes_while_it_is_built_is_refused(skill: SkillSource, change: str) -> None:
    path = skill.package_root / "references" / "a.md"
    path.unlink()
    if change == "edited":
        path.write_bytes(b"B")
    elif change == "a folder":
        path.mkdir()
    elif change == "a pipe":
        os.mkfifo(path)
    elif change == "longer":
        path.write_bytes(b"A" * 10_000_000)
    with Staging(skills={"pdf": skill}) as stage, pytest.raises(InputError, match="changed while it was being built"):
        stage.skill("pdf")


@pytest.mark.parametrize(
    "dest", ["/etc/passwd", "../out", "a/../../out", ".git/config", "sub/.GIT/hooks/x", ".agents/skills/pdf/SKILL.md", "", "a\0b"]
)
def test_a_case_file_cannot_be_placed_outside_or_over_our_own(skill: SkillSource, dest: str) -> None:
    with Staging([CaseFile(dest, b"x")], {"pdf": skill}) as stage, pytest.raises(InputError):
        stage.place_all()


@pytest.mark.parametrize("paths", [("a", "a"), ("a", "a/b"), ("a/b", "a")])
def test_case_files_in_each_others_way_are_refused(paths: tuple[str, str]) -> None:
    with Staging([CaseFile(path, b"x") for path in paths]) as stage, pytest.raises(InputError, match="in the way"):
        stage.place_all()


@pytest.mark.parametrize("name", ["..", "a/b", "/abs", "", "~", "a\n"])
def test_a_skill_name_that_is_no_folder_name_is_refused(skill: SkillSource, name: str) -> None:
    with Staging(skills={name: skill}) as stage, pytest.raises(InputError):
        stage.skill(name)


def test_a_path_that_leads_out_of_a_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"s")
    source = SkillSource("pdf", tmp_path / "pdf", (TreeFile("../secret", digest_bytes(b"s"), 1),))
    (tmp_path / "pdf").mkdir()
    with Staging(skills={"pdf": source}) as stage, pytest.raises(InputError, match="leads out"):
        stage.skill("pdf")


def test_a_temporary_folder_that_cannot_be_written_is_a_store_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/proc/none")
    with pytest.raises(StoreError):
        _ = Staging().root


def test_what_the_run_did_to_its_workspace_is_told_sorted_by_path(skill: SkillSource) -> None:
    with Staging([CaseFile(name, b"old") for name in ("kept", "edited", "removed")], {"pdf": skill}) as stage:
        stage.place_all()
        (stage.root / "edited").write_bytes(b"new")
        (stage.root / "removed").unlink()
        (stage.root / "z").mkdir()
        (stage.root / "z" / "made.sh").write_bytes(b"\xff")
        (stage.root / "z" / "made.sh").chmod(0o755)
        assert stage.changes() == (
            FileChange("edited", b"new"),
            FileChange("removed", None),
            FileChange("z/made.sh", b"\xff", executable=True),
        )


def test_skills_git_and_caches_are_no_result_but_a_new_skill_is(skill: SkillSource) -> None:
    with Staging(skills={"pdf": skill}) as stage:
        stage.place_all()
        for path in (
            ".git/index",
            ".agents/skills/pdf/new",
            "sub/.git/x",
            "sub/__pycache__/a.pyc",
            ".agents/skills/made/SKILL.md",
        ):
            (stage.root / path).parent.mkdir(parents=True, exist_ok=True)
            (stage.root / path).write_bytes(b"x")
        (stage.home / "history").write_bytes(b"x")
        assert [change.path for change in stage.changes()] == [".agents/skills/made/SKILL.md"]


def test_links_count_as_what_they_lead_to_inside_and_are_not_followed_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    with Staging([CaseFile("real", b"text")]) as stage:
        (stage.root / "inside").symlink_to("real")
        (stage.root / "outside").symlink_to(tmp_path / "secret")
        (stage.root / "folder").symlink_to(tmp_path)
        (stage.root / "loop").symlink_to("loop")
        (stage.root / "dangling").symlink_to("none")
        os.mkfifo(stage.root / "pipe")
        assert stage.changes() == (FileChange("inside", b"text"),)


def test_a_file_replaced_by_a_link_out_counts_as_gone(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    with Staging([CaseFile("a", b"text")]) as stage:
        (stage.root / "a").unlink()
        (stage.root / "a").symlink_to(tmp_path / "secret")
        assert stage.changes() == (FileChange("a", None),)


def test_names_that_are_not_utf8_are_told_with_replacement_characters() -> None:
    with Staging() as stage:
        Path(os.fsdecode(os.fsencode(stage.root) + b"/\xff.txt")).write_bytes(b"x")
        assert stage.changes() == (FileChange("\ufffd.txt", b"x"),)


@pytest.mark.parametrize(("limit", "value"), [("STAGE_FILES_MAX", 3), ("STAGE_CHANGED_MAX_BYTES", 50), ("STAGE_DEPTH_MAX", 1)])
def test_a_run_that_leaves_too_much_is_a_flood(monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    with Staging() as stage:
        for name in ("a", "b", "c/d/e"):
            (stage.root / name).parent.mkdir(parents=True, exist_ok=True)
            (stage.root / name).write_bytes(b"x" * 20)
        assert len(stage.changes()) == 3
        monkeypatch.setattr(leftovers, limit, value)
        with pytest.raises(AgentFailure) as caught:
            stage.changes()
    assert caught.value.kind is ErrorKind.FLOOD


def test_a_huge_sparse_file_is_not_read() -> None:
    with Staging() as stage:
        with (stage.root / "sparse").open("wb") as file:
            file.truncate(1 << 40)
        with pytest.raises(AgentFailure):
            stage.changes()


def test_closing_removes_read_only_folders_and_never_follows_links(tmp_path: Path, temporary_folder: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_bytes(b"x")
    stage = Staging()
    (stage.root / "locked" / "inner").mkdir(parents=True)
    (stage.root / "locked" / "inner" / "file").write_bytes(b"x")
    (stage.root / "locked" / "link").symlink_to(tmp_path / "precious")
    (stage.root / "locked" / "inner").chmod(0)
    (stage.root / "locked").chmod(0o500)
    stage.close()
    stage.close()
    assert list(temporary_folder.iterdir()) == []
    assert (tmp_path / "precious" / "file").read_bytes() == b"x"


def test_closing_removes_folders_deeper_than_any_path_may_be_long(temporary_folder: Path) -> None:
    stage = Staging()
    descriptor = os.open(stage.root, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("a" * 20, dir_fd=descriptor)
        inner = os.open("a" * 20, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    with pytest.raises(AgentFailure):
        stage.changes()
    stage.close()
    assert list(temporary_folder.iterdir()) == []


def test_a_stage_can_be_opened_again_after_its_process_has_gone(skill: SkillSource, temporary_folder: Path) -> None:
    first = Staging([CaseFile("a", b"old")], {"pdf": skill})
    first.place_all()
    (first.root / "a").write_bytes(b"new")
    (first.skill("pdf") / "references" / "a.md").read_bytes()
    again = Staging.reopen(str(first.root), first.initial())
    assert again is not None
    assert again.touched() == {"pdf:file:references/a.md"}
    assert again.changes() == (FileChange("a", b"new"),)
    assert (again.root, again.home) == (first.root, first.home)
    again.close()
    assert list(temporary_folder.iterdir()) == []


def test_only_a_folder_that_is_a_stage_is_opened_again(tmp_path: Path) -> None:
    with Staging() as stage:
        (tmp_path / "selftune-link").symlink_to(stage.root.parent)
        assert Staging.reopen(str(tmp_path / "selftune-link" / "root"), {}) is None
        assert Staging.reopen(str(stage.root / "none"), {}) is None
    (tmp_path / "selftune-x" / "root").mkdir(parents=True)
    assert Staging.reopen(str(tmp_path / "selftune-x" / "root"), {}) is None
    assert Staging.reopen(str(stage.root), {}) is None
    assert Staging.reopen("", {}) is None
