"""Builds that share samples through a remote: nothing is paid twice, nobody's word is taken, and nothing stops for it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.judging import Bench
from tests.cli.storing import SAMPLES, archives, keys, said, store
from tests.cli.team import Team
from tests.property.workspace import CHECKOUT, Built, Workspace

REPORT: dict[str, Any] = json.loads((CHECKOUT / "schemas/selftune-report-1.json").read_text())
PLAN: dict[str, Any] = json.loads((CHECKOUT / "schemas/selftune-plan-1.json").read_text())
STATUS: dict[str, Any] = json.loads((CHECKOUT / "schemas/selftune-status-1.json").read_text())


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


def built(workspace: Workspace, *arguments: str, **environment: str) -> Built:
    """A build whose report fits its schema."""
    done = workspace.build(*arguments, environment=environment)
    assert "Traceback" not in done.stderr
    if "packages" in done.report:
        jsonschema.validate(done.report, REPORT)
    return done


def planned(workspace: Workspace) -> dict[str, Any]:
    status, stdout, _ = workspace.selftune("plan", "--json", "-C", str(workspace.root))
    document: dict[str, Any] = json.loads(stdout)
    jsonschema.validate(document, PLAN)
    assert status == 0
    return document


def shown(workspace: Workspace, *arguments: str) -> str:
    """What a command prints for people, on one line."""
    return " ".join(workspace.selftune(*arguments, "-C", str(workspace.root))[1].split())


def told(workspace: Workspace) -> dict[str, Any] | None:
    """What `selftune status` says of the remote."""
    document: dict[str, Any] = json.loads(workspace.selftune("status", "--json", "-C", str(workspace.root))[1])
    jsonschema.validate(document, STATUS)
    remote: dict[str, Any] | None = document.get("remote")
    return remote


def test_of_two_machines_one_after_the_other_only_the_first_pays(team: Team) -> None:
    ci, ada = team.machine("main", write="main"), team.machine("ada")
    done = built(ci)
    assert (len(done.calls), done.report["remote"]["sent"], len(team.parcels())) == (SAMPLES, SAMPLES, SAMPLES)
    plan = planned(ada)
    assert (plan["by_remote"], plan["by_store"], plan["expenses"]) == (SAMPLES, 0, [])
    assert "8 by the remote" in shown(ada, "plan")
    assert not (ada.root / ".selftune").exists()
    done = built(ada)
    assert (done.calls, done.status, done.report["remote"]["taken"]) == ([], 0, SAMPLES)
    assert done.report["spend"] == {"agent_calls": 0, "judge_calls": 0, "cost_usd": 0.0, "reused": SAMPLES}
    assert ada.locks() == ci.locks()
    assert store(ada, "fsck")[1]["findings"] == []
    assert "remote" not in built(ada).report


def test_a_dry_run_decides_by_the_remote_as_well_and_writes_nothing(team: Team) -> None:
    built(team.machine("main", write="main"))
    ada = team.machine("ada", write="ada")
    before = sorted(ada.root.rglob("*"))
    done = built(ada, "--dry-run")
    assert (done.status, done.report["remote"]["taken"], done.report["spend"]["reused"]) == (0, SAMPLES, SAMPLES)
    assert sorted(ada.root.rglob("*")) == before
    assert "8 samples would be taken" in shown(ada, "build", "--dry-run")


def test_an_edit_is_paid_for_once_by_whoever_makes_it_first(team: Team) -> None:
    machines = [team.machine(name, read="main ada bob", write=name, trusts="main ada bob") for name in ("main", "ada", "bob")]
    paid = [len(built(machine).calls) for machine in machines]
    for machine in machines:
        machine.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans well.")
    paid += [len(built(machine).calls) for machine in reversed(machines)]
    assert paid[:3] == [SAMPLES, 0, 0]
    assert 0 < paid[3] < SAMPLES
    assert paid[4:] == [0, 0]
    assert machines[0].locks() == machines[1].locks() == machines[2].locks()


def test_what_was_taken_is_not_passed_on_under_another_name(team: Team) -> None:
    built(team.machine("main", write="main"))
    ada = team.machine("ada", write="ada")
    ada.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans well.")
    calls = len(built(ada).calls)
    assert 0 < calls < SAMPLES
    assert len(team.parcels("ada")) == calls


def test_further_samples_are_further_ones_on_every_machine(team: Team) -> None:
    ci, ada = team.machine("main", read="main ada", write="main", trusts="main ada"), team.machine("ada", write="ada")
    built(ci)
    assert len(built(ci, "--resample", "1").calls) == SAMPLES
    assert len(built(ada, "--resample", "1").calls) == SAMPLES
    assert len({path.name.partition(".")[0] for tier in ("main", "ada") for path in team.parcels(tier)}) == 3 * SAMPLES


def test_votes_of_judges_are_shared_like_samples(tmp_path: Path, team: Team) -> None:
    benches = [Bench(tmp_path / name) for name in ("one", "two")]
    for bench, machine in zip(benches, (team.machine("main", write="main"), team.machine("ada")), strict=True):
        names = ("XDG_CONFIG_HOME", "SELFTUNE_REMOTE", "SELFTUNE_REMOTE_WRITE")
        bench.workspace.environment.update({name: machine.environment[name] for name in names if name in machine.environment})
    reports = [bench.build() for bench in benches]
    assert [bench.calls for bench in benches] == [(4, 2), (0, 0)]
    assert [report["remote"]["sent"] + report["remote"]["taken"] for report in reports] == [6, 6]
    assert benches[0].workspace.lock("brew") == benches[1].workspace.lock("brew")


def test_a_remote_that_is_down_is_a_warning_and_gets_everything_later(team: Team) -> None:
    ci = team.machine("main", write="main")
    team.remote.rename(team.folder / "away")
    done = built(ci)
    assert (done.status, len(done.calls)) == (0, SAMPLES)
    assert "what it has would be paid for again" in done.stderr
    assert (done.report["remote"]["unsent"], "there is no folder" in done.report["remote"]["trouble"]) == (SAMPLES, True)
    assert (told(ci) or {}) | {"trouble": ""} == {
        "url": team.url, "read": ["main"], "write": "main", "reached": False, "trouble": "", "unsent": True
    }  # fmt: skip
    assert "it cannot be reached: there is no folder" in shown(ci, "status")
    assert store(ci, "fsck")[1]["findings"] == []
    (team.folder / "away").rename(team.remote)
    done = built(ci)
    assert (done.calls, done.report["remote"]["sent"], len(team.parcels())) == ([], SAMPLES, SAMPLES)
    assert (told(ci) or {})["unsent"] is False
    assert built(team.machine("ada")).calls == []


def test_a_required_remote_that_is_down_spends_nothing(team: Team) -> None:
    ci = team.machine("main", write="main")
    team.remote.rename(team.folder / "away")
    done = built(ci, "--remote-required")
    assert (done.status, done.calls) == (4, [])
    assert "nothing was paid for" in done.stdout
    assert built(ci, "--remote-required", SELFTUNE_REMOTE="").status == 2
    (team.folder / "away").rename(team.remote)
    assert built(ci, "--remote-required").status == 0
    assert built(ci, "--remote-required", "--locked").status == 2


def test_what_a_killed_build_has_paid_is_sent_by_the_next(team: Team) -> None:
    program = team.first.read("tools/agent.py").replace(
        "    request = json.load(sys.stdin)\n",
        """    request = json.load(sys.stdin)
    killer = os.environ[LEDGER] + ".kill"
    if os.path.exists(killer) and "Sing" in request["prompt"]:
        os.unlink(killer)
        os.kill(os.getppid(), 9)
