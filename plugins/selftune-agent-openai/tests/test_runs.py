"""The real command against a scripted model: what is offered, read, run and written, and what an edit makes stale."""

from __future__ import annotations

import json
from typing import Any

from selftune_agent_openai.agent import REMARK

from selftune_build.model.sample import ToolCall
from selftune_build.testing.model_server import Answer, Call, Conversation, Listed, Say, described, open_skill, use_skill

from .conftest import FOLDER, KEY, MODEL, SECRET, TEA, Bench, task, trigger


def steps(*listed: Answer) -> Any:
    """A model that opens the forms, then takes these steps, and at last says all it was told."""

    def then(conversation: Conversation, skill: Listed) -> Answer:
        done = len(conversation.results) - 1
        return listed[done] if done < len(listed) else Say("\n".join(each.text for each in conversation.results))

    return use_skill("zebra", then)


def by_prompt(conversation: Conversation) -> Answer:
    """Opens the forms, the tea or nothing, as the prompt says."""
    words = {"form": "zebra", "thirsty": "heron"}
    found = next((skill for word, skill in words.items() if conversation.prompt.startswith(word)), "no such words")
    skill = described(conversation, found)
    return open_skill(conversation, skill) if skill else Say("NO-SKILL")


def test_routing_is_one_request_with_one_tool_and_its_call_is_the_decision(bench: Bench) -> None:
    bench.server.script = by_prompt
    bench.cases(trigger("chosen", "form!"), trigger("competitor", "thirsty!", False), trigger("none", "hello!", False))
    report = bench.build("pdf-forms")
    assert [bench.row(case)["triggered"] for case in ("chosen", "competitor", "none")] == [1, 0, 0]
    assert len(bench.server.conversations) == report["spend"]["agent_calls"] == 3
    assert {tuple(tool.name for tool in each.tools) for each in bench.server.conversations} == {("activate_skill",)}
    assert not any(word in each.text for each in bench.server.conversations for word in ("quokka", "narwhal", "references"))
    package = report["packages"][0]
    assert (package["origin"], package["remark"]) == ("live", REMARK)


def test_a_file_that_was_read_makes_exactly_its_cases_stale(bench: Bench) -> None:
    def then(conversation: Conversation, skill: Listed) -> Answer:
        if "quokka" not in conversation.text:
            return Say("the body did not arrive")
        name = conversation.prompt.partition(" ")[2]
        path = f"{FOLDER}/references/{name}.md"
        return Say(conversation.results[-1].text) if len(conversation.results) > 1 else Call("read_file", {"path": path})

    bench.server.script = use_skill("zebra", then)
    bench.cases(task("fields", "form fields", {"contains": "ibis"}), task("rest", "form rest", {"contains": "Nothing"}))
    assert bench.calls() == 2
    assert [bench.row(case)["passed"] for case in ("fields", "rest")] == [1, 1]
    assert bench.row("fields")["observed"] == ["pdf-forms:body", "pdf-forms:file:references/fields.md"]
    bench.workspace.write({"skills/pdf-forms/references/new.md": "new", "skills/tea/SKILL.md": TEA + "More.\n"})
    assert bench.calls() == 0
    bench.workspace.write({"skills/pdf-forms/references/fields.md": "The field is still called ibis.\n"})
    assert bench.calls() == 1
    bench.workspace.write({"skills/pdf-forms/references/fields.md": "The field is called ibis.\n"})
    assert bench.calls() == 0


def test_a_listing_makes_names_evidence_and_only_those_of_its_skill(bench: Bench) -> None:
    bench.server.script = steps(Call("list_folder", {"path": FOLDER}), Call("read_file", {"path": f"{FOLDER}/absent.md"}))
    bench.cases(task("t", "form", {"contains": "references/"}))
    assert bench.calls() == 1
    assert bench.row("t")["passed"] == 1
    assert bench.row("t")["observed"] == ["pdf-forms:body", "pdf-forms:file:absent.md", "pdf-forms:listing"]
    bench.workspace.write({"skills/tea/more.md": "more"})
    assert bench.calls() == 0
    bench.workspace.write({"skills/pdf-forms/references/rest.md": "Another text.\n"})
    assert bench.calls() == 0
    bench.workspace.write({"skills/pdf-forms/absent.md": "here now"})
    assert bench.calls() == 1


