"""Which agents are asked, and whose evidence the lock takes up."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from msgspec.structs import replace

from selftune_build.engine.load import Universe
from selftune_build.engine.planning.invocation import Stores, _agents
from selftune_build.engine.registry import BUILTIN
from selftune_build.engine.request import BuildRequest
from selftune_build.lock.parsing import LockReading
from selftune_build.model.manifest import Manifest
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore
from selftune_build.store.traces import Traces
from tests.property.kitchen import BREW, manifest
from tests.property.workspace import AGENT, Workspace
from tests.unit.engine.rows import package

BLACK, LATTE, SONG = (case["prompt"] for case in BREW)
CUP = "One espresso, fast"


def two_agents(workspace: Workspace, named: list[str]) -> None:
    document = manifest()
    house = document["defaults"]["agents"]["house"]
    document["defaults"]["agents"]["guest"] = {**house, "cache_version": "2"}
    document["defaults"]["agent"] = named
    workspace.write("selftune.yaml", json.dumps(document))


def test_an_agent_that_the_manifest_does_not_name_writes_no_lock_but_its_answers_are_kept(built: Workspace) -> None:
    two_agents(built, ["house"])
    before = built.locks()
    first = built.build("--agent", "guest")
    assert (len(first.calls), first.status) == (8, 0)
    assert built.locks() == before
    assert built.build("--agent", "guest").calls == []


def test_a_model_that_the_manifest_does_not_name_writes_no_lock(built: Workspace) -> None:
    before = built.locks()
    first = built.build("--model", "large")
    assert {call["model"] for call in first.calls} == {"large"}
    assert built.locks() == before
    document = manifest()
    document["defaults"]["model"] = "large"
    built.write("selftune.yaml", json.dumps(document))
    assert built.build("--model", "large").calls == []
    assert built.locks() != before


def test_what_is_advised_is_of_the_agents_and_the_model_that_were_named(fresh: Workspace) -> None:
    two_agents(fresh, ["house"])
    named = ["--agent", "guest", "--model", "large", "-C", str(fresh.root)]
    stopped = fresh.build("brew", "--agent", "guest", "--model", "large", "--max-calls", "1").package("brew")
    fixes = [problem["fix"] for problem in stopped["problems"] if problem["code"] == "budget-used-up"]
    assert [shlex.split(fix)[3:] for fix in fixes] == [named] * len(fixes) != []
    assert shlex.split(stopped["next_command"]) == ["selftune", "build", "brew", *named]
    missing = fresh.selftune("show", "brew:replay[song]", *named)[1]
    assert shlex.split(missing.rpartition("next: ")[2]) == ["selftune", "build", "brew:replay[song]", *named]
    fresh.edit("brew/evals/evals.yaml", "Grind the beans", "Grind the leaves")
    _, told, _ = fresh.selftune("build", "brew", *named)
    shown = [shlex.split(line)[1:] for line in told.splitlines() if line.strip().startswith("next: ")]
    assert shown == [["selftune", "show", "brew:replay[black]", *named]]
    assert "agent guest" in fresh.selftune(*shown[-1][1:])[1]


def test_an_agent_that_nothing_declares_cannot_be_asked(built: Workspace) -> None:
    before = built.locks()
    status, stdout, _ = built.selftune("build", "--agent", "nobody", "--json", "-C", str(built.root))
    assert status == 3
    assert "nobody" in stdout
    assert built.locks() == before


def test_each_agent_of_the_manifest_has_its_own_rows_and_a_report_of_its_own(fresh: Workspace) -> None:
    two_agents(fresh, ["house", "guest"])
    both = fresh.build()
    assert len(both.calls) == 16
    assert sorted((package["name"], package["agent"]) for package in both.report["packages"]) == [
        (name, agent) for name in ("bake", "brew") for agent in ("guest", "house")
    ]
    assert fresh.rows("brew", "guest").keys() == fresh.rows("brew", "house").keys()
    assert fresh.build().calls == []


def test_one_name_stands_for_two_agents_where_packages_say_different_things_of_it(fresh: Workspace) -> None:
    house = {**manifest()["defaults"]["agents"]["house"], "argv": ["python3", "-I", "-S", str(AGENT)]}
    for name, origin in (("bake", "live"), ("brew", "simulated")):
        fresh.write(f"{name}/selftune.yaml", json.dumps({"version": 1, "agents": {"house": {**house, "origin": origin}}}))
    built = fresh.build()
    assert (len(built.calls), built.status) == (8, 0)
    assert {name: built.package(name)["origin"] for name in ("bake", "brew")} == {"bake": "live", "brew": "simulated"}
    origins = {name: json.loads(fresh.lock(name))["agents"]["house"]["origin"] for name in ("bake", "brew")}
    assert origins == {"bake": "live", "brew": "simulated"}


def test_an_agent_that_says_nothing_of_its_model_is_not_shared_by_packages_that_ask_for_different_ones(tmp_path: Path) -> None:
    packages = [replace(package(), manifest=Manifest(model=model)) for model in ("small", "large", "small")]
    stores = Stores(SampleStore(tmp_path), RecordStore(tmp_path), Traces(tmp_path, tmp_path))
    agent_of = _agents(Universe(tmp_path, False, ()), BuildRequest(tmp_path), stores, BUILTIN)
    small, large, again = (agent_of("embedded", each, LockReading((), ()))[0] for each in packages)
    assert small.identity == large.identity
    assert small is not large
    assert small is again


def test_each_package_asks_for_its_own_model(fresh: Workspace) -> None:
    for name, model in (("bake", "small"), ("brew", "large")):
        fresh.write(f"{name}/selftune.yaml", json.dumps({"version": 1, "model": model}))
    built = fresh.build()
    assert {call["model"] for call in built.calls} == {"small", "large"}
    assert {call["model"] for call in built.calls if "coffee" in call["prompt"]} == {"large"}


def test_a_build_of_one_agent_refreshes_only_its_entry(fresh: Workspace) -> None:
    two_agents(fresh, ["house", "guest"])
    fresh.build()
    before = json.loads(fresh.lock("brew"))["agents"]
    fresh.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans well.")
    assert fresh.build("--agent", "guest").prompts == sorted([BLACK, LATTE, CUP])
    after = json.loads(fresh.lock("brew"))["agents"]
    assert after["house"] == before["house"]
    assert after["guest"] != before["guest"]


def test_an_agent_that_the_manifest_names_no_more_leaves_the_lock(fresh: Workspace) -> None:
    two_agents(fresh, ["house", "guest"])
    fresh.build()
    two_agents(fresh, ["house"])
    assert fresh.build().calls == []
    assert list(json.loads(fresh.lock("brew"))["agents"]) == ["house"]
