"""Mutators of plugins under the real command: what they may not touch is refused and named; where they break they are alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from selftune_build.testing import SkillWorkspace
from tests.plugins.site_folder import SiteFolder

SOURCE = """
import os
from selftune_build.plugins import Consultation, Edit, Mutator, Overlay, Question, UndecidedError, hookimpl

MANY = 10_000
LONGER = (("SKILL.md", None),)

def overlay(view, *edits, surface=("body",), reason="better", parent=None):
    patch = tuple(Edit(path, view.files["SKILL.md"] + b"More.\\n" if content is None else content) for path, content in edits)
    return Overlay(patch, parent or view.tree, reason, frozenset(surface))

def mixed(view, evidence, seed):
    yield overlay(view, *LONGER)
    yield overlay(view, *LONGER, ("selftune.lock", b"{}"))
    yield overlay(view, *LONGER, ("evals/evals.yaml", b"cases: []"), surface=("body", "file:evals/evals.yaml"))
    yield overlay(view, ("selftune.yaml", b"version: 1"))
    yield overlay(view, *LONGER, ("notes.md", b"x"))
    yield overlay(view, *LONGER, surface=("metadata",))
    yield overlay(view, *LONGER, parent="sha256:" + "1" * 64)
    yield overlay(view, *LONGER, reason="two\\nlines")
    yield overlay(view, ("a.bin", b"\\0"), surface=("file:a.bin",))
    yield overlay(view, ("SKILL.md", b"---\\nname: other\\ndescription: x\\n---\\n"), surface=("metadata", "body"))
    yield overlay(view, ("graders/look.py", b"print(1)"), surface=("file:graders/look.py",))
    yield Overlay((Edit("SKILL.md", None),), view.tree, "gone", frozenset({"body"}))
    yield overlay(view, ("good.md", b"y"), surface=("file:good.md",))

def seen(view, evidence, seed):
    said = repr((sorted(view.files), dict(view.siblings), evidence)).encode()
    yield overlay(view, ("seen.md", said), surface=("file:seen.md",))

def breaks(view, evidence, seed):
    yield overlay(view, *LONGER)
    raise ZeroDivisionError("in the middle")

def exits(*arguments):
    raise SystemExit(0)

def escapes(view, evidence, seed):
    yield overlay(view, ("../other/SKILL.md", b"x"), surface=("file:../other/SKILL.md",))

def endless(view, evidence, seed):
    while True:
        yield overlay(view, *LONGER)

def nonsense(*arguments):
    return ["an overlay"]

def unreachable(*arguments):
    raise UndecidedError("the service is down")

def writes(view, evidence, seed):
    with open(os.path.join(os.getcwd(), "pdf", "SKILL.md"), "w") as file:
        file.write("mine")

def asks(view, evidence, seed):
    return [Question("What is better?", {"type": "object", "required": ["text"]})]

def asks_badly(view, evidence, seed):
    return [Question("?", {"type": "no-such-type"})]

def told(view, evidence, seed, answers):
    yield overlay(view, ("told.md", answers[0]["text"].encode()), surface=("file:told.md",))

ALL = (mixed, seen, breaks, exits, escapes, endless, nonsense, unreachable, writes)

@hookimpl
def selftune_mutators():
    plain = [Mutator(each.__name__, each, version="7") for each in ALL]
    consulting = (("asking", asks), ("badly", asks_badly))
    return [*plain, *(Mutator(name, seen, consult=Consultation(ask, told)) for name, ask in consulting)]
"""
CASES = """\
format: selftune.evals/1
cases:
  - {id: a, prompt: "use pdf now", should_trigger: true, checks: [{contains: NEVER}]}
  - {id: graded, prompt: "use pdf once more", checks: [{command: {run: [python3, graders/look.py]}}]}
  - {id: kept, prompt: "use the pdf that nobody sees", should_trigger: true, tags: [holdout]}