def test_a_script_runs_in_the_workspace_with_nothing_of_the_user_and_what_it_leaves_is_checked(bench: Bench) -> None:
    bench.server.script = steps(
        Call("run_script", {"path": f"{FOLDER}/scripts/fill.py", "arguments": ["a b", "$HOME"]}),
        Call("read_file", {"path": "form.txt"}),
        Call("write_file", {"path": "out/notes.md", "content": "heed the ibis\n"}),
    )
    files = {"path": "out/notes.md", "text": "heed"}
    bench.cases(
        {
            **task("t", "form", {"contains": "filled a b $HOME in root"}, {"file-contains": files}),
            "files": [{"dest": "given.txt", "content": "x"}],
        }
    )
    bench.configure(definition={"env": ["HANDED_ON"]})
    assert bench.build("pdf-forms:replay", HANDED_ON="yes", NOT_HANDED_ON="no")["exit_code"] == 0
    assert bench.row("t")["passed"] == 1
    assert bench.row("t")["observed"] == ["pdf-forms:body", "pdf-forms:file:scripts/fill.py", "pdf-forms:listing", "tea:listing"]
    reply = bench.reply()
    told = reply.output.splitlines()
    names = set(told[told.index("stderr:") + 1].split())
    assert "HANDED_ON" in names
    assert [name for name in names if name in ("NOT_HANDED_ON", "SCRIPTED_KEY", "SELFTUNE_STORE", "OPENAI_API_KEY")] == []
    assert reply.skills_used == ("pdf-forms",)
    assert reply.files_read == (f"{FOLDER}/SKILL.md", "form.txt")
    assert reply.tool_calls is not None
    assert reply.tool_calls[0] == ToolCall("activate_skill", {"name": "pdf-forms"})
    assert (reply.usage and reply.usage.turns, reply.model) == (5, MODEL)
    assert bench.left() == []


def test_a_script_finds_the_key_in_no_process(bench: Bench) -> None:
    """The command itself has it in its environment."""
    look = (
        "import glob\n"
        "for path in glob.glob('/proc/[0-9]*/environ'):\n"
        "    try:\n"
        "        content = open(path, 'rb').read()\n"
        "    except OSError:\n"
        "        continue\n"
        f"    if b'{KEY}=' in content: print('found it')\n"
        "print('looked')\n"
    )
    bench.workspace.write({"skills/pdf-forms/scripts/look.py": look})
    bench.server.script = steps(Call("run_script", {"path": f"{FOLDER}/scripts/look.py"}))
    bench.cases(task("t", "form", {"contains": "looked"}, {"not-contains": "found it"}))
    bench.build()
    assert bench.row("t")["passed"] == 1


def test_no_exec_refuses_a_sample_that_needs_a_script_and_no_other(bench: Bench) -> None:
    bench.server.script = steps(Call("run_script", {"path": f"{FOLDER}/scripts/fill.py", "arguments": []}))
    bench.cases(task("t", "form", {"contains": "filled"}))
    report = bench.build("pdf-forms:replay", "--no-exec")
    assert (report["exit_code"], bench.workspace.archives()) == (3, [])
    assert "--no-exec" in json.dumps(report)
    bench.server.script = steps(Call("read_file", {"path": f"{FOLDER}/references/fields.md"}))
    bench.cases(task("t", "form", {"contains": "ibis"}))
    bench.build("pdf-forms:replay", "--no-exec")
    assert bench.row("t")["passed"] == 1


