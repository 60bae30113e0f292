"""One eval set, all real hosts, one scripted model: the same verdicts over four protocols, side by side in one lock."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from selftune_build.testing.model_server import Answer, Conversation, ModelServer, Say, use_skill
from tests.hosts.conftest import installed
from tests.hosts.hosts import HOSTS, Bench, login, task, trigger


def several(tmp_path: Path, server: ModelServer, *hosts: str) -> tuple[Bench, dict[str, str]]:
    """A bench of which every build asks all these hosts, and what logs them in."""
    bench = Bench(tmp_path, installed(hosts[0]), server)
    agents = {installed(host): {"type": host, "deterministic": True} for host in hosts}
    bench.write("skills/pdf-forms/selftune.yaml", json.dumps({"version": 1, "agent": list(hosts), "agents": agents}))
    environment = {name: value for host in hosts for name, value in login(host, server).items()}
    return bench, environment


def printed(bench: Bench, environment: dict[str, str]) -> str:
    """What the same command says to people."""
    command = [word for word in bench.command("pdf-forms") if word != "--json"]
    return subprocess.run(
        command, env=bench.environment(**environment, COLUMNS="120"), capture_output=True, text=True, timeout=60
    ).stdout


def counts(entry: dict[str, Any]) -> dict[tuple[str, str], tuple[Any, ...]]:
    return {
        (case, arm): (row["n"], row.get("triggered"), row.get("passed"))
        for case, arms in entry["cases"].items()
        for arm, row in arms.items()
    }


def test_all_hosts_agree_and_stand_side_by_side_in_one_lock_and_one_report(tmp_path: Path, server: ModelServer) -> None:
    server.script = use_skill("zebra", lambda conversation, skill: Say("quokka" if "quokka" in conversation.text else "none"))
    bench, environment = several(tmp_path, server, *HOSTS)
    bench.cases(trigger("t", "Fill in this form"), task("b", "Fill in that form", "quokka"))
    ran = bench.build(timeout=600, **environment)
    assert ran.calls == 3 * len(HOSTS)
    shown = [(each["agent"], each["origin"], each["verdict"], each["gates"]) for each in ran.report["packages"]]
    assert [(agent, origin) for agent, origin, *_ in shown] == [(host, "live") for host in HOSTS]
    assert all(each[2:] == shown[0][2:] for each in shown)
    entries = json.loads((bench.workspace / "skills/pdf-forms/selftune.lock").read_text())["agents"]
    assert {name: entry["origin"] for name, entry in entries.items()} == dict.fromkeys(HOSTS, "live")
    assert {name: entry["identity"]["plugin"] for name, entry in entries.items()} == {host: host for host in HOSTS}
    assert all(entry["gates"] == entries["claude"]["gates"] for entry in entries.values())
    assert counts(entries["claude"])["b", "with_skill"] == (1, 1, 1)
    assert all(counts(entry) == counts(entries["claude"]) for entry in entries.values())
    assert {conversation.protocol for conversation in server.conversations} == {facts.protocol for facts in HOSTS.values()}
    assert len({facts.protocol for facts in HOSTS.values()}) == 4
    assert bench.build(**environment).calls == 0
    table = printed(bench, environment)
    rows = [line.split() for line in table.splitlines() if line.startswith("pdf-forms")]
    assert [row[1:] for row in rows] == [[f"({host})", "inconclusive"] for host in HOSTS], table
    *names, last = HOSTS
    assert f"{', '.join(names)} and {last} agree in 2 cases of pdf-forms" in table.splitlines()


def test_a_case_that_hosts_do_not_agree_on_is_named_with_what_came_of_it_under_each(tmp_path: Path, server: ModelServer) -> None:
    obliging = use_skill("zebra", lambda conversation, skill: Say("done"))

    def script(conversation: Conversation) -> Answer:
        balks = conversation.protocol == "gemini" and "odd" in conversation.prompt
        return Say("not for me") if balks else obliging(conversation)

    server.script = script
    bench, environment = several(tmp_path, server, "gemini", "pi")
    bench.cases(trigger("even", "Fill in this form"), trigger("odd", "Fill in this odd form"))
    bench.build(timeout=300, **environment)
    lines = printed(bench, environment).splitlines()
    start = lines.index("gemini and pi disagree in 1 of 2 cases of pdf-forms:")
    assert [line.split() for line in lines[start + 1 : start + 3]] == [
        ["gemini", "pi"],
        ["pdf-forms:replay[odd]", "failed", "0/1", "held", "1/1"],
    ]
