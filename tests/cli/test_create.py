"""`selftune create init`: a package that works, written whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from selftune_build.__main__ import main

FILES = [
    "SKILL.md",
    "assets/answer.md",
    "evals/evals.yaml",
    "evals/files/letter.txt",
    "evals/files/notes.md",
    "references/overview.md",
    "scripts/outline.py",
    "selftune.yaml",
    "tests/scripts.yaml",
    "workflows/default.md",
]


def create(folder: Path, *more: str, name: str = "note-outline", description: str = "Outlines notes.") -> int:
    return main(["create", "init", "--name", name, "--description", description, "-C", str(folder), *more])


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_new_package_has_every_part_of_a_skill(tmp_path: Path) -> None:
    assert create(tmp_path) == 0
    assert files_below(tmp_path / "note-outline") == FILES


def test_no_placeholder_is_left_in_any_file(tmp_path: Path) -> None:
    create(tmp_path)
    assert not [path for path in FILES if "{{" in (tmp_path / "note-outline" / path).read_text()]


def test_the_routing_table_leads_to_files_that_exist(tmp_path: Path) -> None:
    create(tmp_path)
    body = (tmp_path / "note-outline" / "SKILL.md").read_text()
    assert "| [workflows/default.md](workflows/default.md) |" in body
    assert "| [references/overview.md](references/overview.md) |" in body


@pytest.mark.parametrize("document", ["notes.md", "letter.txt"])
def test_the_script_prints_what_the_evals_expect(document: str, tmp_path: Path) -> None:
    create(tmp_path)
    package = tmp_path / "note-outline"
    command = [sys.executable, "scripts/outline.py", f"evals/files/{document}"]
    printed = subprocess.run(command, cwd=package, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    evals = (package / "evals/evals.yaml").read_text()
    assert f'contains: "{printed[0]}"' in evals
    assert f'contains: "{printed[1]}"' in evals


def test_the_description_survives_whatever_characters_it_has(tmp_path: Path) -> None:
    import yaml

    said = 'Says: "hello" # not a comment, {{name}}, naïve & [x]: 100 %'
    create(tmp_path, description=said)
    frontmatter = (tmp_path / "note-outline" / "SKILL.md").read_text().split("---\n")[1]
    assert yaml.load(frontmatter, Loader=yaml.BaseLoader) == {"name": "note-outline", "description": said}


def test_the_reference_validator_accepts_the_package(tmp_path: Path) -> None:
    from skills_ref import validate

    create(tmp_path, description='Says: "hello"')
    assert validate(tmp_path / "note-outline") == []


def test_an_existing_file_is_refused_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = tmp_path / "note-outline"
    (package / "scripts").mkdir(parents=True)
    (package / "scripts/outline.py").write_text("mine")
    assert create(tmp_path) == 2
    assert files_below(package) == ["scripts/outline.py"]
    assert (package / "scripts/outline.py").read_text() == "mine"
    message = capsys.readouterr().err
    assert "scripts/outline.py" in message
    assert "--force" in message


def test_force_replaces_its_own_files_and_leaves_the_others_alone(tmp_path: Path) -> None:
    package = tmp_path / "note-outline"
    create(tmp_path)
    (package / "SKILL.md").write_text("old")
    (package / "references/mine.md").write_text("mine")
    assert create(tmp_path, "--force") == 0
    assert (package / "SKILL.md").read_text().startswith("---\nname: note-outline\n")
    assert (package / "references/mine.md").read_text() == "mine"


def test_json_says_what_was_written_and_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create(tmp_path)
    capsys.readouterr()
    assert create(tmp_path, "--force", "--json") == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["written"] == FILES
    assert document["overwritten"] == FILES
    assert document["next_command"] == f"selftune build verify -C {tmp_path / 'note-outline'}"


@pytest.mark.parametrize("name", ["", "Note", "a_b", "-a", "a-", "a--b", "a" * 65, "näme", "../up", "a\n"])
def test_a_name_that_hosts_refuse_is_refused(name: str, tmp_path: Path) -> None:
    assert create(tmp_path, name=name) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_refused_name_comes_with_one_that_would_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create(tmp_path, name="My  Note_Outline!")
    assert "fix: --name my-note-outline" in capsys.readouterr().err


@pytest.mark.parametrize("description", ["", " \n ", "x" * 1025, "a\x1b[31mb", "cut --- here"])
def test_a_description_that_hosts_misread_is_refused(description: str, tmp_path: Path) -> None:
    assert create(tmp_path, description=description) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_failure_in_the_middle_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from selftune_build.errors import StoreError
    from selftune_build.scaffold import writing

    create(tmp_path)
    package = tmp_path / "note-outline"
    (package / "SKILL.md").write_text("mine")
    (package / "workflows/default.md").unlink()
    (package / "workflows").rmdir()
    real = writing.write_atomic

    def full_at_the_last(path: Path, content: bytes, **options: Any) -> None:
        if path.name == "default.md":
            raise StoreError("the disk is full")
        real(path, content, **options)

    monkeypatch.setattr(writing, "write_atomic", full_at_the_last)
    assert create(tmp_path, "--force") == 4
    assert (package / "SKILL.md").read_text() == "mine"
    assert not (package / "workflows").exists()


def test_a_failure_in_a_new_package_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from selftune_build.scaffold import writing

    real = writing.write_atomic

    def interrupted_at_the_last(path: Path, content: bytes, **options: Any) -> None:
        if path.name == "default.md":
            raise KeyboardInterrupt
        real(path, content, **options)

    monkeypatch.setattr(writing, "write_atomic", interrupted_at_the_last)
    assert create(tmp_path / "new") == 130
    assert list(tmp_path.iterdir()) == []


def test_a_link_out_of_the_folder_is_not_followed_even_with_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "note-outline").mkdir()
    os.symlink(elsewhere, tmp_path / "note-outline" / "scripts")
    assert create(tmp_path, "--force") == 2
    assert list(elsewhere.iterdir()) == []
    assert "is a symbolic link" in capsys.readouterr().err


def test_a_file_where_the_folder_should_be_is_an_error_of_use(tmp_path: Path) -> None:
    (tmp_path / "note-outline").write_text("a file")
    assert create(tmp_path, "--force") == 2
    assert (tmp_path / "note-outline").read_text() == "a file"


def test_without_a_verb_it_says_what_is_missing_in_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["create"]) == 2
    assert capsys.readouterr().err.splitlines() == ["error: Missing command.", "  fix: selftune create --help"]


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("meeting-minutes", "Turns raw notes of a meeting into minutes. Use when somebody pastes notes and wants minutes."),
        ("a", "x"),
        ("kaiyi", "将会议记录整理成纪要。当用户需要会议纪要时使用。"),
        ("count-words", "Counts words and sections. Use to count the words of a file or to list its sections."),
        ("translator", 'Translates "good morning" and other greetings into Norwegian.'),
        ("null", "The name is nothing to YAML."),
        ("yes", "The name is a boolean to some readers of YAML."),
        ("1e3", "The name is a number to some readers of YAML."),
        ("2026-01-01", "The name is a date to some readers of YAML."),
        ("x" * 64, "y " * 511 + "y"),
    ],
)
def test_a_new_package_passes_at_once_and_then_has_nothing_left_to_do(
    name: str, description: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SELFTUNE_STORE", str(tmp_path / "store"))
    create(tmp_path, name=name, description=description)
    build = ["build", "verify", "--json", "-C", str(tmp_path / name)]
    reports = []
    for _ in range(2):
        capsys.readouterr()
        assert main(build) == 0
        reports.append(json.loads(capsys.readouterr().out))
    first, second = reports
    assert first["spend"]["agent_calls"] == 15
    assert (second["spend"]["agent_calls"], second["spend"]["reused"]) == (0, 18)
    assert {stage["state"] for stage in second["packages"][0]["stages"]} == {"up-to-date"}
    assert second["packages"][0]["findings"] == []
    assert (tmp_path / name / "selftune.lock").is_file()