def test_a_hostile_skill_gets_nothing_read_or_written_outside_of_the_workspace(bench: Bench) -> None:
    (bench.home / "secret.txt").write_text("the heirloom")
    link = "import os; os.symlink('/etc', 'etc'); open(os.environ['HOME'] + '/../../evil', 'w')"
    bench.workspace.write({"skills/pdf-forms/scripts/link.py": link})
    bench.server.script = steps(
        Call("read_file", {"path": str(bench.home / "secret.txt")}),
        Call("read_file", {"path": "../home/.netrc"}),
        Call("write_file", {"path": "../evil", "content": "x"}),
        Call("write_file", {"path": ".git/config", "content": "x"}),
        Call("run_script", {"path": f"{FOLDER}/scripts/link.py"}),
        Call("read_file", {"path": "etc/passwd"}),
        Call("list_folder", {"path": "etc"}),
        Call("run_script", {"path": "etc/rc.local"}),
    )
    bench.configure(limits={"timeout_s": 60, "max_turns": 20})
    bench.cases(task("t", "form", {"contains": "outside"}))
    report = bench.build("pdf-forms:replay", "-v")
    assert bench.row("t")["passed"] == 1
    reply = bench.reply()
    assert [word for word in ("heirloom", "root:", SECRET) if word in reply.output] == []
    assert "Permission denied" in reply.output
    assert len(reply.refused) == 8
    assert reply.files_read == (f"{FOLDER}/SKILL.md",)
    assert "act-refused" in [finding["code"] for finding in report["packages"][0]["findings"]]
    assert list(bench.temporary.iterdir()) == []


def test_turns_are_a_limit_and_using_them_up_is_an_answer(bench: Bench) -> None:
    bench.server.script = steps(*[Call("list_folder", {"path": "."})] * 20)
    bench.configure(limits={"timeout_s": 60, "max_turns": 3})
    bench.cases(task("t", "form", {"tool-called": "list_folder"}))
    bench.build()
    assert bench.row("t")["passed"] == 1
    assert len(bench.server.conversations) == 3


def test_tokens_are_a_limit_where_the_service_tells_them(bench: Bench) -> None:
    bench.server.script = steps(*[Call("list_folder", {"path": "."})] * 20)
    bench.configure(options={"token_limit": 200})
    bench.cases(task("t", "form", {"tool-called": "list_folder"}))
    bench.build()
    assert bench.row("t")["passed"] == 1
    assert len(bench.server.conversations) == 2


def test_prices_are_those_of_the_manifest_and_no_part_of_a_key(bench: Bench) -> None:
    bench.server.script = steps()
    bench.cases(task("t", "form", {"contains": "quokka"}))
    bench.configure(definition={"prices": {"input": "1", "output": "10"}})
    report = bench.build()
    assert report["spend"]["cost_usd"] == 2 * (101 * 1 + 7 * 10) / 1e6
    bench.configure(definition={"prices": {"input": "2", "output": "10"}})
    assert bench.calls() == 0


def test_options_are_part_of_the_key_and_locked_notices_a_change_without_the_plugin(bench: Bench) -> None:
    bench.server.script = steps()
    bench.cases(task("t", "form", {"contains": "quokka"}))
    bench.configure(options={"request": {"temperature": 0.5, "seed": 7}})
    bench.build("pdf-forms")
    (asked, *_) = [json.loads(request.body) for request in bench.server.requests]
    assert (asked["temperature"], asked["seed"], asked["model"], asked.get("stream")) == (0.5, 7, MODEL, None)
    identity = bench.workspace.lock("skills/pdf-forms")["agents"]["local"]["identity"]
    assert identity["options"]["request"] == {"seed": 7, "temperature": "0.5"}
    assert SECRET not in json.dumps(identity)
    locked = ("pdf-forms", "--locked")
    before = bench.build(*locked)
    assert "agent-changed" not in json.dumps(before)
    bench.configure(options={"request": {"temperature": 0.6, "seed": 7}})
    problems = bench.build(*locked)["packages"][0]["problems"]
    assert "agent-changed" in [problem["code"] for problem in problems]
    assert bench.calls("pdf-forms:replay") == 1


def test_each_sample_has_a_seed_of_its_own(bench: Bench) -> None:
    bench.server.script = steps()
    bench.cases(task("t", "form", {"contains": "quokka"}))
    bench.configure(options={"request": {"seed": 7}}, definition={"deterministic": False}, samples={"min": 3})
    assert bench.calls() == 3
    assert sorted({json.loads(request.body)["seed"] for request in bench.server.requests}) == [7, 8, 9]
