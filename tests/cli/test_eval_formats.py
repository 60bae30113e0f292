"""`selftune eval list`, `import`, `convert` and `export` through the real command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from selftune_build.__main__ import main
from selftune_build.engine.load import load_universe
from selftune_build.model.case import Case

SKILL = "---\nname: {name}\ndescription: Fills in forms. Use when a form has to be filled in.\n---\n\nDo it.\n"
WAZA = """\
name: s
skill: pdf
version: "1"
config: {executor: mock, trials_per_task: 1, timeout_seconds: 30, model: m}
metrics: []
tasks: ["tasks/*.yaml"]
"""
TASK = """\
id: t1
name: t
inputs:
  prompt: |
    fill in the form

      with indented lines
  files: [{path: form.txt}, {path: photo.png}]
expected: {should_trigger: true, output_contains: [done]}
graders: [{name: g, type: code, config: {assertions: ["len(output) > 10"]}}]
"""
AWKWARD = "caf\u00e9 \U0001f600\t'\"\\ # : -"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SELFTUNE_STORE", str(tmp_path / "store"))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return put(tmp_path / "skills" / "pdf" / "SKILL.md", SKILL.format(name="pdf")).parent


def put(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def foreign(folder: Path) -> Path:
    """A waza suite with a task and fixtures, one of them no text."""
    put(folder / "eval.yaml", WAZA)
    put(folder / "tasks/t1.yaml", TASK)
    put(folder / "fixtures/form.txt", "a: \n")
    put(folder / "fixtures/photo.png", b"\x89PNG\x00\xff")
    return folder


def cases_of(package: Path) -> dict[str, Case]:
    (loaded,) = load_universe(package).packages
    return {case.id: case for case in loaded.evals}


def run(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> dict[str, Any]:
    """The JSON of a command that ends with this status."""
    assert main(["eval", *arguments, "--json"]) == status
    parsed: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert parsed.get("exit_code", status) == status
    return parsed


def test_list_shows_every_case_as_it_was_understood(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(
        package / "evals/t.json",
        '[{"query": "fill in", "should_trigger": true, "why": 1}, {"query": "cook", "should_trigger": false}]',
    )
    foreign(package / "evals/more")
    (shown,) = run(capsys, "list", "-C", str(package))["packages"]
    rows = {(case["format"], case["should_trigger"], len(case["checks"])) for case in shown["cases"]}
    assert rows == {("trigger-set", True, 0), ("trigger-set", False, 0), ("waza", True, 2)}
    assert {finding["code"] for finding in shown["findings"]} == {"eval-field-not-read", "check-not-supported"}
    (task,) = (case for case in shown["cases"] if case["format"] == "waza")
    assert (task["path"], task["files"]) == ("evals/more/tasks/t1.yaml", ["form.txt", "photo.png"])
    assert main(["eval", "list", "-C", str(package)]) == 0
    text = capsys.readouterr().out
    assert "pdf: 3 cases in trigger-set, waza: 2 should trigger, 1 should not, 1 have checks" in text
    assert "- not measured: checks of the shape `code` are not measured" in text
    assert "note: `why` is not read" in text


def test_list_names_a_package_that_cannot_be_read(tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(package / "evals/x.yaml", "format: selftune.evals/1\ncases: [{id: a}]\n")
    shown = run(capsys, "list", "-C", str(tmp_path / "skills"), status=2)
    assert [each["path"] for each in shown["unreadable"]] == ["pdf"]


def test_an_import_is_read_by_a_build_as_what_it_was(tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = foreign(tmp_path / "elsewhere")
    before = run(capsys, "list", "-C", str(package))["packages"][0]["cases"]
    assert before == []
    done = run(capsys, "import", str(suite), "-C", str(package))
    assert sorted(done["written"])[0] == "evals/imported.yaml"
    case = cases_of(package)["t1"]
    assert case.prompt == "fill in the form\n\n  with indented lines\n"
    assert {file.dest: file.content for file in case.files} == {"form.txt": b"a: \n", "photo.png": b"\x89PNG\x00\xff"}
    assert case.should_trigger is True
    assert [(check.kind, check.params) for check in case.checks] == [("contains", {"text": "done", "ignore-case": True})]
    text = (package / "evals/imported.yaml").read_text()
    assert "# waza: tasks/t1.yaml:1:1" in text
    assert "# not checked: `code`" in text


def test_an_import_never_replaces_a_file_without_being_told(
    tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = foreign(tmp_path / "elsewhere")
    mine = put(package / "evals/imported.yaml", "format: selftune.evals/1\ncases: []\n")
    assert main(["eval", "import", str(suite), "-C", str(package)]) == 2
    assert mine.read_text() == "format: selftune.evals/1\ncases: []\n"
    assert not (package / "evals/imported").exists()
    assert main(["eval", "import", str(suite), "-C", str(package), "--to", "evals/other.yaml"]) == 0
    assert main(["eval", "import", str(suite), "-C", str(package), "--force", "--to", "evals/other.yaml"]) == 0
    assert list(cases_of(package)) == ["t1"]
    capsys.readouterr()


@pytest.mark.parametrize(
    "prompt", [AWKWARD, f"two\n{AWKWARD}", "trailing \nspace", "\n leading", "end\n\n", "- a: b", "|", "'", "null"]
)
def test_every_text_survives_an_import(prompt: str, tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evals = [{"id": prompt.strip()[:20].replace("\n", " "), "prompt": prompt, "assertions": [prompt], "tags": [prompt.strip()]}]
    file = put(tmp_path / "evals.json", json.dumps(evals))
    assert main(["eval", "import", str(file), "-C", str(package)]) == 0
    ((_, case),) = cases_of(package).items()
    assert (case.prompt, case.checks[0].params) == (prompt, {"text": prompt})
    capsys.readouterr()


def test_a_text_that_our_format_refuses_is_left_out_and_named(
    tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = "see\u2028this"
    evals = [{"id": "a", "prompt": hidden, "assertions": ["x"]}, {"id": "b", "prompt": "p", "assertions": ["x", hidden]}]
    done = run(capsys, "import", str(put(tmp_path / "evals.json", json.dumps(evals))), "-C", str(package))
    assert [each["id"] for each in done["left_out"]] == ["a"]
    assert [check.params for check in cases_of(package)["b"].checks] == [{"text": "x"}]
    assert "# not checked: `sentence`" in (package / "evals/imported.yaml").read_text()


def test_what_cannot_be_asked_is_left_out_and_named(tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stimuli = [
        {"name": "talk", "turns": ["a", "b"], "graders": []},
        {"name": "one", "prompt": "p", "graders": [{"type": "tomorrow"}]},
    ]
    file = put(tmp_path / "x.yaml", yaml.safe_dump({"name": "s", "stimuli": stimuli}))
    done = run(capsys, "import", str(file), "-C", str(package), status=1)
    assert {each["id"] for each in done["left_out"]} == {"talk", "one"}
    assert "conversation of 2 turns" in str(done["findings"])
    assert "# left out: talk: it is a conversation of 2 turns" in (package / "evals/imported.yaml").read_text()
    assert cases_of(package) == {}


def test_paths_of_an_imported_suite_stay_inside_its_clone(
    tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clone = tmp_path / "clone"
    (clone / ".git").mkdir(parents=True)
    put(clone / "plugins/p/skills/pdf/SKILL.md", SKILL.format(name="pdf"))
    put(clone / "tests/fixture.txt", "inside")
    put(tmp_path / "secret.txt", "outside")
    os.symlink(tmp_path / "secret.txt", clone / "link.txt")
    sources = {"in": "../../../../tests/fixture.txt", "out": "../../../../../secret.txt", "link": "../../../../link.txt"}
    scenarios = [
        {"name": name, "prompt": "p", "rubric": ["It is so."], "setup": {"files": [{"path": "a.txt", "source": source}]}}
        for name, source in sources.items()
    ]
    file = put(clone / "plugins/p/skills/pdf/tests/eval.yaml", yaml.safe_dump({"scenarios": scenarios}))
    done = run(capsys, "import", str(file), "-C", str(package))
    assert {each["id"] for each in done["left_out"]} == {"out", "link"}
    assert [file.content for file in cases_of(package)["in"].files] == [b"inside"]


def test_a_file_in_no_known_format_is_refused(tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = put(tmp_path / "x.json", '{"a": 1}')
    assert main(["eval", "import", str(file), "-C", str(package)]) == 2
    assert main(["eval", "import", str(tmp_path / "none"), "-C", str(package)]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_ids_of_an_import_differ_from_those_that_are_there(
    tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(package / "evals/mine.yaml", "format: selftune.evals/1\ncases: [{id: t1, prompt: p, should_trigger: true}]\n")
    done = run(capsys, "import", str(foreign(tmp_path / "elsewhere")), "-C", str(package))
    assert "case-id-repeated" in {finding["code"] for finding in done["findings"]}
    assert len(cases_of(package)) == 2


def test_of_several_packages_one_is_named(tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path / "skills/xlsx/SKILL.md", SKILL.format(name="xlsx"))
    put(tmp_path / "skills/selftune.yaml", 'version: 1\nworkspace: {members: ["*"]}\n')
    suite = foreign(tmp_path / "elsewhere")
    assert main(["eval", "import", str(suite), "-C", str(tmp_path / "skills")]) == 2
    assert "--package" in capsys.readouterr().err
    run(capsys, "import", str(suite), "-C", str(tmp_path / "skills"), "--package", "xlsx")
    assert (tmp_path / "skills/xlsx/evals/imported.yaml").is_file()


NATIVE = """\
format: selftune.evals/1
cases:
  - id: fill
    prompt: fill in
    should_trigger: true
    files: [assets/form.txt, {dest: note.txt, content: hi}]
    setup: [[touch, a]]
    checks: [{sentence: It is polite.}, {contains: done}, {command: {run: [sh, -c, "true"]}}]
  - id: cook
    prompt: boil an egg
    should_trigger: false
