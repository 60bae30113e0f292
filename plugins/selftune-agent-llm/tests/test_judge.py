"""A model of the library as the judge of what another one answered."""

from __future__ import annotations

import json
from typing import Any

from selftune_build.testing.model_server import Answer, Conversation, ModelServer, Say

from .conftest import Bench, choosing

CASE = {"id": "form", "prompt": "Fill in my form", "should_trigger": True, "checks": [{"sentence": "The answer says quokka"}]}
JUDGE = "scripted-jury"


def judged(bench: Bench, server: ModelServer, *rulings: str) -> dict[str, Any]:
    """A build whose judge says one of these after the other, the last again and again."""
    left = list(rulings)

    def script(conversation: Conversation) -> Answer:
        if "holds" in (conversation.schema or {}).get("properties", {}):
            return Say(left.pop(0) if len(left) > 1 else left[0])
        return choosing("zebra", lambda _: "quokka")(conversation)

    server.script = script
    bench.cases(CASE)
    agents = {"llm": {"type": "llm", "deterministic": True}, "jury": {"type": "llm"}}
    bench.workspace.write({"selftune.yaml": bench.manifest(agents=agents, judge={"agent": "jury", "model": JUDGE, "votes": 3})})
    return bench.build("pdf-forms:replay")


def test_a_model_rules_and_is_not_asked_again(bench: Bench, server: ModelServer) -> None:
    yes = json.dumps({"evidence": "quokka", "holds": True})
    report = judged(bench, server, yes, json.dumps({"evidence": "no", "holds": False}), yes)
    assert (report["spend"]["judge_calls"], bench.row("form")["passed"]) == (3, 1)
    assert report["packages"][0]["judge"]["agreeing"] == 2
    asked = [request.conversation for request in server.requests if request.conversation is not None]
    assert sum(conversation.model == JUDGE for conversation in asked) == 3
    again = bench.build("pdf-forms:replay")
    assert (again["spend"]["judge_calls"], again["spend"]["agent_calls"], again["exit_code"]) == (0, 0, 0)
    assert bench.build("pdf-forms:replay", "--locked")["exit_code"] == 0


def test_a_model_that_leaves_its_schema_has_not_ruled(bench: Bench, server: ModelServer) -> None:
    report = judged(bench, server, '{"holds": "yes"}')
    assert (report["exit_code"], "passed" in bench.row("form")) == (3, False)
    assert report["packages"][0]["problems"][0]["code"] == "no-evidence"
