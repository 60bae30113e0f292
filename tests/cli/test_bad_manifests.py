"""Every bad manifest of `tests/golden/bad` through the real command: file, line, pointer, remedy and exit status 2."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from selftune_build.__main__ import main

BAD = Path(__file__).parents[1] / "golden" / "bad"
FILES = sorted(BAD.glob("*.yaml"))
MANIFEST = "selftune.yaml"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFTUNE_STORE", str(tmp_path / "store"))


def package(folder: Path, file: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(f"---\nname: {folder.name}\ndescription: Does one thing.\n---\n\nDo it.\n")
    (folder / MANIFEST).write_bytes(file.read_bytes())
    return folder


def expected(file: Path, shown: str) -> tuple[str, str, str]:
    """Place, message and remedy as the golden text has them, with the manifest under the path that the command shows."""
    place, rest = file.with_suffix(".txt").read_text(encoding="utf-8").rstrip("\n").split(": ", 1)
    message, remedy = rest.rsplit(" / ", 1)
    return place.replace(file.name, shown, 1), message, remedy


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_command_names_place_and_remedy(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = package(tmp_path / "pdf", file)
    assert main(["build", "verify", "-C", str(folder)]) == 2
    captured = capsys.readouterr()
    place, message, remedy = expected(file, MANIFEST)
    assert captured.out == ""
    assert captured.err.splitlines() == [f"error: {message}", f"  at {place}", f"  fix: {remedy}"]
    assert sorted(path.name for path in folder.iterdir()) == ["SKILL.md", MANIFEST]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_json_says_the_same_in_one_document(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = package(tmp_path / "pdf", file)
    assert main(["build", "verify", "--json", "-C", str(folder)]) == 2
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    error = document["error"]
    place = f"{error['path']}:{error['line']}:{error['column']}" + (f" ({error['pointer']})" if error["pointer"] else "")
    assert captured.err == ""
    assert (document["ok"], document["exit_code"]) == (False, 2)
    assert (place, error["message"], error["fix"]) == expected(file, MANIFEST)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_in_a_workspace_the_other_packages_are_built_all_the_same(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package(tmp_path / "skills" / "bad", file)
    good = package(tmp_path / "skills" / "good", file)
    (good / MANIFEST).unlink()
    (tmp_path / MANIFEST).write_text('version: 1\nworkspace: {members: ["skills/*"]}\n')
    assert main(["build", "verify", "--json", "-C", str(tmp_path)]) == 2
    reports = {package["name"]: package for package in json.loads(capsys.readouterr().out)["packages"]}
    (problem,) = reports["bad"]["problems"]
    place, message, remedy = expected(file, f"skills/bad/{MANIFEST}")
    assert (problem["path"], problem["line"], problem["fix"]) == (*_path_and_line(place), remedy)
    assert problem["message"].startswith(message)
    assert [gate["verdict"] for gate in reports["good"]["gates"] if gate["id"] == "spec"] == ["pass"]


def _path_and_line(place: str) -> tuple[str, int]:
    path, line, *_ = place.split(" ")[0].split(":")
    return path, int(line)


@pytest.mark.parametrize("stem", ["alias-bomb", "not-utf-8", "unknown-nested-key"])
def test_the_installed_program_says_it_too(stem: str, tmp_path: Path) -> None:
    file = BAD / f"{stem}.yaml"
    folder = package(tmp_path / "pdf", file)
    command = [sys.executable, "-m", "selftune_build", "build", "-C", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    place, message, remedy = expected(file, MANIFEST)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.splitlines() == [f"error: {message}", f"  at {place}", f"  fix: {remedy}"]
