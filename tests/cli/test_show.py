"""`selftune show`: one case whole, whatever strangers wrote into it, and nothing changes by looking."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.property.kitchen import kitchen
from tests.property.workspace import CHECKOUT, Workspace

SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "schemas/selftune-show-1.json").read_text())

POUR = """\
import pathlib, sys
pathlib.Path('cup.txt').write_text('black coffee\\n')
pathlib.Path('photo.png').write_bytes(b'\\x89PNG\\x00\\xff')
print('poured')
print('spilt a little', file=sys.stderr)
sys.exit(3)
"""
LOUD = """\
import json, pathlib, sys
request = json.load(sys.stdin)
folder = pathlib.Path(request['workspace'])
(folder / 'raw.bin').write_bytes(bytes(range(256)))
(folder / 'evil\\x1b[2J.txt').write_text('\\x1b]0;owned\\x07' + 'x' * 9000 + '\\n' * 90)
output = '\\x1b[2Jfirst\\u202e\\r\\n' + 'y' * 9000 + '\\n' + 'line\\n' * 200
call = {'name': 'Bash\\x1b', 'input': {'command': 'a\\x1b[2J' + 'z' * 9000}}
answer = {'output': output, 'skills_used': ['brew', '\\x1b[31m'], 'files_read': [], 'tool_calls': [call] * 60}
print(json.dumps({**answer, 'usage': None, 'model': 'm\\x07', 'error': None}))
"""


def shown(workspace: Workspace, *arguments: str) -> tuple[int, list[str]]:
    """Exit status and lines of the text; every line can be printed."""
    status, stdout, stderr = workspace.selftune("show", *arguments, "-C", str(workspace.root))
    assert stderr == ""
    lines = stdout.split("\n")
    assert [line for line in lines if not line.isprintable()] == []
    return status, lines


def parsed(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    """The only case of the JSON, which satisfies its schema."""
    status, stdout, stderr = workspace.selftune("show", *arguments, "--json", "-C", str(workspace.root))
    assert stderr == ""
    document = json.loads(stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["exit_code"] == status
    (case,) = document["cases"]
    return dict(case)


def refused(workspace: Workspace, *arguments: str) -> dict[str, Any]:
    """The error that was given as JSON with exit status 2."""
    status, stdout, _ = workspace.selftune("show", *arguments, "--json", "-C", str(workspace.root))
    document = json.loads(stdout)
    assert (status, document["exit_code"]) == (2, 2)
    return dict(document["error"])


def between(lines: list[str], head: str) -> list[str]:
    """The quoted lines below a label."""
    rest = lines[lines.index(head) + 1 :]
    quoted = head[: len(head) - len(head.lstrip())] + "  | "
    return [line.removeprefix(quoted) for line in rest[: next(i for i, line in enumerate(rest) if not line.startswith(quoted))]]


@pytest.fixture
def scripted(built: Workspace) -> Workspace:
    """A kitchen whose brew has a script that does not do what its unit test asks for."""
    built.write("brew/scripts/pour.py", POUR)
    checks = [{"contains": "poured"}, {"exit": 0}, {"file-contains": {"path": "cup.txt", "text": "milk"}}]
    case = {"id": "pours", "run": ["python3", "scripts/pour.py"], "checks": checks}
    built.write("brew/tests/unit.yaml", json.dumps({"format": "selftune.unit-tests/1", "cases": [case]}))
    assert built.build().status == 1
    return built


def test_a_replayed_case_has_prompt_transcript_reads_and_checks(built: Workspace) -> None:
    status, lines = shown(built, "brew:replay[latte]")
    assert (status, lines[0]) == (0, "brew:replay[latte]  with_skill, agent house (simulated)")
    assert lines[1].startswith("  from brew/evals/evals.yaml:14:")
    assert between(lines, "  prompt:") == ["Pour coffee with milk"]
    assert "Steam the milk." in between(lines, "    output:")
    for line in (
        "  lock: n 1, triggered 1, passed 1",
        "  depends on brew:body, brew:file:references/milk.md",
        "    skills used: brew",
        "    files read: .agents/skills/brew/SKILL.md, .agents/skills/brew/references/milk.md",
        "    served by ledger-1",
        '    held: contains "Steam"',
        "    held: should trigger",
    ):
        assert line in lines


def test_a_baseline_is_shown_with_the_check_that_failed_without_the_skill(built: Workspace) -> None:
    status, lines = shown(built, "brew:baseline[latte]")
    assert (status, lines[0]) == (0, "brew:baseline[latte]  without_skill, agent house (simulated)")
    assert '    failed: contains "Steam"' in lines
    assert not any("should trigger" in line for line in lines if line.startswith("    "))


def test_a_script_is_shown_with_status_stderr_and_the_files_that_it_left(scripted: Workspace) -> None:
    status, lines = shown(scripted, "brew:unit-tests[pours]")
    assert (status, "  runs python3 scripts/pour.py" in lines, "    exit status 3" in lines) == (0, True, True)
    assert between(lines, "    output:") == ["poured"]
    assert between(lines, "    stderr:") == ["spilt a little"]
    assert between(lines, "    left cup.txt (13 bytes)") == ["black coffee"]
    assert between(lines, "    left photo.png (6 bytes)") == []
    marks = [line.strip().partition(":")[0] for line in lines if line.startswith(("    held", "    failed"))]
    assert marks == ["held", "failed", "failed"]
    assert not any("skills used" in line for line in lines)


def test_a_build_that_ran_everything_and_failed_names_the_case_to_look_at(scripted: Workspace) -> None:
    scripted.write("brew/scripts/pour.py", POUR + "# once more\n")
    done = scripted.build()
    assert (done.states["brew:unit-tests"], done.package("brew")["next_command"]) == (
        "built",
        f"selftune show 'brew:unit-tests[pours]' -C {scripted.root}",
    )


def test_a_failed_check_has_its_evidence(scripted: Workspace) -> None:
    checks = parsed(scripted, "brew:unit-tests[pours]")["samples"][0]["checks"]
    assert [check["held"] for check in checks] == [True, False, False]
    assert "3" in checks[1]["evidence"]
    assert checks[2]["evidence"]


def test_json_has_bytes_that_are_no_text_in_base64(scripted: Workspace) -> None:
    case = parsed(scripted, "brew:unit-tests[pours]")
    files = {file["path"]: file for file in case["samples"][0]["files"]}
    assert files["cup.txt"]["content"] == "black coffee\n"
    assert base64.b64decode(files["photo.png"]["content_base64"]) == b"\x89PNG\x00\xff"
    assert (case["arm"], case["run"], case["samples"][0]["exit_status"]) == ("script", ["python3", "scripts/pour.py"], 3)


def test_json_of_an_agent_case_has_what_the_lock_counts(built: Workspace) -> None:
    case = parsed(built, "brew:replay[latte]")
    row = built.rows("brew")["latte"]["with_skill"]
    assert case["row"] == {name: value for name, value in row.items() if name != "seal"}
    (sample,) = case["samples"]
    assert (sample["counts"], sample["activated"], sample["index"]) == (True, True, 0)
    assert sample["observed"] == ["brew:body", "brew:file:references/milk.md"]


def test_several_cases_are_shown_in_one_go(built: Workspace) -> None:
    status, lines = shown(built, "brew:replay[latte]", "brew:baseline[latte]", "bake:replay[loaf]")
    heads = [line.partition("  ")[0] for line in lines if ", agent house" in line]
    assert (status, sorted(heads)) == (0, ["bake:replay[loaf]", "brew:baseline[latte]", "brew:replay[latte]"])


def test_nothing_raw_reaches_the_terminal_and_long_texts_are_cut(tmp_path: Path) -> None:
    workspace = kitchen(tmp_path / "workspace", tmp_path / "ledger")
    workspace.write("tools/agent.py", LOUD)
    workspace.build()
    status, lines = shown(workspace, "brew:replay[latte]")
    text = "\n".join(lines)
    assert status == 0
    for piece in (
        "\\x1b[2Jfirst\\u202e\\r",
        "brew, \\x1b[31m",
        "called Bash\\x1b",
        "served by m\\x07",
        "left evil\\x1b[2J.txt",
        "left raw.bin (256 bytes)",
    ):
        assert piece in text, piece
    assert max(map(len, lines)) < 2100
    assert "      | … 162 more lines (-v shows all)" in lines
    assert "    and 20 more calls (-v shows all)" in lines
    assert len(lines) < 200
    _, whole = shown(workspace, "brew:replay[latte]", "-v")
    assert len([line for line in whole if line.endswith("| line")]) == 200
    files = {file["path"]: file for file in parsed(workspace, "brew:replay[latte]")["samples"][0]["files"]}
    assert base64.b64decode(files["raw.bin"]["content_base64"]) == bytes(range(256))
    assert files["evil\x1b[2J.txt"]["content"].startswith("\x1b]0;owned\x07xxx")


def test_a_stale_case_says_why_and_that_its_samples_are_of_an_earlier_text(noted: Workspace) -> None:
    noted.edit("brew/references/milk.md", "Steam", "Warm")
    status, lines = shown(noted, "brew:replay[latte]")
    assert status == 0
    assert "  stale: brew:file:references/milk.md changed, and a sample had observed it" in lines
    assert "  sample 0, of an earlier text: it does not count today" in lines
    case = parsed(noted, "brew:replay[latte]")
    assert (case["row"], [sample["counts"] for sample in case["samples"]]) == (None, [False])
    assert [reason["code"] for reason in case["reasons"]] == ["observed-changed"]


def test_a_case_without_a_sample_says_which_command_takes_one(built: Workspace) -> None:
    built.remove_store()
    status, lines = shown(built, "brew:replay[latte]")
    assert status == 3
    assert "  lock: n 1, triggered 1, passed 1" in lines
    following = f"selftune build 'brew:replay[latte]' --resample 1 -C {built.root}"
    assert f"  no sample of it is in this store; next: {following}" in lines
    assert parsed(built, "brew:replay[latte]")["samples"] == []


def test_the_next_command_can_be_pasted_whatever_the_case_is_called(built: Workspace) -> None:
    built.evals("brew", [{"id": "it's; rm -rf ~", "prompt": "Make coffee", "should_trigger": True}])
    status, lines = shown(built, "brew:replay[it's; rm -rf ~]")
    assert status == 3
    following = f"selftune build 'brew:replay[it'\"'\"'s; rm -rf ~]' -C {built.root}"
    assert f"  no sample of it is in this store; next: {following}" in lines


def test_an_unknown_case_is_refused_with_the_names_that_are_near(built: Workspace) -> None:
    assert refused(built, "brew:replay[late]")["fix"] == "like it: latte"
    assert refused(built, "brew:replay[zzzz]")["fix"] == "its cases: black, latte, song"
    assert refused(built, "brwe:replay[latte]")["fix"] == "did you mean 'brew'?"


@pytest.mark.parametrize("target", ["brew", "brew:replay", "replay"])
def test_whatever_is_no_case_is_refused(built: Workspace, target: str) -> None:
    assert refused(built, target)["message"] == "show takes one case"


def test_a_case_that_a_stage_does_not_have_is_refused(built: Workspace) -> None:
    assert "no such row" in refused(built, "brew:baseline[song]")["message"]
    assert "has no case" in refused(built, "brew:unit-tests[latte]")["message"]
    assert "no cases of its own" in refused(built, "brew:spec[latte]")["message"]


def test_a_package_that_cannot_be_read_is_an_error_and_not_an_empty_page(built: Workspace) -> None:
    built.write("bake/selftune.yaml", "version: 1\nsampels: {min: 3}\n")
    error = refused(built, "bake:replay[loaf]")
    assert (Path(error["path"]).name, error["line"]) == ("selftune.yaml", 2)
    status, _, stderr = built.selftune("show", "bake:replay[loaf]", "-C", str(built.root / "brew"))
    assert (status, "at bake/selftune.yaml:2" in stderr) == (2, True)


def test_looking_asks_nobody_and_writes_nothing(scripted: Workspace) -> None:
    scripted.edit("brew/SKILL.md", "Grind the beans.", "Grind them.")
    calls = len(scripted.lines())

    def everything() -> dict[str, tuple[int, bytes | None]]:
        paths = sorted(scripted.root.rglob("*"))
        return {str(path): (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else None) for path in paths}

    before = everything()
    for target in ("brew:replay[latte]", "brew:baseline[latte]", "brew:unit-tests[pours]"):
        shown(scripted, target)
        parsed(scripted, target)
    assert everything() == before
    assert len(scripted.lines()) == calls
    scripted.remove_store()
    shown(scripted, "brew:replay[latte]")
    assert not (scripted.root / ".selftune").exists()


def test_a_command_of_a_check_is_not_run_where_that_is_refused(built: Workspace, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    built.write("brew/grade.py", f"open({str(mark)!r}, 'w')\n")
    checks = [{"command": {"run": ["python3", "grade.py"]}}]
    built.evals("brew", [{"id": "black", "prompt": "Make strong coffee", "should_trigger": True, "checks": checks}])
    built.build()
    mark.unlink()
    _, lines = shown(built, "brew:replay[black]", "--no-exec")
    assert "    not measured: command python3 grade.py" in lines
    assert not mark.exists()
    _, lines = shown(built, "brew:replay[black]")
    assert "    held: command python3 grade.py" in lines
    assert mark.exists()
