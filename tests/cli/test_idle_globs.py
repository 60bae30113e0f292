"""Patterns of a manifest that fit nothing are said so, with the place where they stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selftune_build.__main__ import main

CASE = '[{"query": "fill in a form", "should_trigger": true}]'


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFTUNE_STORE", str(tmp_path / "store"))


def package(folder: Path, manifest: str = "") -> Path:
    for path, text in (
        ("SKILL.md", "---\nname: pdf\ndescription: Fills in forms.\n---\n\nDo it.\n"),
        ("evals/evals.json", CASE),
        ("notes/a.md", "a\n"),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    if manifest:
        (folder / "selftune.yaml").write_text(f"version: 1\n{manifest}\n")
    return folder


def idle(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str, int]]:
    """Severity, message and line of the findings on patterns."""
    main(["build", "spec", "--json", "-C", str(folder)])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    found = [each for package in document["packages"] for each in package["findings"] if each["code"] == "manifest-glob-idle"]
    return [(each["severity"], each["message"], each["line"]) for each in found]


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ('exclude: ["note/**"]', "`note/**` fits no file, so it excludes nothing"),
        ('evals: ["eval/*.json"]', "`eval/*.json` fits no file, so it adds no eval files"),
        ('unit_tests: ["tests/*.yaml"]', "`tests/*.yaml` fits no file, so it adds no unit tests"),
        ('evals: ["evals/*"]\nexclude: ["evals/**"]', "`evals/*` fits no file, so it adds no eval files"),
    ],
)
def test_a_pattern_that_fits_nothing_is_a_warning(
    manifest: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert idle(package(tmp_path / "pdf", manifest), capsys) == [("warning", message, 2)]


@pytest.mark.parametrize("pattern", ["notes/**", "notes", "notes/*.md", "**/a.md"])
def test_a_pattern_that_excludes_something_is_in_order(pattern: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert idle(package(tmp_path / "pdf", f'exclude: ["{pattern}"]'), capsys) == []


def test_two_patterns_for_the_same_file_are_both_of_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert idle(package(tmp_path / "pdf", 'exclude: ["notes/*.md", "**/a.md"]'), capsys) == []


def test_only_the_idle_one_of_several_patterns_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = package(tmp_path / "pdf", 'exclude:\n  - "notes/**"\n  - "drafts/**"')
    assert idle(folder, capsys) == [("warning", "`drafts/**` fits no file, so it excludes nothing", 4)]


def test_a_default_of_the_workspace_may_fit_nothing_in_one_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package(tmp_path / "skills" / "pdf")
    defaults = '{exclude: ["drafts/**"], unit_tests: ["tests/*.yaml"], evals: ["evals/evals.json", "evals/more.json"]}'
    (tmp_path / "selftune.yaml").write_text(f'version: 1\nworkspace: {{members: ["skills/*"]}}\ndefaults: {defaults}\n')
    assert idle(tmp_path, capsys) == []


@pytest.mark.parametrize("key", ["evals", "unit_tests"])
def test_a_file_that_is_named_and_not_there_is_bad_input(key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = package(tmp_path / "pdf", f"{key}: [evals/gone.json]")
    assert main(["build", "--json", "-C", str(folder)]) == 2
    (report,) = json.loads(capsys.readouterr().out)["packages"]
    (problem,) = report["problems"]
    assert problem["message"].startswith("there is no file `evals/gone.json` in the package")
    assert (problem["path"], problem["line"], problem["code"]) == ("selftune.yaml", 2, "bad-input")