""",
    )
    team.first.write("tools/agent.py", program)
    ci = team.machine("main", write="main")
    Path(f"{ci.ledger}.kill").touch()
    status, _, _ = ci.selftune("build", "-j1", "-C", str(ci.root))
    assert (status, team.parcels()) == (-9, [])
    kept = len(archives(ci))
    assert 0 < kept < SAMPLES
    done = built(ci)
    assert (len(ci.lines()), done.report["remote"]["sent"]) == (SAMPLES, SAMPLES)
    assert list((ci.root / ".selftune/unsent").iterdir()) == []


def test_a_build_with_nothing_to_do_asks_no_remote_and_answers_from_its_state(team: Team) -> None:
    ci = team.machine("main", write="main")
    built(ci)
    for path in [*ci.root.rglob("*"), ci.root, team.folder / "main"]:
        os.utime(path, (1_000_000_000, 1_000_000_000), follow_symlinks=False)
    shutil.rmtree(team.remote)
    done = [built(ci), built(ci)]
    assert [(each.status, each.calls, each.stderr) for each in done] == [(0, [], "")] * 2


def test_locked_asks_no_remote(team: Team) -> None:
    ci = team.machine("main", write="main")
    built(ci)
    shutil.rmtree(team.remote)
    done = built(ci, "--locked", SELFTUNE_REMOTE="not even a remote")
    assert (done.status, done.stderr) == (0, "")


def test_a_pull_request_reads_main_and_main_reads_no_pull_request(team: Team) -> None:
    main = team.machine("main", write="main", trusts="main")
    request = team.machine("pr", write="pr/7", trusts="main")
    assert len(built(request).calls) == SAMPLES
    assert len(team.parcels("pr/7")) == SAMPLES
    assert len(built(main).calls) == SAMPLES
    request.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans well.")
    calls = len(built(request).calls)
    assert calls > 0
    main.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans well.")
    assert len(built(main).calls) == calls


@pytest.mark.parametrize("how", ["copied", "signed for main", "signed for main by a stranger", "unsigned"])
def test_whoever_may_write_the_place_of_main_decides_nothing_about_main(team: Team, how: str) -> None:
    """A pull request that got hold of the credentials of the bucket, and not of the key."""
    trusts = "main pr=pr/*"
    request = team.machine("pr", write="pr/7" if how == "copied" else "main", trusts="pr")
    if how == "signed for main by a stranger":
        trusts = "main"
    assert len(built(request).calls) == SAMPLES
    if how == "copied":
        (team.remote / "pr/7").rename(team.remote / "main")
    if how == "unsigned":
        shutil.rmtree(team.remote / "main")
        assert store(request, "push", "--unsigned")[0] == 0
    code = {"copied": "forged", "unsigned": "unsigned"}.get(how, "untrusted")
    main = team.machine("main", write="main", trusts=trusts)
    done = built(main)
    assert (len(done.calls), done.report["remote"]["refused"], done.report["remote"]["taken"]) == (SAMPLES, {code: SAMPLES}, 0)
    done = built(team.machine("ada", trusts=trusts))
    assert (done.calls, done.report["remote"]["taken"]) == ([], SAMPLES)


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


def replayed(path: Path) -> None:
    """The answer to another question, rightly signed, under this one."""
    other = next(each for each in sorted(path.parents[3].rglob("*.sample")) if each.parent != path.parent)
    path.write_bytes(other.read_bytes())


def record_gone(path: Path) -> None:
    shutil.rmtree(path.parents[3] / "records")


def key_gone(path: Path) -> None:
    (path.parent / "key.json").unlink()


@pytest.mark.parametrize(
    ("harm", "code", "again"),
    [
        (torn, "torn", 1),
        (flipped, "forged", 1),
        (replayed, "forged", 1),
        (key_gone, "missing", 1),
        (record_gone, "missing", SAMPLES),
    ],
)
def test_what_is_not_as_it_was_signed_is_paid_for_here_and_the_rest_is_not(
    team: Team, harm: Callable[[Path], None], code: str, again: int
) -> None:
    built(team.machine("main", write="main"))
    harm(team.parcels()[0])
    assert f"{again} refused ({again} {code})" in shown(team.machine("eve"), "build", "--dry-run")
    ada = team.machine("ada", write="main", trusts="main ada")
    done = built(ada)
    assert (len(done.calls), done.report["remote"]["refused"]) == (again, {code: again})
    bob = built(team.machine("bob", trusts="main ada"))
    assert (bob.calls, bob.report["remote"]["taken"]) == ([], SAMPLES)


@pytest.mark.parametrize("name", ["trusted.pem", "signing.pem"])
def test_keys_that_are_missing_are_told_before_anything_is_paid(team: Team, name: str) -> None:
    ci = team.machine("main", write="main")
    (team.folder / "main/config/selftune" / name).unlink()
    done = built(ci)
    assert (done.status, done.calls) == (2, [])
    assert name in done.stdout


def test_who_writes_nothing_needs_no_key(team: Team) -> None:
    built(team.machine("main", write="main"))
    ada = team.machine("ada")
    (team.folder / "ada/config/selftune/signing.pem").unlink()
    assert built(ada).calls == []


def test_a_checkout_names_no_remote(team: Team) -> None:
    """Neither in its manifest nor in files that look like a user's."""
    ci = team.machine("main", write="main")
    del ci.environment["SELFTUNE_REMOTE"]
    ci.write(".config/selftune/remotes.yaml", f'version: 1\nremotes: [{{url: "{team.url}", workspaces: ["/"], write: main}}]\n')
    ci.write("selftune/remotes.yaml", ci.read(".config/selftune/remotes.yaml"))
    assert "remote" not in built(ci).report
    manifest = json.loads(ci.read("selftune.yaml"))
    ci.write("selftune.yaml", json.dumps({**manifest, "store": {"remote": team.url}}))
    assert built(ci).status == 2
    assert list(team.remote.iterdir()) == []


