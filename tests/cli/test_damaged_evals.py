"""Eval files that were damaged after they had passed: a build never passes by what it no longer reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selftune_build.__main__ import main

CASE = "cases:\n  - id: a\n    prompt: Brew some coffee\n    should_trigger: true\n    checks:\n      - contains: Steam\n"
EVALS = "format: selftune.evals/1\n" + CASE
TESTS = "format: selftune.unit-tests/1\ncases:\n  - id: runs\n    run: [echo, hi]\n    checks:\n      - contains: hi\n"
BACK = {"evals/evals.yaml": EVALS, "tests/scripts.yaml": TESTS}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A package that was built."""
    monkeypatch.setenv("SELFTUNE_STORE", str(tmp_path / "store"))
    root = tmp_path / "brew"
    for path, text in {"SKILL.md": "---\nname: brew\ndescription: Brews coffee.\n---\n\nSteam the milk.\n", **BACK}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    main(["build", "-q", "-C", str(root)])
    capsys.readouterr()
    return root


def built(root: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = main([*(arguments or ("build",)), "-C", str(root)])
    said = capsys.readouterr()
    return status, " ".join((said.out + said.err).split())


@pytest.mark.parametrize(
    ("path", "text", "place"),
    [
        ("evals/evals.yaml", CASE, "evals/evals.yaml:6 "),
        ("evals/evals.yaml", EVALS.replace("format:", "fromat:"), "evals/evals.yaml:1 "),
        ("evals/evals.yaml", EVALS.replace("selftune.evals/1", "slftune.evals/1"), "evals/evals.yaml:1 "),
        ("evals/evals.yaml", EVALS.replace("format:", "kind:"), "evals/evals.yaml:1 "),
        (
            "evals/evals.yaml",
            "fromat: 1.0-ours\ncases:\n  - {id: a, prompt: Brew, should_trigger: true}\n",
            "evals/evals.yaml:1 ",
        ),
        ("evals/evals.yaml", "# nothing\n", "evals/evals.yaml:1 "),
        ("evals/evals.yaml", "", "evals/evals.yaml:1 "),
        ("evals/other.json", "", "evals/other.json:1 "),
        ("evals/evals.yaml", "cases:\n  - id: [a\n", "evals/evals.yaml:2 "),
        ("evals/other.json", '{"a":\n 1', "evals/other.json:2 "),
        ("tests/scripts.yaml", TESTS.partition("\n")[2], "tests/scripts.yaml:3 "),
        ("tests/scripts.yaml", TESTS.replace("format:", "fromat:"), "tests/scripts.yaml:1 "),
        ("tests/scripts.yaml", "", "tests/scripts.yaml:1 "),
    ],
)
def test_a_damaged_file_is_bad_input_with_its_place_and_leaves_the_lock_alone(
    path: str, text: str, place: str, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = (package / "selftune.lock").read_bytes()
    (package / path).write_text(text)
    status, said = built(package, capsys)
    assert (status, place in said) == (2, True), said
    assert (package / "selftune.lock").read_bytes() == lock


@pytest.mark.parametrize("case", [{"checks": ["it steams"]}, {"checks": [{"name": "a", "check": "it steams"}]}, {}])
def test_files_of_others_are_read_as_before(case: dict[str, object], package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = {"platform": "any", "evals": [{"id": 1, "prompt": "Brew some coffee", "should_trigger": True, **case}]}
    (package / "evals/evals.json").write_text(json.dumps(suite))
    assert built(package, capsys, "build", "spec")[0] == 0