"""


def test_a_conversion_to_evals_json_names_what_is_lost(tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(package / "assets/form.txt", "a")
    put(package / "evals/mine.yaml", NATIVE)
    out = tmp_path / "evals.json"
    done = run(capsys, "convert", "evals.json", "--out", str(out), "-C", str(package))
    written = json.loads(out.read_text())
    assert written["skill_name"] == "pdf"
    assert [(each["id"], each["name"]) for each in written["evals"]] == [(1, "fill"), (2, "cook")]
    assert written["evals"][0]["expectations"] == ["It is polite.", "The answer contains the text 'done'"]
    assert written["evals"][0]["files"] == ["assets/form.txt"]
    lost = " ".join(loss["message"] for loss in done["losses"] if loss["case"] == "fill")
    assert all(word in lost for word in ("note.txt", "set-up", "command sh -c true", "is a sentence for a judge there"))
    assert main(["eval", "convert", "evals.json", "--out", str(out), "-C", str(package)]) == 2
    assert main(["eval", "convert", "evals.json", "--out", str(out), "--force", "-C", str(package)]) == 0
    capsys.readouterr()


def test_a_trigger_set_comes_back_as_it_was_written(tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(package / "assets/form.txt", "a")
    put(package / "evals/mine.yaml", NATIVE)
    out = tmp_path / "set.json"
    done = run(capsys, "convert", "trigger-set", "--out", str(out), "-C", str(package))
    assert json.loads(out.read_text()) == [
        {"query": "fill in", "should_trigger": True},
        {"query": "boil an egg", "should_trigger": False},
    ]
    assert len([loss for loss in done["losses"] if "has no place there" in loss["message"] and "check" in loss["message"]]) == 3
    other = put(tmp_path / "other/SKILL.md", SKILL.format(name="other")).parent
    assert run(capsys, "import", str(out), "-C", str(other))["findings"] == []
    assert {(case.prompt, case.should_trigger) for case in cases_of(other).values()} == {
        ("fill in", True),
        ("boil an egg", False),
    }


AGENT = """\
import json, pathlib, sys
request = json.load(sys.stdin)
skills = [each['name'] for each in request['skills']]
pathlib.Path(request['workspace'], 'out.txt').write_text('left')
pathlib.Path(request['workspace'], 'deep').mkdir()
pathlib.Path(request['workspace'], 'deep', 'x.bin').write_bytes(b'\\x00\\xff')
usage = {'input_tokens': 100, 'output_tokens': 20 if skills else 5, 'cost_usd': 0}
calls = [{'name': 'Read', 'input': {}}] * 2
print(json.dumps({'output': 'done' if skills else 'no', 'skills_used': skills, 'files_read': [], 'tool_calls': calls,
                  'usage': usage, 'model': 'served-1', 'error': None}))
