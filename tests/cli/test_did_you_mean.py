"""A typo in a stage, an agent, a gate or a waiver is answered with what was meant and, in a file, with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selftune_build.__main__ import main


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["pdf:repaly"], "pdf:replay"),
        (["pdf:repaly[a]"], "pdf:replay[a]"),
        (["replya"], "replay"),
        (["pdff"], "pdf"),
        (["PDF"], "pdf"),
        (["Pdf:Replay"], "pdf:replay"),
        (["pdf:Replay"], "pdf:replay"),
        (["pdf/SKILL.md"], "pdf"),
        (["pdf", "--agent", "embeded"], "embedded"),
        (["pdf", "--agent", "huose"], "house"),
    ],
)
def test_a_typo_is_answered_with_what_was_meant(
    words: list[str], meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pdf").mkdir()
    (tmp_path / "pdf/SKILL.md").write_text("---\nname: pdf\ndescription: Fills forms.\n---\nFill.\n")
    agents = "version: 1\nagents: {house: {type: command, argv: [cat]}}\n"
    (tmp_path / "pdf/selftune.yaml").write_text(agents)
    monkeypatch.chdir(tmp_path)
    assert main(["build", *words]) in (2, 3)
    assert f"did you mean {meant!r}?" in capsys.readouterr().err


SKILL = "---\nname: pdf\ndescription: Fills forms.\n---\nFill.\n"
CASE = "format: selftune.unit-tests/1\ncases: [{id: fills, run: [python3, --version], checks: [{exit: 0}]}]\n"
WAIVER = 'version: 1\naccepted:\n  - target: "{}"\n    key: "sha256:00"\n    reason: known\n'


def written(folder: Path, own: str, above: str = "") -> Path:
    """A package with one unit test and this manifest, below a workspace with that one where one is given; its folder."""
    package = folder / "pdf" if above else folder
    (package / "tests").mkdir(parents=True)
    (package / "SKILL.md").write_text(SKILL)
    (package / "tests/unit.yaml").write_text(CASE)
    (package / "selftune.yaml").write_text(own)
    if above:
        (folder / "selftune.yaml").write_text(above)
    return folder


def built(folder: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, dict[str, Any]]:
    """Exit status and document of a build."""
    status = main(["build", "--json", *flags, "-C", str(folder)])
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("flags", [(), ("--locked",)])
@pytest.mark.parametrize(
    ("own", "above", "place"),
    [
        ("version: 1\ngates:\n  trigger-recal: {min: 0.5}\n", "", ("selftune.yaml", 3, "/gates/trigger-recal")),
        (
            "version: 1\n",
            "version: 1\nworkspace: {members: [pdf]}\ndefaults:\n  gates:\n    trigger-recal: {}\n",
            ("selftune.yaml", 5, "/defaults/gates/trigger-recal"),
        ),
    ],
)
def test_a_mistyped_gate_has_its_place_and_what_was_meant_and_is_told_once(
    own: str, above: str, place: tuple[str, int, str], flags: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path, own, above)
    built(folder, capsys)
    status, document = built(folder, capsys, *flags)
    (problem,) = document["packages"][0]["problems"]
    assert (status, problem["code"], problem["fix"]) == (3, "plugin-missing", "did you mean 'trigger-recall'?")
    assert (problem["path"], problem["line"], problem["pointer"]) == place
    assert main(["build", *flags, "-C", str(folder)]) == 3
    text = capsys.readouterr().out
    assert text.count("no plugin that may be loaded supplies this gate") == 1
    assert f"at {place[0]}:{place[1]} ({place[2]})" in text


@pytest.mark.parametrize(
    ("own", "place"),
    [
        ("version: 1\nagent: embeded\n", "selftune.yaml:2:8 (/agent)"),
        ("version: 1\nagent:\n  - embedded\n  - embeded\n", "selftune.yaml:4:5 (/agent/1)"),
        ("version: 1\njudge: embeded\n", "selftune.yaml:2:8 (/judge)"),
        ("version: 1\njudge: {agent: embeded}\n", "selftune.yaml:2:16 (/judge/agent)"),
    ],
)
def test_a_mistyped_agent_of_a_manifest_has_its_place(
    own: str, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "-C", str(written(tmp_path, own))]) == 3
    said = capsys.readouterr().err
    assert (f"  at {place}\n" in said, "did you mean 'embedded'?" in said) == (True, True)


def test_an_agent_that_was_mistyped_since_the_lock_was_written_is_told_where_it_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path, "version: 1\nagent: embedded\n")
    assert built(folder, capsys)[0] == 0
    (folder / "selftune.yaml").write_text("version: 1\nagent: embeded\n")
    status, document = built(folder, capsys, "--locked")
    (problem,) = [each for each in document["packages"][0]["problems"] if each["code"] == "agent-changed"]
    assert (status, problem["fix"]) == (1, "did you mean 'embedded'?")
    assert (problem["path"], problem["line"], problem["pointer"]) == ("selftune.yaml", 2, "/agent")


@pytest.mark.parametrize(
    ("target", "code", "meant"),
    [
        ("pdf:unit-test[fills]", "waiver-unknown", "did you mean 'pdf:unit-tests[fills]'?"),
        ("pdf:unit-tests[fils]", "waiver-unknown", "did you mean 'pdf:unit-tests[fills]'?"),
        ("pdf", "waiver-unknown", "write PACKAGE:STAGE[CASE], as reports do, or remove it"),
        ("pdf:unit-tests[gone]", "waiver-unknown", "remove it from `accepted:`"),
        (
            "pdf:unit-tests[fills]",
            "waiver-ended",
            "remove it from `accepted:`, or accept what is there today with `selftune lock accept`",
        ),
    ],
)
def test_a_waiver_that_holds_for_nothing_is_told_with_its_place_and_what_was_meant(
    target: str, code: str, meant: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, document = built(written(tmp_path, WAIVER.format(target)), capsys)
    (finding,) = [each for each in document["packages"][0]["findings"] if each["code"].startswith("waiver")]
    assert (status, finding["code"], finding["fix"]) == (0, code, meant)
    assert (finding["path"], finding["line"]) == ("selftune.yaml", 3)


def test_a_mistyped_format_of_a_report_is_answered_with_what_was_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", "-C", str(written(tmp_path, "version: 1\n")), "--report", "junti=x.xml"]) == 2
    assert "did you mean 'junit'?" in capsys.readouterr().err


def test_cases_that_are_not_shown_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path, "version: 1\n")
    cases = [{"id": f"fills-{number}", "run": ["python3", "--version"], "checks": [{"exit": 0}]} for number in range(9)]
    (folder / "tests/unit.yaml").write_text(json.dumps({"format": "selftune.unit-tests/1", "cases": cases}))
    assert main(["build", "pdf:unit-tests[zzz]", "-C", str(folder)]) == 2
    assert "its cases: fills-0, fills-1, fills-2, fills-3, fills-4 and 4 more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("checks", "message", "fix"),
    [
        ("[{file_exists: x}]", "unknown key `file_exists` in `checks`", "did you mean `file-exists`?"),
        ("{contains: x}", "expected a list, found a mapping", "write a list: begin each entry with `- `"),
    ],
)
def test_a_mistake_in_a_list_is_told_in_words_and_not_by_a_number(
    checks: str, message: str, fix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path, "version: 1\n")
    (folder / "evals").mkdir()
    (folder / "evals/evals.yaml").write_text(f"format: selftune.evals/1\ncases: [{{id: a, prompt: Fill, checks: {checks}}}]\n")
    status, document = built(folder, capsys)
    (problem,) = document["packages"][0]["problems"]
    assert (status, problem["message"].rpartition(" (")[0], problem["fix"]) == (2, message, fix)
