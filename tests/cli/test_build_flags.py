"""The flags of `selftune build` that decide what is asked, shown and written."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from selftune_build.__main__ import main
from tests.property.kitchen import BREW, manifest
from tests.property.workspace import CHECKOUT, Built, Workspace

BLACK, LATTE, SONG = (case["prompt"] for case in BREW)
CUP = "One espresso, fast"


def snapshot(workspace: Workspace) -> dict[str, bytes]:
    """Every file of the workspace and its store."""
    return {str(path.relative_to(workspace.root)): path.read_bytes() for path in workspace.root.rglob("*") if path.is_file()}


def scripted(workspace: Workspace) -> None:
    """Give brew a script and a unit test that runs it."""
    workspace.write("brew/scripts/pour.py", "print('poured')\n")
    case = {"id": "pours", "run": ["python3", "scripts/pour.py"], "checks": [{"contains": "poured"}]}
    workspace.write("brew/tests/unit.yaml", json.dumps({"format": "selftune.unit-tests/1", "cases": [case]}))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((CHECKOUT / "schemas/selftune-report-1.json").read_text())
    return document


def assert_valid(built: Built, schema: dict[str, Any]) -> None:
    jsonschema.validate(built.report, schema)
    assert built.report["exit_code"] == built.status


# --dry-run


def test_a_dry_run_of_a_new_workspace_writes_nothing_and_says_what_would_be_asked(fresh: Workspace) -> None:
    before = snapshot(fresh)
    planned = fresh.build("--dry-run")
    assert (planned.calls, planned.report["mode"], planned.status) == ([], "dry-run", 3)
    assert planned.states["brew:replay"] == planned.states["brew:baseline"] == "stale"
    stage = planned.stage("brew:replay")
    assert (stage["run"], stage["cases"]) == (3, ["black", "latte", "song"])
    assert snapshot(fresh) == before


def test_a_dry_run_after_an_edit_gives_the_reasons_that_the_build_then_gives(noted: Workspace) -> None:
    noted.edit("brew/SKILL.md", "Makes coffee", "Makes good coffee")
    noted.write("brew/references/milk.md", "Other milk.\n")
    before = snapshot(noted)
    planned = noted.build("--dry-run")
    assert snapshot(noted) == before
    assert planned.calls == []
    done = noted.build()
    for target in ("brew:replay", "bake:replay", "bake:baseline"):
        assert planned.reasons(target) == done.reasons(target) != set()
    assert {target for target, state in planned.states.items() if state == "stale" and "verify" not in target} >= {
        target for target, state in done.states.items() if state == "built" and target.endswith(("replay", "baseline"))
    }


def test_a_dry_run_of_an_up_to_date_workspace_is_verified(built: Workspace) -> None:
    planned = built.build("--dry-run")
    assert planned.status == 0
    assert set(planned.states.values()) == {"up-to-date"}


# --json


def test_every_kind_of_report_satisfies_the_schema(fresh: Workspace, schema: dict[str, Any]) -> None:
    assert_valid(fresh.build("--dry-run"), schema)
    assert_valid(fresh.build("--max-calls", "3"), schema)
    assert_valid(fresh.build(), schema)
    assert_valid(fresh.build("brew:spec"), schema)
    fresh.edit("brew/evals/evals.yaml", "Grind the beans", "Nobody says this")
    assert_valid(fresh.build(), schema)
    fresh.write("bake/selftune.yaml", "version: 1\nsampels: {min: 3}\n")
    assert_valid(fresh.build(), schema)


def test_an_error_before_any_package_is_one_json_document_on_stdout(fresh: Workspace) -> None:
    status, stdout, stderr = fresh.selftune("build", "no-such-package", "--json", "-C", str(fresh.root))
    assert (status, stderr) == (2, "")
    assert json.loads(stdout)["exit_code"] == 2


def test_progress_goes_to_stderr_and_the_table_to_stdout(fresh: Workspace) -> None:
    status, stdout, _ = fresh.selftune("build", "-C", str(fresh.root))
    assert status == 0
    assert "brew" in stdout
    assert "\x1b" not in stdout
    status, quiet, stderr = fresh.selftune("build", "-q", "-C", str(fresh.root))
    assert (status, len(quiet.splitlines()), stderr) == (0, 1, "")


# --failed


def test_failed_asks_only_cases_that_failed_or_have_no_evidence(built: Workspace) -> None:
    built.edit("brew/evals/evals.yaml", "Steam", "Nobody says this")
    built.build()
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans. Steam.")
    # black and latte read the body; only latte had failed, but without a row that holds black counts as open as well.
    assert built.build("--failed").prompts == sorted([BLACK, LATTE, CUP])


def test_failed_has_nothing_to_do_where_everything_passed(built: Workspace) -> None:
    before = built.locks()
    assert built.build("--failed").calls == []
    assert built.build("--failed", "--resample", "1").calls == []
    assert built.locks() == before


def test_failed_resamples_the_case_that_failed_and_no_other(built: Workspace) -> None:
    built.edit("brew/evals/evals.yaml", "Steam", "Nobody says this")
    built.build()
    assert built.build("--failed", "--resample", "1").prompts == [LATTE, LATTE]


# --resample


def test_resample_takes_as_many_more_samples_and_keeps_those_that_were_there(built: Workspace) -> None:
    again = built.build("brew", "--resample", "2")
    assert again.prompts == sorted([BLACK, LATTE] * 4 + [SONG] * 2)
    assert {row["n"] for arms in built.rows("brew").values() for row in arms.values()} == {3}
    assert {row["n"] for arms in built.rows("bake").values() for row in arms.values()} == {1}
    assert built.build().calls == []


def test_resample_of_one_case_leaves_the_others_alone(built: Workspace) -> None:
    before = built.rows("brew")
    assert built.build("brew:replay[latte]", "--resample", "1").prompts == [LATTE]
    after = built.rows("brew")
    assert after["latte"]["with_skill"]["n"] == 2
    assert after["latte"]["without_skill"] == before["latte"]["without_skill"]
    assert after["black"] == before["black"]


def test_resample_after_which_the_lock_is_deleted_gives_the_same_bytes(built: Workspace) -> None:
    built.build("--resample", "1")
    before = built.locks()
    for name in before:
        built.lock_path(name).unlink()
    assert built.build().calls == []
    assert built.locks() == before


# --no-exec


def test_no_exec_runs_no_script_and_no_command_agent_and_keeps_what_is_there(built: Workspace) -> None:
    scripted(built)
    before = built.rows("brew")
    refused = built.build("--no-exec")
    assert refused.calls == []
    assert refused.status == 3
    assert refused.states["brew:unit-tests"] == "skipped"
    assert refused.states["brew:replay"] == "up-to-date"
    assert built.rows("brew") == before
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind.")
    assert built.build("--no-exec").calls == []


def test_a_script_is_run_without_it_and_is_no_call_of_an_agent(built: Workspace) -> None:
    scripted(built)
    done = built.build()
    assert done.status == 0
    assert done.states["brew:unit-tests"] == "built"
    assert done.report["spend"]["agent_calls"] == 0
    assert built.build("--max-calls", "0").status == 0


def test_a_budget_of_no_calls_still_runs_scripts(built: Workspace) -> None:
    scripted(built)
    done = built.build("--max-calls", "0")
    assert (done.status, done.states["brew:unit-tests"]) == (0, "built")


def advised(workspace: Workspace, *words: str) -> list[str]:
    """What a build tells people to type next, without the folder."""
    told = workspace.selftune("build", *words, "-C", str(workspace.root))[1].splitlines()
    return [line.removesuffix(f" -C {workspace.root}") for line in told if line.startswith("next: ")]


def test_a_command_that_leads_to_itself_is_not_advised(built: Workspace) -> None:
    built.write(
        "selftune.yaml", json.dumps({**manifest(), "defaults": {**manifest()["defaults"], "policy": {"origins": ["live"]}}})
    )
    assert advised(built, "brew") == ["next: selftune build brew -v"]
    assert advised(built, "brew", "-v") == []
    built.skill("brew", '""', "Grind the beans.")
    assert advised(built, "brew") == ["next: selftune build brew:spec -v"]
    assert advised(built, "brew:spec", "-v") == []


def test_where_a_gate_says_what_to_do_no_command_is_advised_that_says_it_again(built: Workspace) -> None:
    defaults = manifest()["defaults"]
    strict = {**defaults, "gates": {**defaults["gates"], "trigger-recall": {"min": 0.9}}}
    built.write("selftune.yaml", json.dumps({**manifest(), "defaults": strict}))
    status, told, _ = built.selftune("build", "brew", "-C", str(built.root))
    assert (status, told.count("to do: ") > 0, advised(built, "brew")) == (3, True, [])


# options that do not go together


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--locked --dry-run", "--locked runs nothing"),
        ("--locked --failed", "--locked runs nothing"),
        ("--locked --resample 1", "--locked runs nothing"),
        ("--locked --remote-required", "--locked asks no remote"),
        ("--locked --overlay x.patch", "--overlay"),
        ("--since HEAD --overlay x.patch", "--overlay"),
        ("--policy HEAD", "--policy goes with --locked"),
        ("--require-signature key.pem", "--require-signature and --trust-root go with --locked"),
        ("--trust-root root.json", "--require-signature and --trust-root go with --locked"),
    ],
)
def test_options_that_exclude_each_other_are_refused_before_anything_is_read(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", *words.split(), "-C", str(CHECKOUT)]) == 2
    assert said in capsys.readouterr().err