"""
MEASURED = """\
format: selftune.evals/1
cases:
  - id: fill
    prompt: fill in
    should_trigger: true
    checks: [{contains: done}, {sentence: It is polite.}, {file-exists: out.txt}]
  - {id: only triggers, prompt: boil an egg, should_trigger: false}
"""


@pytest.fixture
def exported(tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A workspace of skill-creator, made from a real build."""
    put(package / "agent.py", AGENT)
    house = "agents: {house: {type: command, argv: [python3, agent.py], free: true}}"
    put(package / "selftune.yaml", f"version: 1\nagent: house\n{house}\nsamples: {{min: 2, max: 2}}\n")
    put(package / "evals/mine.yaml", MEASURED)
    main(["build", "verify", "-C", str(package), "-q"])
    capsys.readouterr()
    done = run(capsys, "export", str(tmp_path / "ws"), "-C", str(package))
    assert done["samples"] == 6
    return tmp_path / "ws"


def load(path: Path) -> Any:
    return json.loads(path.read_text())


def test_an_export_has_the_folders_that_skill_creator_walks(exported: Path) -> None:
    files = {path.relative_to(exported).as_posix() for path in exported.rglob("*") if path.is_file()}
    run_files = {
        f"eval-1/{arm}/run-{number}/{name}"
        for arm in ("with_skill", "without_skill")
        for number in (1, 2)
        for name in ("grading.json", "timing.json", "outputs/response.md", "outputs/out.txt", "outputs/deep/x.bin")
    }
    assert files == run_files | {"eval-1/eval_metadata.json", "benchmark.json", "benchmark.md", "trigger_results.json"}
    assert load(exported / "eval-1/eval_metadata.json")["prompt"] == "fill in"


