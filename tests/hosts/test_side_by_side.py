"""One eval set, four real hosts, one scripted model: the same verdicts over four protocols, side by side in one lock."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from selftune_build.testing.model_server import ModelServer, Say, use_skill
from tests.hosts.hosts import PROGRAMS, SECRET, Bench, task, trigger


def test_two_hosts_agree_and_stand_side_by_side_in_one_lock_and_one_report(tmp_path: Path, server: ModelServer) -> None:
    assert all((PROGRAMS / name).exists() for name in ("claude", "codex")), "run `make hosts`"
    server.script = use_skill("zebra", lambda conversation, skill: Say("quokka" if "quokka" in conversation.text else "none"))
    bench = Bench(tmp_path, "claude", server)
    agents = {name: {"type": name, "deterministic": True} for name in ("claude", "codex")}
    bench.write("skills/pdf-forms/selftune.yaml", json.dumps({"version": 1, "agent": ["claude", "codex"], "agents": agents}))
    bench.cases(trigger("t", "Fill in this form"), task("b", "Fill in that form", "quokka"))
    login = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": SECRET}
    ran = bench.build(**login)
    assert ran.calls == 6
    shown = [(each["agent"], each["origin"], each["verdict"], each["gates"]) for each in ran.report["packages"]]
    assert [(agent, origin) for agent, origin, *_ in shown] == [("claude", "live"), ("codex", "live")]
    assert shown[0][2:] == shown[1][2:]
    lock = json.loads((bench.workspace / "skills/pdf-forms/selftune.lock").read_text())
    entries = lock["agents"]
    assert {name: entry["origin"] for name, entry in entries.items()} == {"claude": "live", "codex": "live"}
    assert {name: entry["identity"]["plugin"] for name, entry in entries.items()} == {"claude": "claude", "codex": "codex"}
    assert entries["claude"]["gates"] == entries["codex"]["gates"]
    counts = [
        {
            (case, arm): (row["n"], row.get("triggered"), row.get("passed"))
            for case, arms in entry["cases"].items()
            for arm, row in arms.items()
        }
        for entry in entries.values()
    ]
    assert counts[0] == counts[1]
    assert {conversation.protocol for conversation in server.conversations} == {"anthropic", "responses"}
    assert bench.build(**login).calls == 0
    table = subprocess.run(
        [word for word in bench.command("pdf-forms") if word != "--json"],
        env=bench.environment(**login),
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    rows = [line.split() for line in table.splitlines() if line.startswith("pdf-forms")]
    assert [row[1:] for row in rows] == [["(claude)", "inconclusive"], ["(codex)", "inconclusive"]], table