"""
SCRIBE = 'import json, sys\njson.load(sys.stdin)\nprint(json.dumps({"output": json.dumps({"text": "said"})}))\n'
AGENTS = {"scribe": {"type": "command", "argv": ["python3", "scribe.py"], "free": True}}


@pytest.fixture
def plugged_in(plugged: SkillWorkspace, site: SiteFolder) -> SkillWorkspace:
    """A workspace that was built, with every mutator of the plugin."""
    site.install("selftune-mutators", SOURCE)
    plugged.skill("pdf", {"evals/evals.yaml": CASES, "graders/look.py": "raise SystemExit(0)\n"})
    plugged.skill("doc", description="Writes documents.")
    plugged.write({"scribe.py": SCRIBE, "selftune.yaml": json.dumps({"version": 1, **DECLARED})})
    assert plugged.run("build", "pdf").status in (1, 3)
    return plugged


DECLARED: dict[str, Any] = {"workspace": {"members": ["pdf", "doc"]}, "defaults": {"agents": AGENTS}}


def mutate(workspace: SkillWorkspace, name: str, *arguments: str) -> dict[str, Any]:
    return workspace.run("mutate", "pdf", "--mutator", name, "--json", *arguments).document


def test_what_a_proposal_may_not_touch_or_does_not_say_is_refused_and_named_and_the_others_stay(
    plugged_in: SkillWorkspace,
) -> None:
    document = mutate(plugged_in, "mixed")
    assert [candidate["surface"] for candidate in document["candidates"]] == [["body"], ["file:good.md"]]
    assert [each["refusal"] for each in document["refused"]] == [
        "it touches the lock `selftune.lock`, which builds alone write",
        "it touches the evals or tests `evals/evals.yaml` that decide about it",
        "it touches the manifest `selftune.yaml`: gates, samples and policy decide about it",
        "it declares to touch body, and touches body, file:notes.md",
        "it declares to touch metadata, and touches body",
        "its parent is another state of the package",
        "its reason is no sentence of at most 500 printable characters",
        "it makes `a.bin` a file that is no text, which no patch can tell",
        "it renames the skill to 'other'",
        "the patch touches `pdf/graders/look.py`: it judges pdf[graded]: a candidate must not change what it is judged by",
        "it removes SKILL.md",
    ]
    assert document["mutator"] == {"id": "mixed", "version": "7"}


def test_a_mutator_sees_what_an_agent_gets_and_no_case_that_is_held_out(plugged_in: SkillWorkspace) -> None:
    said = mutate(plugged_in, "seen")["candidates"][0]["patch"]
    assert "(['SKILL.md', 'graders/look.py'], {'doc': 'Writes documents.'}" in said
    assert "id='a'" in said
    assert "nobody sees" not in said
    assert "NEVER" in said  # how a case failed is told, its checks are not


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("breaks", "ZeroDivisionError: in the middle"),
        ("exits", "SystemExit"),
        ("escapes", "leads out"),
        ("endless", "it returned more than 200"),
        ("nonsense", "it returned str, not Overlay"),
        ("writes", "it may not write"),
    ],
)
def test_a_mutator_that_breaks_is_named_and_leaves_nothing_behind(name: str, said: str, plugged_in: SkillWorkspace) -> None:
    finished = plugged_in.run("mutate", "pdf", "--mutator", name, "--json")
    error = finished.document["error"]
    assert (finished.status, error["code"]) == (3, "plugin-failed")
    assert f"the plugin selftune-mutators 1.0 failed in the mutator `{name}`" in error["message"]
    assert said in error["message"]
    store = plugged_in.root.parent / "workspace-store"
    assert not (store / "candidates").exists()
    assert "mine" not in (plugged_in.root / "pdf/SKILL.md").read_text()


def test_a_service_that_cannot_be_reached_is_no_fault_of_the_plugin(plugged_in: SkillWorkspace) -> None:
    finished = plugged_in.run("mutate", "pdf", "--mutator", "unreachable", "--json")
    assert (finished.status, finished.document["error"]["message"]) == (3, "the service is down")


def test_a_mutator_that_asks_gets_the_answers_that_others_pay_for(plugged_in: SkillWorkspace) -> None:
    document = mutate(plugged_in, "asking", "--agent", "scribe")
    assert "+said\n" in document["candidates"][0]["patch"]
    assert (document["spend"]["calls"], mutate(plugged_in, "asking", "--agent", "scribe")["spend"]["calls"]) == (1, 0)
    finished = plugged_in.run("mutate", "pdf", "--mutator", "badly", "--agent", "scribe", "--json")
    assert (finished.status, finished.document["error"]["code"]) == (3, "plugin-failed")


def test_mutators_are_listed_with_what_is_built_in(plugged_in: SkillWorkspace) -> None:
    finished = plugged_in.run("plugins", "list")
    assert "mutator  targeted, deterministic" in finished.stdout
    assert "mutator  mixed, seen" in finished.stdout