def test_a_grading_has_both_keys_and_nothing_unmeasured_in_them(exported: Path) -> None:
    grading = load(exported / "eval-1/without_skill/run-1/grading.json")
    assert grading["expectations"] == grading["assertion_results"]
    assert [set(each) for each in grading["expectations"]] == [{"text", "passed", "evidence"}] * 2
    assert [each["passed"] for each in grading["expectations"]] == [False, True]
    assert grading["summary"] == {"passed": 1, "failed": 1, "total": 2, "pass_rate": 0.5}
    assert "not measured" in grading["user_notes_summary"]["uncertainties"][0]
    assert grading["execution_metrics"]["tool_calls"] == {"Read": 2}
    assert "timing" not in grading  # their script would take the length of the answer for its tokens


def test_times_and_tokens_stand_in_a_file_of_their_own(exported: Path) -> None:
    timing = load(exported / "eval-1/with_skill/run-2/timing.json")
    assert timing["total_tokens"] == 120
    assert timing["duration_ms"] / 1000 == pytest.approx(timing["total_duration_seconds"])


def test_a_benchmark_has_everything_that_the_viewer_reads_without_asking(exported: Path) -> None:
    """Restated from its script: what is rewritten as text, subtracted, joined or rounded has to be of that type."""
    benchmark = load(exported / "benchmark.json")
    configurations = [key for key in benchmark["run_summary"] if key != "delta"]
    assert configurations == ["with_skill", "without_skill"]  # the first two are shown, the first as the one with the skill
    for configuration in configurations:
        for spread in benchmark["run_summary"][configuration].values():
            assert all(isinstance(spread[key], float) for key in ("mean", "stddev", "min", "max"))
    assert all(isinstance(value, str) and value[0] in "+-" for value in benchmark["run_summary"]["delta"].values())
    assert benchmark["run_summary"]["delta"]["pass_rate"] == "+0.50"
    assert isinstance(benchmark["metadata"]["evals_run"], list)
    for each in benchmark["runs"]:
        assert isinstance(each["configuration"], str)
        assert isinstance(each["eval_id"], int)
        assert isinstance(each["eval_name"], str)
        assert 0 <= each["result"]["pass_rate"] <= 1
        assert isinstance(each["result"]["time_seconds"], float)
        assert all(isinstance(one["text"], str) and isinstance(one["passed"], bool) for one in each["expectations"])
    assert (benchmark["metadata"]["runs_per_configuration"], benchmark["metadata"]["executor_model"]) == (2, "served-1")
    assert "the evidence is live" in benchmark["notes"]


