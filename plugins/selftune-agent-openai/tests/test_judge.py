"""One model as the agent, another as the judge of what it answered, by two declarations of one plugin."""

from __future__ import annotations

import json

from selftune_build.testing.model_server import Answer, Conversation, Listed, Say, use_skill

from .conftest import Bench, task

JUDGE = "scripted-jury"


def test_a_model_rules_and_is_not_asked_again(bench: Bench) -> None:
    def then(conversation: Conversation, skill: Listed) -> Answer:
        return Say("quokka")

    def script(conversation: Conversation) -> Answer:
        if "holds" in (conversation.schema or {}).get("properties", {}):
            return Say(json.dumps({"evidence": "quokka", "holds": True}))
        return use_skill("zebra", then)(conversation)

    bench.server.script = script
    bench.cases(task("t", "Fill in my form", {"sentence": "The answer says quokka"}))
    bench.configure(judge={"agent": "local", "model": JUDGE, "votes": 1})
    report = bench.build()
    assert (report["spend"]["judge_calls"], bench.row("t")["passed"]) == (1, 1)
    assert [each.model for each in bench.server.conversations].count(JUDGE) == 1
    again = bench.build()
    assert (again["spend"]["judge_calls"], again["spend"]["agent_calls"], again["exit_code"]) == (0, 0, 0)
    assert bench.build("pdf-forms:replay", "--locked")["exit_code"] == 0