def test_the_configuration_of_the_user_names_remotes_by_workspace(team: Team) -> None:
    ci, ada = team.machine("main"), team.machine("ada")
    for machine in (ci, ada):
        del machine.environment["SELFTUNE_REMOTE"]
    named = f'version: 1\nremotes: [{{url: "{team.url}", workspaces: ["{team.folder}/main"], write: main}}]\n'
    for name in ("main", "ada"):
        (team.folder / name / "config/selftune/remotes.yaml").write_text(named)
    assert built(ci).report["remote"]["sent"] == SAMPLES
    assert "remote" not in built(ada).report
    assert (told(ci), told(ada)) == ({**(told(ci) or {}), "reached": True}, None)
    assert built(ci, "--resample", "1", SELFTUNE_REMOTE="").report.get("remote") is None
    assert store(ci, "push")[1]["sent"] == SAMPLES
    status, text = said(ada, "pull")
    assert (status, "no remote is named" in text) == (2, True)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("version: 2\nremotes: []\n", "remotes.yaml:1:10"),
        ("version: 1\nremotes:\n  - url: /x\n", "remotes.yaml:3:5"),
        ("version: 1\nremotes:\n  - {url: /x, workspaces: [/], write: main, tier: x}\n", "remotes.yaml:3"),
        ("version: 1\nremotes:\n  - {url: /x, workspaces: [skills]}\n", "is no absolute folder"),
        ("version: 1\nremotes:\n  - {url: x, workspaces: [/]}\n", "neither a URL nor an absolute folder"),
        ("version: 1\nremotes:\n  - {url: /x, workspaces: [/], write: ../main}\n", "is no tier"),
    ],
)
def test_a_configuration_that_is_wrong_is_told_with_its_place(team: Team, text: str, where: str) -> None:
    ci = team.machine("main")
    del ci.environment["SELFTUNE_REMOTE"]
    (team.folder / "main/config/selftune/remotes.yaml").write_text(text)
    status, stdout, stderr = ci.selftune("build", "-C", str(ci.root))
    assert (status, where in stderr, ci.lines()) == (2, True, [])
    assert "Traceback" not in stdout + stderr