def test_the_benchmark_for_people_has_the_same_numbers(exported: Path) -> None:
    text = (exported / "benchmark.md").read_text()
    assert "| Metric | With Skill | Without Skill | Delta |" in text
    assert "| Pass rate | 100% ± 0% | 50% ± 0% | +0.50 |" in text
    assert "| Tokens | 120.0 ± 0.0 | 105.0 ± 0.0 | +15 |" in text


def test_trigger_results_have_every_query_with_a_polarity(exported: Path) -> None:
    triggers = load(exported / "trigger_results.json")
    rows = {(each["query"], each["should_trigger"], each["triggers"], each["runs"], each["pass"]) for each in triggers["results"]}
    assert rows == {("fill in", True, 2, 2, True), ("boil an egg", False, 2, 2, False)}
    assert triggers["summary"] == {"total": 2, "passed": 1, "failed": 1}


def test_an_export_of_nothing_says_so_and_writes_nothing(
    tmp_path: Path, package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(package / "evals/mine.yaml", MEASURED)
    assert run(capsys, "export", str(tmp_path / "ws"), "-C", str(package), status=3)["written"] == []
    assert not (tmp_path / "ws").exists()


def test_the_real_script_of_skill_creator_counts_the_same(exported: Path) -> None:
    """With a checkout of anthropics/skills among the public repositories; the numbers of its own script are ours."""
    script = Path(os.environ.get("SELFTUNE_PUBLIC_EVALS", "none")) / "anthropics+skills/skills/skill-creator"
    if not script.is_dir():
        pytest.skip("SELFTUNE_PUBLIC_EVALS has no checkout anthropics+skills")
    ours = load(exported / "benchmark.json")
    copy = exported.parent / "copy"
    shutil.copytree(exported, copy)
    subprocess.run(["python3", "-m", "scripts.aggregate_benchmark", str(copy)], cwd=script, check=True, capture_output=True)
    theirs = load(copy / "benchmark.json")
    assert theirs["run_summary"]["delta"] == ours["run_summary"]["delta"]
    for configuration in ("with_skill", "without_skill"):
        for measure in ("pass_rate", "tokens"):
            assert theirs["run_summary"][configuration][measure] == ours["run_summary"][configuration][measure]
