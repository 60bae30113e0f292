"""Shapes that public skill folders really have, in small files of our own, through the real command and without a manifest."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from selftune_build.__main__ import main

SKILL = "---\nname: pdf\ndescription: Fills in forms. Use when a form has to be filled in.\n---\n\nDo it.\n"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFTUNE_STORE", str(tmp_path / "store"))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A clone with one skill and no manifest."""
    (tmp_path / "clone" / ".git").mkdir(parents=True)
    folder = tmp_path / "clone" / "skills" / "pdf"
    put(folder, "SKILL.md", SKILL)
    return folder


def put(folder: Path, path: str, content: str | bytes) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)


def body(text: str) -> str:
    return SKILL.replace("Do it.", text)


def build(folder: Path, capsys: pytest.CaptureFixture[str], *, status: int = 3) -> dict[str, Any]:
    """The report on the one package; text and plan must end alike, and nobody is shown a traceback."""
    for more in ((), ("--dry-run",)):
        assert main(["build", "verify", "-C", str(folder), *more]) == status
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
    assert main(["build", "verify", "--json", "-C", str(folder)]) == status
    (report,) = json.loads(capsys.readouterr().out)["packages"]
    return dict(report)


def findings(report: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Severity and message by code."""
    return {found["code"]: (found["severity"], found["message"]) for found in report["findings"]}


def test_a_skill_without_cases_is_inconclusive_and_passes_its_spec(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = build(package, capsys)
    assert (report["verdict"], report["gates"][0]["verdict"], report["findings"]) == ("inconclusive", "pass", [])


def test_the_report_says_why_nothing_was_decided(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["build", "verify", "-C", str(package)])
    assert "inconclusive: pdf has no case, so nothing about an agent was measured" in capsys.readouterr().out.splitlines()


def test_of_many_next_commands_the_first_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(8):
        folder = tmp_path / "skills" / f"form-{number}"
        put(folder, "SKILL.md", SKILL.replace("name: pdf", f"name: form-{number}"))
        put(folder, "evals/evals.json", '[{"query": "boil an egg", "should_trigger": true}]')
    main(["build", "verify", "-C", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("next: ")]) == 5
    assert "  and 3 more commands (--json has them all)" in lines


def test_links_to_commands_of_a_host_are_no_files(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(package, "SKILL.md", body("Else use [planner](/acme:planner), then [commit](/commit)."))
    assert findings(build(package, capsys)) == {}


def test_a_link_from_the_root_of_the_repository_leads_out(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(package, "SKILL.md", body("Why: [decision](/docs/adr/0001-forms.md)."))
    assert findings(build(package, capsys))["reference-escapes"][0] == "warning"


def test_example_names_in_code_are_only_a_note(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(package, "SKILL.md", body("Prefer relative paths (`scripts/foo.py`, `references/bar.md`)."))
    found = build(package, capsys)["findings"]
    assert [each["message"] for each in found] == [
        "`scripts/foo.py` is named and not in the package",
        "`references/bar.md` is named and not in the package",
    ]
    assert {each["severity"] for each in found} == {"note"}


def test_a_link_into_a_misspelled_folder_is_told_where_the_file_is(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(package, "SKILL.md", body("See [references/api.md](reference/api.md)."))
    put(package, "references/api.md", "# API\n")
    (found,) = build(package, capsys)["findings"]
    assert (found["code"], found["fix"]) == ("reference-missing", "did you mean `references/api.md`?")


def test_a_dangling_link_says_where_it_leads(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.symlink("../../.windsurf/plan.md", package / "plan.md")
    report = build(package, capsys, status=1)
    message = "the link leads to `../../.windsurf/plan.md`, which is not there"
    assert findings(report) == {"link-dangling": ("error", message)}


def test_a_link_to_a_script_that_the_repository_shares_is_followed(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(package.parents[1], "shared/add.py", "print(1)\n")
    (package / "scripts").mkdir()
    os.symlink("../../../shared/add.py", package / "scripts" / "add.py")
    assert findings(build(package, capsys))["link-leaves-package"][0] == "warning"


def test_a_link_to_the_folder_it_lies_in_is_an_error_and_no_loop(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (package / "assets" / "templates").mkdir(parents=True)
    os.symlink("../templates", package / "assets" / "templates" / "templates")
    assert findings(build(package, capsys, status=1))["link-loop"][0] == "error"


def test_a_fragment_that_some_build_step_completes_has_no_frontmatter(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(package, "SKILL.md", "<!--flavour:start-->\nShorten it.\n<!--flavour:end-->\n")
    assert findings(build(package, capsys, status=1))["frontmatter-missing"][0] == "error"


def test_lists_in_brackets_under_metadata_are_findings_and_no_error(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(package, "SKILL.md", SKILL.replace("---\n\n", "metadata:\n  tags: [ux, ui]\n  argument-hint: <file>\n---\n\n"))
    found = findings(build(package, capsys))
    assert {code: severity for code, (severity, _) in found.items()} == {
        "metadata-value-not-scalar": "warning",
        "second-opinion": "warning",
    }
    assert "<unicode string>" not in found["second-opinion"][1]


def test_a_vendor_prefix_in_the_name_is_a_warning(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(package, "SKILL.md", SKILL.replace("name: pdf", "name: acme-pdf"))
    report = build(package, capsys)
    assert (report["name"], findings(report)["name-not-folder"][0]) == ("acme-pdf", "warning")


def test_suites_that_call_their_prompts_input_are_read(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [{"input": f"fill in form {number}", "should_trigger": True} for number in range(5)]
    put(package, "evals/evals.json", json.dumps({"evals": cases}))
    report = build(package, capsys, status=0)
    assert (report["metrics"]["trigger_recall"]["n"], report["findings"]) == (5, [])


def test_a_case_without_a_prompt_is_told_which_keys_it_has(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(package, "evals/evals.json", '{"evals": [{"id": "a", "task": "fill it in", "assertions": ["it is filled in"]}]}')
    severity, message = findings(build(package, capsys, status=1))["case-without-prompt"]
    assert (severity, message) == ("error", "the case cannot be used: it has no `prompt`, only `id`, `task`, `assertions`")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"name": "x", "threshold": 3}', "it holds a mapping with the keys `name`, `threshold`"),
        ('["a", "b"]', "it holds a list of texts"),
        ("[1, {}]", "it holds a list of mappings without a prompt and numbers"),
        ("{}", "it holds an empty mapping"),
        ("{ // none\n}", "JSON has no comments"),
        ("null", "it holds nothing"),
        ("3", "it holds a single value"),
    ],
)
def test_a_file_among_suites_that_is_none_is_named_with_the_reason(
    content: str, why: str, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(package, "evals/config.json", content)
    assert findings(build(package, capsys)) == {"eval-file-not-read": ("note", f"the file is not read as evals: {why}")}


def test_fixtures_that_a_case_brings_along_are_not_remarked_on(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [{"prompt": f"fill in form {number}", "should_trigger": True, "files": ["evals/form.json"]} for number in range(5)]
    put(package, "evals/evals.json", json.dumps({"evals": cases}))
    put(package, "evals/form.json", '{"field": 1}')
    put(package, "evals/files/other.json", '{"field": 2}')
    assert build(package, capsys, status=0)["findings"] == []


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (["evals/a/Prompt.md", "evals/a/graders/it.md"], "evals/ holds 2 files, which looks like evals of claude plugin eval,"),
        (["evals/a/task.md", "evals/a/criteria.json"], "evals/ holds 2 files, which looks like evals of Tessl,"),
        (["evals/results.tsv"], "evals/ holds 1 file,"),
    ],
)
def test_a_folder_of_evals_without_a_case_is_not_passed_over(
    paths: list[str], said: str, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in paths:
        put(package, path, "{}\n")
    severity, message = findings(build(package, capsys))["eval-file-not-read"]
    assert severity == "warning"
    assert message.startswith(said)


def test_a_repository_of_skills_is_built_from_its_root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = (".claude/skills/one", "plugins/x/skills/two", "skills/.system/three", "four")
    for folder in folders:
        put(tmp_path / folder, "SKILL.md", SKILL.replace("name: pdf", f"name: {Path(folder).name}"))
    put(tmp_path, "node_modules/y/SKILL.md", SKILL)
    assert main(["build", "verify", "--json", "-C", str(tmp_path)]) == 3
    assert {package["path"] for package in json.loads(capsys.readouterr().out)["packages"]} == set(folders)


def refusal(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Message and remedy where there is nothing to build."""
    for command in (["build", "verify", "--json", "-C", str(folder)], ["init", "--json", str(folder)]):
        assert main(command) == 2
        error = json.loads(capsys.readouterr().out)["error"]
    return error["message"], error["fix"]


def test_a_folder_without_any_skill_says_how_to_make_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message, fix = refusal(tmp_path, capsys)
    assert message == f"there is no skill (a folder with SKILL.md) in {tmp_path} or below it"
    assert fix.startswith("selftune create init ")


def test_a_skill_file_in_another_spelling_is_named(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (package / "SKILL.md").rename(package / "skill.md")
    assert refusal(package, capsys) == ("hosts read only a file spelled SKILL.md", "rename skill.md to SKILL.md")


def test_a_skill_file_that_is_no_file_is_named(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (package / "SKILL.md").unlink()
    os.mkfifo(package / "SKILL.md")
    assert refusal(package, capsys)[0] == "SKILL.md is not a regular file"
    (package / "SKILL.md").unlink()
    os.symlink("gone.md", package / "SKILL.md")
    assert refusal(package, capsys)[0] == "SKILL.md is a link that leads nowhere"


def test_a_skill_file_that_is_far_too_large_is_bad_input_with_the_remedy(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(package, "SKILL.md", SKILL + "a" * (1024 * 1024))
    report = build(package, capsys, status=2)
    (problem,) = report["problems"]
    assert (report["name"], problem["path"]) == ("pdf", "SKILL.md")
    assert problem["fix"] == "move long material to files under references/"


def test_a_byte_order_mark_is_told_how_to_get_rid_of(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(package, "SKILL.md", b"\xef\xbb\xbf" + SKILL.encode())
    (found,) = build(package, capsys, status=1)["findings"]
    assert (found["code"], found["fix"]) == ("ambiguous-frontmatter", "save the file as UTF-8 without a byte order mark")


def test_windows_line_ends_are_in_order(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(package, "SKILL.md", SKILL.replace("\n", "\r\n"))
    assert build(package, capsys)["findings"] == []
