"""Offered, activated, read, detected; a competitor chosen; nothing chosen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selftune_build.testing.model_server import (
    Answer,
    Conversation,
    Listed,
    Say,
    described,
    folder_of,
    open_skill,
    read,
    shell,
    use_skill,
)
from tests.hosts.hosts import HOSTS, Bench, task, trigger

PINNED = Path(__file__).with_name("package.json")


def word_of_the_body(conversation: Conversation, skill: Listed) -> Answer:
    return Say("quokka" if "quokka" in conversation.results[-1].text or "quokka" in conversation.text else "nothing")


def test_a_skill_is_offered_activated_and_its_body_reaches_the_model(bench: Bench) -> None:
    bench.server.script = use_skill("zebra", word_of_the_body)
    bench.cases(trigger("t", "Fill in this form"), task("b", "Fill in that form", "quokka"))
    ran = bench.build()
    assert ran.calls == 3, ran.stderr
    assert bench.row("t")["triggered"] == 1
    assert bench.row("b")["triggered"] == bench.row("b")["passed"] == 1
    assert bench.row("b", "without_skill")["passed"] == 0
    lists = bench.host in ("codex", "gemini", "opencode")  # by a command, which may have listed; when it activates
    assert ("pdf-forms:listing" in bench.row("t")["observed"]) == lists
    offered = [conversation for conversation in bench.server.conversations if described(conversation, "zebra")]
    assert any("quokka" in conversation.text for conversation in offered)
    assert not any("quokka" in conversation.text for conversation in offered if not conversation.results)


def test_a_sample_keeps_the_version_of_the_program_and_the_model_that_it_was_served(bench: Bench) -> None:
    bench.cases(trigger("t", "Fill in this form"))
    bench.build()
    lock = json.loads((bench.workspace / "skills/pdf-forms/selftune.lock").read_text())
    assert lock["agents"][bench.host]["identity"]["model"] == bench.model
    (reply,) = bench.replies()
    pinned = json.loads((PINNED).read_text())["dependencies"]
    assert reply.program == f"{bench.host} {pinned[bench.facts.package]}"
    assert reply.model == (bench.model if bench.facts.tells_model else None)


def test_a_competitor_that_is_chosen_is_not_this_skill(bench: Bench) -> None:
    bench.server.script = use_skill("heron", lambda conversation, skill: Say("tea it is"))
    bench.cases(trigger("t", "Fill in this form"))
    bench.build()
    assert bench.row("t")["triggered"] == 0
    assert bench.replies()[0].skills_used == ("tea",)
    assert "tea:body" in bench.row("t")["observed"]


def test_offered_is_not_triggered(bench: Bench) -> None:
    bench.server.script = lambda conversation: Say("pdf-forms would be the skill for it")
    bench.cases(trigger("t", "Fill in this form"), trigger("n", "Fill in no form", should=False))
    bench.build()
    assert bench.row("t")["triggered"] == bench.row("n")["triggered"] == 0
    assert bench.row("t")["observed"] == []
    assert all(described(conversation, "zebra") for conversation in bench.server.conversations if conversation.tools)


def test_an_activation_that_failed_is_not_triggered(bench: Bench) -> None:
    def script(conversation: Conversation) -> Answer:
        if conversation.results or not conversation.tools:
            return Say("that did not work")
        if conversation.offers("exec_command"):
            return shell(conversation, "cat .agents/skills/pdf-form/SKILL.md .agents/skills/pdf-forms/SKILL.md >&2; exit 1")
        return open_skill(conversation, Listed("pdf-form", "", ".pi/skills/pdf-form"))

    bench.server.script = script
    bench.cases(trigger("t", "Fill in this form"))
    bench.build()
    assert bench.row("t")["triggered"] == 0


def test_opening_the_file_of_the_skill_is_activating_it(bench: Bench) -> None:
    def script(conversation: Conversation) -> Answer:
        skill = described(conversation, "zebra")
        if skill is None or conversation.results:
            return Say("read")
        folder = skill.folder or f"{workspace_of(conversation)}/{bench.facts.folder}/pdf-forms"
        return read(conversation, f"{folder}/SKILL.md")

    bench.server.script = script
    bench.cases(trigger("t", "Fill in this form"))
    bench.build()
    assert bench.row("t")["triggered"] == 1


def workspace_of(conversation: Conversation) -> str:
    """The working directory, as a host tells its model."""
    line = next(line for line in conversation.text.splitlines() if "orking directory" in line)
    return line.partition(": ")[2].strip()


@pytest.mark.parametrize("host", [name for name, facts in HOSTS.items() if facts.sign], indirect=True)
def test_a_skill_that_the_prompt_calls_by_the_hosts_sign_is_activated(bench: Bench) -> None:
    bench.server.script = lambda conversation: Say("quokka" if "quokka" in conversation.text else "no body")
    bench.cases(task("t", str(bench.facts.sign), "quokka"))
    bench.build()
    assert bench.row("t")["triggered"] == bench.row("t")["passed"] == 1


def test_the_routing_profile_reads_and_stops_early_and_the_package_profile_works(bench: Bench) -> None:
    def script(conversation: Conversation) -> Answer:
        skill = described(conversation, "zebra")
        if skill is None or not conversation.tools:
            return Say("NO-SKILL")
        if not conversation.results:
            return open_skill(conversation, skill)
        if len(conversation.results) == 1:
            return shell(conversation, "echo written > out.txt && cat out.txt")
        return Say(conversation.results[-1].text)

    bench.server.script = script
    check = {
        "id": "w",
        "prompt": "Fill it",
        "should_trigger": True,
        "checks": [{"file-contains": {"path": "out.txt", "text": "written"}}],
    }
    bench.cases(trigger("t", "Fill in this form"), check)
    bench.build()
    assert bench.row("t")["triggered"] == 1
    assert bench.row("w")["passed"] == 1
    by_profile = {bool(archive.files): archive for archive in bench.archives() if archive.request["prompt"].startswith("Fill in")}
    assert set(by_profile) == {False}


def test_a_reference_that_was_read_makes_its_case_stale_and_another_one_does_not(bench: Bench) -> None:
    def then(conversation: Conversation, skill: Listed) -> Answer:
        if "Fill in the fields" in conversation.text and len(conversation.results) == 1:
            return read(conversation, f"{folder_of(conversation, skill)}/references/fields.md")
        return Say("ibis" if "ibis" in conversation.text else "quokka")

    bench.server.script = use_skill("zebra", then)
    bench.cases(task("fields", "Fill in the fields", "ibis"), task("body", "Fill in the form", "quokka"))
    first = bench.build()
    assert bench.row("fields")["passed"] == bench.row("body")["passed"] == 1, first.stderr
    assert "pdf-forms:file:references/fields.md" in bench.row("fields")["observed"]
    assert "pdf-forms:file:references/fields.md" not in bench.row("body")["observed"]
    assert bench.build().calls == 0
    bench.write("skills/pdf-forms/references/rest.md", "Still nothing to see.\n")
    assert bench.build().calls == 0
    bench.server.forget()
    bench.write("skills/pdf-forms/references/fields.md", "The field is called ibis, always.\n")
    assert bench.build().calls == 1
    assert any("always" in conversation.text for conversation in bench.server.conversations)
