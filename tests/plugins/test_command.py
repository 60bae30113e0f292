"""`selftune plugins`: list, info, new."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from selftune_build.__main__ import main
from selftune_build.plugins.kinds import API_VERSION, Kind
from selftune_build.plugins.scaffold import distribution_files
from selftune_build.testing import SkillWorkspace


def test_the_list_names_every_plugin_with_version_and_ids_by_kind(with_example: SkillWorkspace) -> None:
    text = with_example.run("plugins", "list").stdout
    assert "selftune-build (built in)\n  agent    embedded, command\n" in text
    assert "selftune-example 1.2.0\n  agent    echo\n  gate     enough-cases\n  check    ends-with/1\n" in text


def test_the_document_says_the_same(with_example: SkillWorkspace) -> None:
    document = with_example.run("plugins", "list", "--json").document
    assert (document["schema"], document["api"], document["exit_code"]) == ("selftune.plugins/1", API_VERSION, 0)
    example = next(each for each in document["plugins"] if each["name"] == "selftune-example")
    assert (example["name"], example["version"], example["built_in"]) == ("selftune-example", "1.2.0", False)
    assert {"kind": "agent", "id": "echo", "summary": "answers with the prompt"} in example["supplies"]


def test_info_shows_one_plugin_by_whatever_spelling_of_its_name(with_example: SkillWorkspace) -> None:
    finished = with_example.run("plugins", "info", "Selftune_Example")
    assert finished.status == 0
    assert "gate     enough-cases: there are enough cases" in finished.stdout
    assert "selftune_gates" in finished.stdout


def test_a_plugin_that_is_not_there_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "info", "selftune-nobody"]) == 2
    assert "there is no plugin 'selftune-nobody'" in capsys.readouterr().err


@pytest.mark.parametrize("kind", list(Kind), ids=str)
def test_a_new_plugin_is_a_complete_distribution(kind: Kind, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "new", "--kind", kind.value, "my-own", str(tmp_path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    root = tmp_path / f"selftune-{kind}-my-own"
    package = f"selftune_{kind}_my_own"
    assert document["written"] == sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    assert set(document["written"]) == {
        "README.md",
        "pyproject.toml",
        f"src/{package}/__init__.py",
        f"src/{package}/py.typed",
        "tests/conftest.py",
        "tests/test_conformance.py",
        "tests/test_installed.py",
        *(["example/SKILL.md", "example/evals/evals.yaml", "example/selftune.yaml"] if kind is Kind.GATE else []),
    }
    assert [path for path in root.rglob("*") if path.is_file() and re.search(r"\{\{\w+\}\}", path.read_text())] == []


@pytest.mark.parametrize("name", ["", "A", "1st", "a b", "a--b", "../x", "x" * 41, "ünï"])
def test_a_name_that_makes_no_distribution_is_refused_with_one_that_does(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plugins", "new", "--kind", "gate", name, str(tmp_path)]) == 2
    suggestion = capsys.readouterr().err.rpartition(" ")[2].strip()
    assert distribution_files(Kind.GATE, suggestion)
    assert list(tmp_path.iterdir()) == []


def test_a_plugin_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    assert main(["plugins", "new", "--kind", "gate", "mine", str(tmp_path)]) == 0
    (tmp_path / "selftune-gate-mine/README.md").write_text("my words")
    assert main(["plugins", "new", "--kind", "gate", "mine", str(tmp_path)]) == 2
    assert (tmp_path / "selftune-gate-mine/README.md").read_text() == "my words"
    assert main(["plugins", "new", "--kind", "gate", "mine", str(tmp_path), "--force"]) == 0
