"""Which folder is the workspace, and which packages it holds."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from selftune_build import limits
from selftune_build.errors import InputError, UsageError
from selftune_build.reading.workspace import find_workspace, manifest_at


def skill(root: Path, *folders: str) -> None:
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / "SKILL.md").write_text("---\nname: x\n---\n")


def declare(root: Path, members: str, more: str = "") -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "selftune.yaml").write_text(f"version: 1\nworkspace:\n  members: {members}\n{more}")


def refused(start: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        find_workspace(start)
    assert caught.value.at is not None
    assert caught.value.hint
    return caught.value


def test_a_declared_workspace_lists_its_packages_sorted(tmp_path: Path) -> None:
    skill(tmp_path, "skills/b", "skills/a", "extra/c", "other/d")
    (tmp_path / "skills/not-a-package").mkdir()
    declare(tmp_path, '["skills/*", extra/c]')
    found = find_workspace(tmp_path)
    assert (found.root, found.members, found.declared) == (tmp_path, ("extra/c", "skills/a", "skills/b"), True)
    assert found.manifest_file is not None
    assert found.manifest_file.path == "selftune.yaml"


@pytest.mark.parametrize("start", ["skills/a", "skills/a/references", "skills", "skills/a/SKILL.md"])
def test_the_workspace_is_found_from_anywhere_inside(tmp_path: Path, start: str) -> None:
    skill(tmp_path, "skills/a")
    (tmp_path / "skills/a/references").mkdir()
    (tmp_path / "skills/a/selftune.yaml").write_text("version: 1\n")
    declare(tmp_path, '["skills/*"]')
    assert find_workspace(tmp_path / start).root == tmp_path


def test_the_nearest_workspace_counts(tmp_path: Path) -> None:
    skill(tmp_path, "inner/skills/a")
    declare(tmp_path, '["inner/skills/*"]')
    declare(tmp_path / "inner", '["skills/*"]')
    assert find_workspace(tmp_path / "inner/skills/a").root == tmp_path / "inner"


def test_without_a_workspace_a_package_stands_alone(tmp_path: Path) -> None:
    skill(tmp_path, "skills/a", "skills/b")
    (tmp_path / "skills/a/references").mkdir()
    found = find_workspace(tmp_path / "skills/a/references")
    assert (found.root, found.members, found.declared, found.manifest_file) == (tmp_path / "skills/a", (".",), False, None)


def test_without_a_package_upwards_those_below_are_found(tmp_path: Path) -> None:
    skill(tmp_path, ".claude/skills/a", ".agents/skills/b", "c", "c/nested", "d/e/f")
    skill(tmp_path, "node_modules/x", ".git/x", "venv/x", ".venv/x", "__pycache__/x", ".selftune/x")
    found = find_workspace(tmp_path)
    assert (found.members, found.declared) == ((".agents/skills/b", ".claude/skills/a", "c", "d/e/f"), False)


def test_a_folder_without_any_package_has_no_members(tmp_path: Path) -> None:
    assert find_workspace(tmp_path).members == ()


def test_the_walk_ends_at_its_depth(tmp_path: Path) -> None:
    within = "/".join("d" * limits.DISCOVERY_DEPTH)
    skill(tmp_path, within, "x/" + within)
    assert find_workspace(tmp_path).members == (within,)


def test_the_walk_refuses_too_many_folders(tmp_path: Path) -> None:
    for number in range(limits.DISCOVERY_DIRECTORIES + 1):
        (tmp_path / str(number)).mkdir()
    assert refused(tmp_path).code == "too-many-folders"


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    skill(outside, "evil")
    root = tmp_path / "root"
    skill(root, "skills/a")
    (root / "loop").symlink_to(root)
    (root / "away").symlink_to(outside)
    (root / "skills/alias").symlink_to("a")
    assert find_workspace(root).members == ("skills/a",)
    declare(root, '["skills/*", "**/a"]')
    assert find_workspace(root).members == ("skills/a",)


def test_a_member_that_is_a_link_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    skill(tmp_path, "outside")
    declare(tmp_path / "root", "[away]")
    (tmp_path / "root/away").symlink_to(tmp_path / "outside")
    error = refused(tmp_path / "root")
    assert (error.code, error.at and error.at.pointer) == ("unsafe-path", "/workspace/members/0")


def test_recursive_members_are_found_also_inside_packages(tmp_path: Path) -> None:
    skill(tmp_path, "skills/a", "skills/group/b", "skills/a/nested")
    declare(tmp_path, '["skills/**"]')
    assert find_workspace(tmp_path).members == ("skills/a", "skills/a/nested", "skills/group/b")


def test_a_root_that_is_a_package_is_a_member_of_its_own_workspace(tmp_path: Path) -> None:
    skill(tmp_path, ".", "skills/a")
    declare(tmp_path, '["skills/*"]', "model: m\n")
    assert find_workspace(tmp_path).members == (".", "skills/a")


def test_settings_of_a_package_at_a_root_that_is_none_are_refused(tmp_path: Path) -> None:
    skill(tmp_path, "skills/a")
    declare(tmp_path, '["skills/*"]', "agent: house\n")
    error = refused(tmp_path)
    assert (error.code, str(error.at), error.hint) == (
        "misplaced-setting",
        "selftune.yaml:4:1 (/agent)",
        "move it under `defaults:`",
    )


def test_waivers_at_a_root_that_is_no_package_belong_to_a_package(tmp_path: Path) -> None:
    skill(tmp_path, "skills/a")
    declare(tmp_path, '["skills/*"]', "accepted: []\n")
    assert refused(tmp_path).hint == "move it to the manifest of the package it is for"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ('["skills/*", "nothing/*"]', "no folder matches `nothing/*`"),
        ('["skills/*", gone]', "there is no folder `gone`"),
        ('["skills/*", empty]', "`empty` has no SKILL.md"),
        ('["skills/*", skills/a/SKILL.md]', "there is no folder `skills/a/SKILL.md`"),
    ],
)
def test_a_member_that_is_not_there_is_refused_where_it_stands(tmp_path: Path, members: str, message: str) -> None:
    skill(tmp_path, "skills/a")
    (tmp_path / "empty").mkdir()
    declare(tmp_path, members)
    error = refused(tmp_path)
    assert (error.message, str(error.at)) == (message, "selftune.yaml:3:25 (/workspace/members/1)")


def test_a_member_glob_cannot_leave_the_workspace(tmp_path: Path) -> None:
    declare(tmp_path, '["../*"]')
    assert refused(tmp_path).code == "unsafe-path"


def test_the_search_ends_at_the_root_of_the_clone(tmp_path: Path) -> None:
    declare(tmp_path, '["clone/skills/*"]')
    skill(tmp_path, "clone/skills/a")
    assert find_workspace(tmp_path / "clone/skills/a").root == tmp_path
    (tmp_path / "clone/.git").mkdir()
    assert find_workspace(tmp_path / "clone/skills/a").root == tmp_path / "clone/skills/a"


def test_a_manifest_on_the_way_that_cannot_be_read_is_named_from_where_one_stands(tmp_path: Path) -> None:
    skill(tmp_path, "skills/a")
    (tmp_path / "selftune.yaml").write_text("version: 1\nagnet: x\n")
    assert str(refused(tmp_path / "skills/a").at) == "../../selftune.yaml:2:1 (/agnet)"


def test_a_manifest_that_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    skill(tmp_path, ".")
    os.mkfifo(tmp_path / "selftune.yaml")
    assert refused(tmp_path).code == "unreadable"
    (tmp_path / "selftune.yaml").unlink()
    (tmp_path / "selftune.yaml").mkdir()
    assert refused(tmp_path).code == "unreadable"


@pytest.mark.parametrize("target", ["nowhere", "real.yaml"])
def test_a_manifest_that_is_a_link_is_refused_and_never_quoted(tmp_path: Path, target: str) -> None:
    skill(tmp_path, ".")
    (tmp_path / "real.yaml").write_text("machine secret\n")
    (tmp_path / "selftune.yaml").symlink_to(target)
    error = refused(tmp_path)
    assert error.code == "unreadable"
    assert "secret" not in error.message


def test_a_huge_sparse_manifest_is_refused_without_reading_it(tmp_path: Path) -> None:
    skill(tmp_path, ".")
    with (tmp_path / "selftune.yaml").open("wb") as stream:
        stream.truncate(10 * 1024**3)
    start = time.perf_counter()
    assert refused(tmp_path).code == "too-large"
    assert time.perf_counter() - start < 1


def test_a_folder_without_manifest_has_none(tmp_path: Path) -> None:
    assert manifest_at(tmp_path, "selftune.yaml") is None


def test_a_start_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        find_workspace(tmp_path / "gone")
    assert caught.value.exit_status == 2


def test_a_thousand_packages_are_found_quickly(tmp_path: Path) -> None:
    for number in range(1000):
        package = tmp_path / "skills" / f"s{number}"
        package.mkdir(parents=True)
        (package / "SKILL.md").touch()
    start = time.perf_counter()
    assert len(find_workspace(tmp_path).members) == 1000
    declare(tmp_path, '["skills/*"]')
    assert len(find_workspace(tmp_path).members) == 1000
    assert time.perf_counter() - start < 1
