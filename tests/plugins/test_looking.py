"""Gates that look at the files with a program of their own: who lets them, and what is attested of it."""

from __future__ import annotations

import base64
import json

import pytest

from selftune_build.testing import SkillWorkspace
from tests.plugins.site_folder import SiteFolder

PLUGIN = """
from pathlib import Path

from selftune_build.plugins import Decision, Gate, Look, Verdict, hookimpl

def look(folder, setting):
    with Path(folder).parents[1].joinpath("looked.txt").open("a") as told:
        told.write("looked\\n")
    return Look("looker 7")

def judge(facts, setting, confidence):
    if facts.look is None or facts.look.trouble:
        return Decision(Verdict.INCONCLUSIVE, facts.look.trouble if facts.look else "nobody")
    return Decision(Verdict.PASS, f"{facts.look.by}: fine")

@hookimpl
def selftune_gates():
    return [Gate("looking", judge, look=look)]
"""
MANIFEST = """
version: 1
gates: {looking: {}, trigger-recall: {min: 0}}
policy: {origins: [simulated], plugins: [selftune-looking]}
"""
EVALS = 'format: selftune.evals/1\ncases:\n  - {id: a, prompt: "Use pdf now.", should_trigger: true}\n'


@pytest.fixture
def looked_at(plugged: SkillWorkspace, site: SiteFolder) -> SkillWorkspace:
    """A package with such a gate, built; whoever looks at its folder says so in a file beside the workspace."""
    site.install("selftune-looking", PLUGIN)
    assert plugged.skill("pdf", {"selftune.yaml": MANIFEST, "evals/evals.yaml": EVALS}).report("pdf")["exit_code"] == 0
    (plugged.root.parent / "looked.txt").unlink()
    return plugged


def test_publishing_lets_them_look_and_the_attestation_says_what_stands_in_no_lock(looked_at: SkillWorkspace) -> None:
    done = looked_at.run("publish", "pdf", "--out", "../out", "--json")
    assert done.status == 0, done.stdout
    assert (looked_at.root.parent / "looked.txt").read_text() == "looked\n"
    envelope = json.loads((looked_at.root.parent / "out/pdf.skill.intoto.jsonl").read_bytes())
    (agent,) = json.loads(base64.b64decode(envelope["payload"]))["predicate"]["agents"]
    assert (agent["gates"]["looking"], agent["beside_the_lock"]) == ("pass", {"looking": "looker 7: fine"})
    assert "looking" not in looked_at.lock("pdf")["agents"]["embedded"]["gates"]
    assert looked_at.run("publish", "--check", "../out/pdf.skill").status == 0


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("build", "pdf", "--locked"), 3),
        (("build", "pdf", "--dry-run"), 3),
        (("publish", "pdf", "--rollback", "--to", "skills"), 2),
        (("publish", "--check", "pdf.skill"), 2),
    ],
)
def test_whoever_only_reads_or_brings_back_lets_nobody_look(
    looked_at: SkillWorkspace, words: tuple[str, ...], status: int
) -> None:
    assert looked_at.run(*words).status == status
    assert not (looked_at.root.parent / "looked.txt").exists()
