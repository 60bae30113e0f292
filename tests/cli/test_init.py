"""`selftune init`: what is there is found, what is needed is written once, what is missing is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selftune_build.__main__ import main
from selftune_build.reading.workspace import find_workspace

SCRIPT = "if __name__ == '__main__':\n    print(1)\n"
TRIGGERS = '[{"query": "make it odd", "should_trigger": true}, {"query": "boil an egg", "should_trigger": false}]'


def skill(folder: Path, *, description: str = "Does one thing well. Use when the user asks for it.") -> Path:
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(f"---\nname: {folder.name}\ndescription: {description}\n---\n\nDo it.\n")
    return folder


def put(folder: Path, path: str, text: str) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text)


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def document(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["init", str(folder), "--json", *more]) == 0
    parsed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return parsed


def test_several_skills_become_a_workspace_whose_members_are_all_of_them(tmp_path: Path) -> None:
    for path in ("skills/pdf", "skills/csv", ".claude/skills/odd", "top"):
        skill(tmp_path / path)
    assert main(["init", str(tmp_path)]) == 0
    workspace = find_workspace(tmp_path)
    assert workspace.declared
    assert workspace.members == (".claude/skills/odd", "skills/csv", "skills/pdf", "top")


def test_a_skill_alone_needs_no_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = skill(tmp_path / "pdf")
    assert document(package, capsys)["written"] == [".gitattributes"]
    assert not (package / "selftune.yaml").exists()


def test_eval_files_in_unusual_places_are_named_in_a_manifest_of_the_package(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = skill(tmp_path / "odd")
    put(package, "evaluation/triggers.json", TRIGGERS)
    put(package, "evals/evals.json", '{"evals": [{"id": 1, "prompt": "make it even", "expectations": ["it is even"]}]}')
    put(package, "my-evals.yaml", "format: selftune.unit-tests/1\ncases: [{id: a, run: [python3, x.py], checks: [{exit: 0}]}]\n")
    answer = document(package, capsys)
    assert answer["written"] == [".gitattributes", "selftune.yaml"]
    assert (answer["packages"][0]["evals"], answer["packages"][0]["unit_tests"]) == (3, 1)
    manifest = (package / "selftune.yaml").read_text()
    assert '  - "evals/evals.json"\n  - "evaluation/triggers.json"\nunit_tests:\n  - "my-evals.yaml"\n' in manifest


@pytest.mark.parametrize("path", ["assets/evals.json", "references/eval/triggers.json", "data.json", "eval/broken.json"])
def test_material_of_a_skill_and_files_that_do_not_read_are_not_taken_for_evals(path: str, tmp_path: Path) -> None:
    package = skill(tmp_path / "odd")
    put(package, path, "{not json" if "broken" in path else TRIGGERS)
    assert main(["init", str(package)]) == 0
    assert not (package / "selftune.yaml").exists()


def test_a_second_run_writes_nothing_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    skill(tmp_path / "skills/pdf")
    put(skill(tmp_path / "skills/odd"), "eval/triggers.json", TRIGGERS)
    main(["init", str(tmp_path)])
    before = tree(tmp_path)
    capsys.readouterr()
    assert main(["init", str(tmp_path)]) == 0
    assert "nothing to write: everything is here already" in capsys.readouterr().out.splitlines()
    assert tree(tmp_path) == before


def test_attributes_of_git_grow_by_one_line_and_only_once(tmp_path: Path) -> None:
    package = skill(tmp_path / "pdf")
    put(package, ".gitattributes", "*.png binary")
    for _ in range(2):
        assert main(["init", str(package)]) == 0
    lines = (package / ".gitattributes").read_text().splitlines()
    assert lines[0] == "*.png binary"
    assert [line for line in lines if line.startswith("selftune.lock")] == ["selftune.lock text eol=lf linguist-generated=false"]


@pytest.mark.parametrize("line", ["selftune.lock -diff", "**/selftune.lock merge=ours", "/skills/pdf/selftune.lock text"])
def test_a_line_about_the_lock_that_somebody_wrote_stays_alone(line: str, tmp_path: Path) -> None:
    package = skill(tmp_path / "pdf")
    put(package, ".gitattributes", f"{line}\n")
    main(["init", str(package)])
    assert (package / ".gitattributes").read_text() == f"{line}\n"


def test_a_manifest_that_declares_no_workspace_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    skill(tmp_path / "skills/pdf")
    put(tmp_path, "selftune.yaml", "version: 1\n")
    before = tree(tmp_path)
    assert main(["init", str(tmp_path)]) == 2
    assert tree(tmp_path) == before
    assert "--force" in capsys.readouterr().err


def test_force_makes_the_workspace_manifest_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    skill(tmp_path / "skills/pdf")
    skill(tmp_path / "more/csv")
    put(tmp_path, "selftune.yaml", 'version: 1\nworkspace: {members: ["skills/*"]}\n')
    assert document(tmp_path, capsys, "--force")["overwritten"] == ["selftune.yaml"]
    assert find_workspace(tmp_path).members == ("more/csv", "skills/pdf")


def test_a_package_outside_the_members_is_pointed_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    skill(tmp_path / "skills/pdf")
    skill(tmp_path / "more/csv")
    put(tmp_path, "selftune.yaml", 'version: 1\nworkspace: {members: ["skills/*"]}\n')
    assert document(tmp_path, capsys)["not_members"] == ["more/csv"]
    assert find_workspace(tmp_path).members == ("skills/pdf",)


def test_evals_that_an_existing_manifest_does_not_name_are_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = skill(tmp_path / "pdf")
    put(package, "eval/triggers.json", TRIGGERS)
    put(package, "selftune.yaml", "version: 1\n")
    (found,) = document(package, capsys)["packages"]
    assert found["missing"][0] == {
        "message": "the manifest does not name eval/triggers.json",
        "fix": "add them under `evals:` in selftune.yaml",
    }
    assert (package / "selftune.yaml").read_text() == "version: 1\n"


def test_each_package_is_told_what_it_lacks_and_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = skill(tmp_path / "pdf")
    put(package, "scripts/a.py", SCRIPT)
    put(package, "scripts/b.py", SCRIPT)
    assert main(["init", str(package)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  missing: there are no evals, so nothing about an agent can be measured" in lines
    assert "  missing: nothing tests scripts/a.py and the other scripts" in lines
    assert lines[-1] == f"next: selftune eval generate -C {package}"
    put(package, "evals/evals.yaml", "format: selftune.evals/1\ncases: [{id: a, prompt: Fill it, should_trigger: true}]\n")
    assert main(["init", str(package)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"next: selftune build verify -C {package}"


def test_too_few_cases_of_a_kind_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(skill(tmp_path / "pdf"), "evals/triggers.json", TRIGGERS)
    (found,) = document(tmp_path / "pdf", capsys)["packages"]
    assert [lack["message"] for lack in found["missing"]] == [
        "only 1 case that should trigger the skill",
        "only 1 case that should leave it alone",
        "no cases with checks on the outcome",
    ]


def test_a_description_that_hosts_refuse_is_the_first_thing_to_mend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    skill(tmp_path / "pdf", description='""')
    (found,) = document(tmp_path / "pdf", capsys)["packages"]
    assert "description" in found["missing"][0]["message"]
    assert "SKILL.md" in found["missing"][0]["message"]


def test_a_package_that_was_just_created_lacks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["create", "init", "--name", "note-outline", "--description", "Outlines notes.", "-C", str(tmp_path)])
    (found,) = document(tmp_path / "note-outline", capsys)["packages"]
    assert found["missing"] == []
    assert (found["evals"], found["unit_tests"]) == (10, 3)


def test_a_package_that_cannot_be_read_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    skill(tmp_path / "skills/pdf")
    put(skill(tmp_path / "skills/bad"), "selftune.yaml", "version: [\n")
    answer = document(tmp_path, capsys)
    assert [package["path"] for package in answer["packages"]] == ["skills/pdf"]
    assert [package["path"] for package in answer["unreadable"]] == ["skills/bad"]


def test_without_any_skill_it_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path)]) == 2
    assert "fix: selftune create init --name" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_an_error_of_use(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "nowhere")]) == 2


def test_names_of_strangers_cannot_move_the_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "skills" / "e\x1b[2Jvil"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\nname: evil\ndescription: x\n---\n")
    main(["init", str(tmp_path)])
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err


def test_what_many_packages_lack_alike_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(30):
        put(skill(tmp_path / f"skills/quiet-{number}"), "scripts/a.py", SCRIPT)
    put(skill(tmp_path / "skills/tested"), "evals/triggers.json", TRIGGERS)
    skill(tmp_path / "skills/mute", description='""')
    assert main(["init", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 25
    assert "missing in 31 packages: evals" in lines
    assert "missing in 30 packages: unit tests of their scripts" in lines
    assert "30 more have neither evals nor unit tests and no fault" in lines
    assert [line for line in lines if line.startswith("skills/")] == [
        "skills/mute: mute, 0 evals, 0 unit tests",
        "skills/tested: tested, 2 evals, 0 unit tests",
    ]
