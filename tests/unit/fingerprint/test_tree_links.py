"""Symbolic links of a package: followed, followed with a warning, or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from selftune_build.errors import InputError
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.fingerprint.tree import scan
from selftune_build.model.finding import Severity
from selftune_build.model.package import TreeFile
from tests.unit.fingerprint.folders import found, look, paths, write


def test_a_link_inside_the_package_counts_as_its_target_and_as_a_link(package: Path) -> None:
    write(package / "references/a.md", b"aa")
    (package / "b.md").symlink_to("references/a.md")

    tree = look(package)

    assert tree.files[1] == TreeFile("b.md", digest_bytes(b"aa"), 2, link=True)
    assert tree.findings == ()


def test_a_linked_folder_inside_the_package_is_walked(package: Path) -> None:
    write(package / "shared/x/a.md")
    (package / "references").symlink_to("shared")

    tree = look(package)

    assert [(file.path, file.link) for file in tree.files[1:]] == [("references/x/a.md", True), ("shared/x/a.md", False)]
    assert tree.findings == ()


def test_a_link_out_of_the_package_but_inside_the_repository_is_a_warning(repository: Path, package: Path) -> None:
    write(repository / "shared/run.py", b"print()")
    (package / "run.py").symlink_to("../../shared/run.py")
    (package / "scripts").symlink_to("../../shared")

    tree = look(package)

    assert paths(tree) == ["SKILL.md", "run.py", "scripts/run.py"]
    assert found(tree) == [("link-leaves-package", "warning", "run.py"), ("link-leaves-package", "warning", "scripts")]


def test_a_link_out_of_the_repository_is_an_error_and_not_read(package: Path) -> None:
    (package / "notes.md").symlink_to("/etc/passwd")
    (package / "etc").symlink_to("/etc")

    tree = look(package)

    assert paths(tree) == ["SKILL.md"]
    assert found(tree) == [("link-leaves-repository", "error", "etc"), ("link-leaves-repository", "error", "notes.md")]


def test_a_repository_whose_name_starts_alike_is_outside(tmp_path: Path) -> None:
    package = write(tmp_path / "repo/SKILL.md").parent
    write(tmp_path / "repo-secret/key")
    (package / "key").symlink_to("../repo-secret/key")

    assert found(scan(package, (), package)) == [("link-leaves-repository", "error", "key")]


@pytest.mark.parametrize("target", [".", "..", "../.."])
def test_a_link_to_a_folder_that_holds_it_is_a_loop(package: Path, target: str) -> None:
    write(package / "a/b/file.md")
    (package / "a/b/loop").symlink_to(target)

    tree = look(package)

    assert paths(tree) == ["SKILL.md", "a/b/file.md"]
    assert found(tree) == [("link-loop", "error", "a/b/loop")]


def test_a_link_above_the_package_ends_where_it_comes_back(repository: Path, package: Path) -> None:
    (package / "up").symlink_to("..")

    tree = look(package)

    assert paths(tree) == ["SKILL.md"]
    assert found(tree) == [("link-leaves-package", "warning", "up"), ("link-loop", "error", "up/pdf")]


def test_links_that_lead_to_each_other_or_nowhere_are_errors(package: Path) -> None:
    (package / "a").symlink_to("b")
    (package / "b").symlink_to("a")
    (package / "c").symlink_to("gone")

    assert found(look(package)) == [
        ("link-loop", "error", "a"),
        ("link-loop", "error", "b"),
        ("link-dangling", "error", "c"),
    ]


def test_two_folders_that_link_into_each_other_end(package: Path) -> None:
    write(package / "a/x.md")
    write(package / "b/y.md")
    (package / "a/to-b").symlink_to("../b")
    (package / "b/to-a").symlink_to("../a")

    tree = look(package)

    assert [file.path for file in tree.files if not file.link] == ["SKILL.md", "a/x.md", "b/y.md"]
    assert {code for code, _, _ in found(tree)} == {"link-loop"}


def test_folders_that_multiply_by_links_are_refused_instead_of_walked(package: Path) -> None:
    for level in range(40):
        (package / f"f{level}").mkdir()
        for link in ("a", "b"):
            (package / f"f{level}" / link).symlink_to(f"../f{level + 1}")
    write(package / "f40/x.md")

    with pytest.raises(InputError, match="2000 links"):
        look(package)


def test_a_link_to_the_lock_or_into_version_control_is_an_error(repository: Path, package: Path) -> None:
    write(repository / ".git/config", b"token")
    write(package / "selftune.lock")
    (package / "config").symlink_to("../../.git/config")
    (package / "mirror").symlink_to("selftune.lock")

    tree = look(package)

    assert paths(tree) == ["SKILL.md"]
    assert found(tree) == [("link-to-excluded", "error", "config"), ("link-to-excluded", "error", "mirror")]


def test_an_absolute_link_inside_the_package_is_a_warning(package: Path) -> None:
    (package / "b.md").symlink_to(package / "SKILL.md")

    assert found(look(package)) == [("link-absolute", "warning", "b.md")]


def test_a_package_reached_by_a_link_is_the_same_package(repository: Path, package: Path) -> None:
    write(package / "a.md")
    (package / "b.md").symlink_to("a.md")
    (repository / "alias").symlink_to("skills/pdf")

    assert look(repository / "alias") == look(package)


def test_every_severity_of_a_link_that_is_read_is_below_error(repository: Path, package: Path) -> None:
    write(repository / "shared.md")
    (package / "a.md").symlink_to(repository / "shared.md")

    tree = look(package)

    assert "a.md" in paths(tree)
    assert {one.severity for one in tree.findings} == {Severity.WARNING}
