"""A SKILL.md that a merge left in two versions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selftune_build.__main__ import main

CONFLICT = "<<<<<<< HEAD\nSteam the milk.\n=======\nWarm the milk.\n>>>>>>> other\n"


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (CONFLICT, [6]),
        ("One.\n\n" + CONFLICT.partition("\n")[2], [11]),
        ("```\nmake\n```\n" + CONFLICT, [9]),
        ("A heading\n=======\n\nIt is like this:\n\n```text\n" + CONFLICT + "```\n", []),
    ],
)
def test_conflict_markers_outside_of_code_fail_the_spec(
    body: str, lines: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SELFTUNE_STORE", str(tmp_path / "store"))
    (tmp_path / "brew").mkdir()
    (tmp_path / "brew/SKILL.md").write_text(f"---\nname: brew\ndescription: Brews.\n---\n\n{body}")
    status = main(["build", "spec", "--json", "-C", str(tmp_path / "brew")])
    (package,) = json.loads(capsys.readouterr().out)["packages"]
    found = [finding["line"] for finding in package["findings"] if finding["code"] == "conflict-marker"]
    assert (status, found) == (1 if lines else 0, lines)
