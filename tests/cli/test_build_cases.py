"""What a case may bring along, and how cases of packages that look alike are told apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selftune_build.__main__ import main

SKILL = "---\nname: {name}\ndescription: Counts words in notes. Use for the number of words in a note.\n---\n\nRun it.\n"


def package(root: Path, unit_tests: str, name: str = "count") -> Path:
    (root / "tests").mkdir(parents=True)
    (root / "SKILL.md").write_text(SKILL.format(name=name))
    (root / "tests" / "scripts.yaml").write_text("format: selftune.unit-tests/1\ncases:\n" + unit_tests)
    return root


def built(root: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, dict[str, object]]:
    status = main(["build", "unit-tests", "-C", str(root), "--json", *flags])
    return status, json.loads(capsys.readouterr().out)


PREPARED = """\
  - id: prepared
    setup: [[sh, -c, "printf 'one two' > note.txt"]]
    run: [cat, note.txt]
    checks: [{contains: one two}]
"""


def test_set_up_commands_run_in_the_workspace_before_the_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, report = built(package(tmp_path / "count", PREPARED), capsys)
    assert (status, report["verdict"]) == (0, "pass")


def test_a_set_up_command_that_fails_says_nothing_about_the_skill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = "  - {id: prepared, setup: [[sh, -c, 'echo no disk >&2; exit 7']], run: ['true'], checks: [{exit: 0}]}\n"
    status, report = built(package(tmp_path / "count", case), capsys)
    assert (status, report["verdict"]) == (3, "inconclusive")
    [problem] = report["packages"][0]["problems"]  # type: ignore[index]
    assert "ended with exit status 7: no disk" in problem["message"]
    assert problem["code"] == "no-evidence"


def test_a_changed_set_up_is_a_changed_question(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = package(tmp_path / "count", PREPARED)
    built(root, capsys)
    (root / "tests" / "scripts.yaml").write_text(
        "format: selftune.unit-tests/1\ncases:\n" + PREPARED.replace("'one two'", "'one two three'")
    )
    status, report = built(root, capsys)
    stage = next(each for each in report["packages"][0]["stages"] if each["run"])  # type: ignore[index]
    assert (status, stage["run"], stage["reasons"][0]["code"]) == (0, 1, "setup-changed")


def test_packages_of_one_name_are_addressed_by_their_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "selftune.yaml").write_text('version: 1\nworkspace: {members: ["*/count"]}\n')
    for folder in ("a", "b"):
        package(tmp_path / folder / "count", "  - {id: fails, run: ['false'], checks: [{exit: 0}]}\n")
    status, report = built(tmp_path, capsys)
    assert status == 1
    shown = [each["next_command"] for each in report["packages"]]  # type: ignore[union-attr]
    assert shown == [f"selftune show '{path}:unit-tests[fails]' -C {tmp_path}" for path in ("a/count", "b/count")]
    for path in ("a/count", "b/count"):
        assert main(["show", f"{path}:unit-tests[fails]", "-C", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count("exit status 1") >= 2


def test_a_package_named_like_a_stage_is_addressed_by_its_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "selftune.yaml").write_text('version: 1\nworkspace: {members: ["*"]}\n')
    package(tmp_path / "evals", "  - {id: holds, run: ['true'], checks: [{exit: 0}]}\n", name="evals")
    _, report = built(tmp_path, capsys)
    targets = [each["target"] for each in report["packages"][0]["stages"]]  # type: ignore[index]
    assert targets == ["./evals:unit-tests"]
    assert main(["build", "./evals:unit-tests", "-C", str(tmp_path), "-q"]) == 0


def test_without_git_and_manifest_a_named_package_is_built_with_the_store_of_the_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package(tmp_path / "count", "  - {id: fails, run: ['false'], checks: [{exit: 0}]}\n")
    _, report = built(tmp_path, capsys)
    shown = report["packages"][0]["next_command"].split()[1:]  # type: ignore[index]
    assert main([word.strip("'") for word in shown]) == 0
    assert not (tmp_path / "count" / ".selftune").exists()


def test_a_plan_names_the_cases_and_counts_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = package(tmp_path / "count", PREPARED + "  - {id: other, run: ['true'], checks: [{exit: 0}]}\n")
    _, report = built(root, capsys, "--dry-run")
    [stage] = [each for each in report["packages"][0]["stages"] if each["target"].endswith("unit-tests")]  # type: ignore[index]
    assert (stage["run"], stage["cases"]) == (2, ["prepared", "other"])
    main(["build", "-C", str(root), "--dry-run"])
    assert "count:unit-tests has to run prepared, other:" in capsys.readouterr().out