def test_where_no_remote_is_named_nothing_of_it_is_loaded(team: Team) -> None:
    code = (
        "import sys; from selftune_build.__main__ import main; main(['build', '-C', sys.argv[1]]); "
        "print(sorted(name for name in sys.modules if name.partition('.')[0] in ('fsspec', 's3fs', 'securesystemslib')"
        " or name in ('selftune_build.sharing.exchange', 'selftune_build.sharing.pulling', 'selftune_build.sharing.named')))"
    )
    ci = team.machine("main")
    del ci.environment["SELFTUNE_REMOTE"]
    done = subprocess.run(
        [sys.executable, "-c", code, str(ci.root)],
        env={**ci.environment, "TEST_LEDGER": str(ci.ledger)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert len(ci.lines()) == SAMPLES


def test_keys_of_strangers_do_not_count_here(team: Team, tmp_path: Path) -> None:
    built(team.machine("main", write="main"))
    keys(tmp_path / "keys", "nobody")
    done = built(team.machine("ada", trusts="nobody"))
    assert (len(done.calls), done.report["remote"]["refused"]) == (SAMPLES, {"untrusted": SAMPLES})


def test_what_a_url_holds_of_a_password_is_not_shown(team: Team) -> None:
    ci = team.machine("main")
    ci.environment["SELFTUNE_REMOTE"] = "nothing-speaks-this://ada:hunter2@host/skills"
    texts = [*ci.selftune("status", "-C", str(ci.root)), *ci.selftune("store", "status", "-C", str(ci.root))]
    assert "hunter2" not in str(texts)
    assert "nothing-speaks-this://host/skills" in str(texts)
