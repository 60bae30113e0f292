"""`selftune eval generate` through the real command: a file to review, never over another, and a build that reads it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from selftune_build.__main__ import main
from selftune_build.engine.load import load_universe
from selftune_build.model.case import Case

DESCRIPTION = (
    "Sends parcels. Use when sending small parcels, when asked about postal rates, when the user wants a parcel label, "
    "or after losing a registered letter."
)
GENERATED = "evals/generated.yaml"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFTUNE_STORE", str(tmp_path / "store"))


def skill(folder: Path, *, name: str | None = None, description: str = DESCRIPTION, body: str = "Do it.") -> Path:
    folder.mkdir(parents=True)
    ascii_only = max(description, default="a") < "\U00010000"  # beyond it JSON writes two escapes, which YAML refuses
    quoted = json.dumps(description, ensure_ascii=ascii_only)
    frontmatter = f"name: {json.dumps(name or folder.name)}\ndescription: {quoted}"
    (folder / "SKILL.md").write_text(f"---\n{frontmatter}\n---\n\n{body}\n", encoding="utf-8")
    return folder


def workspace(folder: Path, *names: str) -> Path:
    for name in names:
        skill(folder / "skills" / name, description=DESCRIPTION.replace("parcel", name))
    (folder / "selftune.yaml").write_text('version: 1\nworkspace: {members: ["skills/*"]}\n')
    return folder


def generate(folder: Path, *more: str) -> int:
    return main(["eval", "generate", "-C", str(folder), *more])


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(capsys.readouterr().out)
    return parsed


def built(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The report on the one package of a folder."""
    capsys.readouterr()
    main(["build", "verify", "--json", "-C", str(folder)])
    (package,) = document(capsys)["packages"]
    return dict(package)


def read_back(folder: Path) -> list[Case]:
    """The cases that a build of the package would run."""
    (package,) = load_universe(folder).packages
    return list(package.evals)


def cases(report: dict[str, Any]) -> tuple[int, int]:
    return report["metrics"]["trigger_recall"]["n"], report["metrics"]["trigger_specificity"]["n"]


def test_a_package_without_cases_gets_some_and_builds_to_a_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = skill(tmp_path / "post")
    assert generate(package) == 0
    report = built(package, capsys)
    assert (report["verdict"], cases(report), report["findings"]) == ("pass", (5, 5), [])


def test_what_was_written_what_to_check_and_what_to_type_next_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = skill(tmp_path / "post")
    generate(package)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "wrote evals/generated.yaml: 10 cases, 5 should trigger post, 5 should not; 3 held out"
    assert lines[1].startswith("review each line: no model was asked, ")
    assert lines[2] == f"next: selftune build verify -C {package}"


def test_the_file_says_that_no_model_was_asked_and_what_its_prompts_flatter(tmp_path: Path) -> None:
    generate(skill(tmp_path / "post"))
    head = (tmp_path / "post" / GENERATED).read_text().split("cases:")[0]
    assert head.startswith("format: selftune.evals/1\n# Written by `selftune eval generate` from words alone")
    assert "No model was asked" in head
    assert "Prompts made from the description flatter trigger-recall" in head


def test_the_command_that_a_build_names_is_the_one_that_helps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = skill(tmp_path / "post")
    named = built(package, capsys)["next_command"]
    assert named == f"selftune eval generate post -C {package}"
    assert main(named.split()[1:]) == 0
    assert (package / GENERATED).exists()


def test_a_build_writes_no_evals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built(skill(tmp_path / "post"), capsys)
    assert not (tmp_path / "post" / "evals").exists()


def test_nothing_is_overwritten_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = skill(tmp_path / "post")
    generate(package)
    (package / GENERATED).write_text((package / GENERATED).read_text().replace("Use the post skill.", "Post it with post."))
    before = (package / GENERATED).read_bytes()
    assert generate(package, "post") == 2
    assert "--force" in capsys.readouterr().err
    assert (package / GENERATED).read_bytes() == before


def test_force_makes_the_same_file_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = skill(tmp_path / "post")
    generate(package)
    before = (package / GENERATED).read_bytes()
    (package / GENERATED).write_text("format: selftune.evals/1\ncases: []\n")
    capsys.readouterr()
    assert generate(package, "post", "--force", "--json") == 0
    assert document(capsys)["overwritten"] == [GENERATED]
    assert (package / GENERATED).read_bytes() == before


def test_without_a_name_only_packages_without_cases_are_written_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = workspace(tmp_path / "w", "letters", "parcels")
    (folder / "skills/letters/evals").mkdir()
    (folder / "skills/letters/evals/mine.json").write_text('[{"query": "send a letter", "should_trigger": true}]')
    assert generate(folder, "--json") == 0
    assert document(capsys)["written"] == [f"skills/parcels/{GENERATED}"]
    assert generate(folder) == 0
    assert "nothing to write" in capsys.readouterr().out


def test_named_packages_alone_are_written_for_and_keep_their_cases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = workspace(tmp_path / "w", "letters", "parcels")
    (folder / "skills/letters/evals").mkdir()
    (folder / "skills/letters/evals/mine.json").write_text('[{"query": "Use the letters skill.", "should_trigger": true}]')
    assert generate(folder, "letters", "--json") == 0
    assert document(capsys)["written"] == [f"skills/letters/{GENERATED}"]
    assert "Use the letters skill." not in (folder / "skills/letters" / GENERATED).read_text()


def test_siblings_of_a_workspace_are_what_a_package_is_confused_with(tmp_path: Path) -> None:
    folder = workspace(tmp_path / "w", "letters", "parcels")
    generate(folder)
    text = (folder / "skills/letters" / GENERATED).read_text()
    assert 'prompt: "Use the parcels skill."\n    should_trigger: false\n    tags: [generated, sibling, ' in text
    assert main(["build", "spec", "-C", str(folder)]) == 0


def test_without_a_workspace_manifest_there_are_no_siblings(tmp_path: Path) -> None:
    for name in ("letters", "parcels"):
        skill(tmp_path / "w" / name)
    generate(tmp_path / "w")
    assert "sibling, " not in (tmp_path / "w/letters" / GENERATED).read_text()


def test_a_manifest_that_leads_past_the_file_is_pointed_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = skill(tmp_path / "post")
    (package / "selftune.yaml").write_text("version: 1\nevals: [mine/*.json]\n")
    (package / "mine").mkdir()
    (package / "mine" / "a.json").write_text("[]")
    assert generate(package, "--json") == 0
    (found,) = document(capsys)["packages"]
    assert found["notes"] == ["its manifest leads a build past this file: name evals/generated.yaml in selftune.yaml"]


@pytest.mark.parametrize(("target", "said"), [("verify", "is a stage"), ("post:replay", "is a stage"), ("pots", "post")])
def test_targets_that_are_no_package_are_refused(
    target: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = skill(tmp_path / "post")
    assert generate(package, target) == 2
    assert said in capsys.readouterr().err
    assert not (package / "evals").exists()


def test_a_folder_without_a_skill_is_an_error_with_a_way_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate(tmp_path) == 2
    assert "selftune create init" in capsys.readouterr().err


def test_a_package_that_cannot_be_read_is_named_and_the_others_get_their_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = workspace(tmp_path / "w", "letters", "parcels")
    (folder / "skills/letters/selftune.yaml").write_text("version: [\n")
    assert generate(folder) == 2
    assert "skills/letters: cannot be read: " in capsys.readouterr().out
    assert (folder / "skills/parcels" / GENERATED).exists()


def test_a_folder_that_cannot_be_written_to_leaves_nothing_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = workspace(tmp_path / "w", "letters", "parcels")
    (folder / "skills/parcels/evals").write_text("a file\n")
    assert generate(folder) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not (folder / "skills/letters/evals").exists()


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    package = skill(tmp_path / "post")
    (tmp_path / "elsewhere").mkdir()
    os.symlink("../elsewhere", package / "evals")
    assert generate(package, "post") == 2
    assert list((tmp_path / "elsewhere").iterdir()) == []


HOSTILE = {
    "controls": "Sends.\x07 Use when\x1b[31m sending \u2028parcels\x85 by\ufeff ship, or when \u200bfaxing letters\u0000 home.",
    "directions": "Use when \u202esending parcels abroad\u202c, or when \u2066faxing old letters\u2069.",
    "right to left": "שולח חבילות. Use when asked to send חבילות קטנות abroad. استخدم عند إرسال الطرود.",
    "quotes": 'Use when a user says "send \\"it\\" now: please", or when {{filling}} in \'tax forms\' \\ # & *x | > % `a`.',
    "misread words": "Use when yes: no, when 2024-01-01 is null, when on: off 0x1F, or when ~ is true 1e3 .inf.",
    "yaml": "Use when - id: x, when sending --- parcels, when faxing ... letters, or when: [a, {b: c}] breaks parsers.",
    "no description": "",
    "a mebibyte": "Use when sending parcels, or when faxing letters. " * 20_000,
    "one word of a mebibyte": "Use when " + "a" * 1_000_000,
    "many cues": "Use when " * 100_000,
    "many parentheses": "Use when " + "(" * 100_000 + " sending parcels",
    "many quotes": "Use when \"sending' " * 50_000,
    "many links": "Use when [" * 100_000,
    "emoji": "Use when 🚀 launching 👩‍👩‍👧 family rockets 🎉, or when 🧯 fighting kitchen fires.",
}


@pytest.mark.parametrize("description", HOSTILE.values(), ids=HOSTILE.keys())
def test_whatever_a_description_holds_the_file_is_read_back_and_builds(
    description: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = skill(tmp_path / "post", description=description)
    assert generate(package, "--json") == 0
    (found,) = document(capsys)["packages"]
    assert len(read_back(package)) == found["cases"] > found["should_trigger"] >= 1
    report = built(package, capsys)
    assert [finding for finding in report["findings"] if finding.get("path") == GENERATED] == []
    assert {gate["id"] for gate in report["gates"] if gate["verdict"] == "fail"} <= {"spec"}


def test_a_skill_that_is_too_large_is_named_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = skill(tmp_path / "post", description="a" * 1_100_000)
    assert generate(package, "--json") == 2
    assert document(capsys)["unreadable"][0]["message"].startswith("the file is larger than ")
    assert not (package / "evals").exists()


@pytest.mark.parametrize("name", ["no", "null", "2024-01-01", "1.0", "\u202eabc", 'a"b', "café"])
def test_whatever_a_skill_is_called_its_file_is_read_back(name: str, tmp_path: Path) -> None:
    package = skill(tmp_path / "post", name=name)
    assert generate(package) == 0
    assert sum(case.should_trigger is True for case in read_back(package)) == 5
