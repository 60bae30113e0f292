"""What answers say, and what they say that they cost; forms in which servers differ. Nothing runs here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from selftune_agent_openai import chat, dialogue, tools, workspace
from selftune_agent_openai.events import Answered, End, Opening, Used
from selftune_agent_openai.options import Prices
from selftune_agent_openai.reading import billed, reply
from selftune_agent_openai.service import pause

from selftune_build.agents.hosts.stream import line
from selftune_build.agents.protocol import AgentFailure
from selftune_build.model.sample import ErrorKind, Usage

PRICES = Prices(Decimal("2"), Decimal("8"), Decimal("0.5"))


def body(message: dict[str, Any], **more: Any) -> str:
    return json.dumps({"choices": [{"message": message}], **more})


def called(tool: str, arguments: Any, **more: Any) -> dict[str, Any]:
    return {"content": None, "tool_calls": [{"function": {"name": tool, "arguments": arguments}, **more}]}


def raw(*said: Answered | Used, role: Any = "package", ended: bool = True) -> bytes:
    events = (Opening(role, ("pdf", "tea")), *said, *([End("loop 1")] if ended else []))
    return b"".join(map(line, events))


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "words"}, "words"),
        ({"content": None}, ""),
        ({"content": [{"type": "text", "text": "two "}, {"type": "x"}, {"text": "parts"}]}, "two parts"),
        ({"content": None, "refusal": "I will not"}, "I will not"),
        ({"content": "words", "tool_calls": None}, "words"),
    ],
)
def test_words_come_in_several_forms(message: dict[str, Any], text: str) -> None:
    assert chat.read(body(message)).text == text


def test_a_call_without_an_id_and_one_with_an_object_are_calls() -> None:
    (call,) = chat.read(body(called("read_file", {"path": "a"}))).calls
    assert (call.id, call.arguments) == ("call_0", {"path": "a"})
    said = chat.read(body(called("list_folder", "", id="x7"))).said()
    assert said["tool_calls"] == [{"id": "x7", "type": "function", "function": {"name": "list_folder", "arguments": "{}"}}]


@pytest.mark.parametrize(
    "sent",
    [
        *("", "<html>", "[]", "{}", "[" * 100_000, '{"choices": []}', '{"choices": [{"message": null}]}'),
        *(body({"tool_calls": [{}]}), '{"error": {"message": "full"}, "choices": []}'),
    ],
)
def test_what_is_no_answer_is_never_read_as_one(sent: str) -> None:
    with pytest.raises(chat.Malformed):
        chat.read(sent)
    with pytest.raises(AgentFailure) as caught:
        reply(raw(Answered(200, sent)))
    assert caught.value.kind is ErrorKind.PROTOCOL


def test_a_cost_is_by_the_prices_or_told_and_never_guessed() -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}}
    counted = raw(Answered(200, body({"content": "x"}, usage=usage)))
    assert billed(counted, PRICES) == Usage(1000, 100, "0.0022", turns=1)
    assert billed(counted) == Usage(1000, 100, "0", unpriced=True, turns=1)
    told = raw(Answered(200, body({"content": "x"}, usage={**usage, "cost": 0.25})))
    assert billed(told) == Usage(1000, 100, "0.25", turns=1)
    uncounted = raw(Answered(200, body({"content": "x"})))
    assert billed(uncounted, PRICES) == Usage(0, 0, "0", unpriced=True, turns=1)
    partly = raw(Answered(200, body(called("list_folder", "{}"), usage=usage)), Answered(500, "oh"), ended=False)
    assert billed(partly, PRICES) == Usage(1000, 100, "0.0022", turns=1)
    assert billed(raw(Answered(500, "oh"))) is None
    assert billed(b"{") is None


@pytest.mark.parametrize("count", [-1, True, "7", None, 10**30, 1.5])
def test_a_count_that_is_none_counts_as_nothing(count: Any) -> None:
    assert chat.read(body({"content": "x"}, usage={"prompt_tokens": count, "cost": count})).input_tokens == 0


def test_the_decision_of_routing_is_the_call_alone() -> None:
    def decided(*names: Any) -> Any:
        calls = [{"function": {"name": "activate_skill", "arguments": json.dumps({"name": name})}} for name in names]
        return reply(raw(Answered(200, body({"content": "", "tool_calls": calls})), role="routing")).skills_used

    assert decided("pdf") == ("pdf",)
    assert decided("tea", "pdf", "tea") == ("tea", "pdf")
    assert decided("coffee") == decided(3) == decided() == ()


def test_in_a_whole_run_an_activation_counts_when_its_text_arrived_by_whichever_tool() -> None:
    by_tool = Answered(200, body(called("activate_skill", '{"name": "pdf"}')))
    by_path = Answered(200, body(called("read_file", '{"path": "x/../.agents/skills/tea/SKILL.md"}')))
    done = Answered(200, body({"content": "done"}))
    path = ".agents/skills/tea/SKILL.md"
    assert reply(raw(by_tool, Used("done", "text"), by_path, Used("done", "text", path), done)).skills_used == ("pdf", "tea")
    assert reply(raw(by_tool, Used("failed", "no"), by_path, Used("absent", "no"), done)).skills_used == ()


def test_what_a_script_could_reach_is_told_where_it_was_anything() -> None:
    ran = Answered(200, body(called("run_script", '{"path": "x"}')))
    assert reply(raw(ran, Used("done", "", network="none"))).program == "loop 1"
    assert reply(raw(ran, Used("done", "", network="udp"))).program == "loop 1, scripts with network: udp"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("7", 7),
        ("Thu, 26 Nov 2026 17:00:30 GMT", 30),
        ("Thu, 26 Nov 2026 16:00:00 GMT", 0),
        ("soon", None),
        ("-3", None),
        ("Thu, 26 Nov 2026 17:00:30", None),
    ],
)
def test_a_pause_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    assert pause(header, datetime(2026, 11, 26, 17, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\nname: a\n---\n\nBody.\n", "Body."),
        ("---\r\nname: a\r\n---\r\nBody.\r\n", "Body.\r"),
        ("Body alone.", "Body alone."),
        ("---\nname: a\nno end", "---\nname: a\nno end"),
        ("---\nname: a\n---\nRule:\n---\nAfter.", "Rule:\n---\nAfter."),
    ],
)
def test_the_body_is_what_follows_the_frontmatter(text: str, expected: str) -> None:
    assert dialogue.body_of(text) == expected


def test_a_description_is_one_line_of_the_list() -> None:
    listed = dialogue.rules({"pdf": "Forms.\n- tea: all else", "tea": "Tea."}).splitlines()
    assert [each for each in listed if each.startswith("- ")] == [
        "- pdf: Forms. - tea: all else (file: .agents/skills/pdf/SKILL.md)",
        "- tea: Tea. (file: .agents/skills/tea/SKILL.md)",
    ]


def test_without_skills_there_is_no_word_of_them() -> None:
    assert "skill" not in dialogue.rules({}).lower()
    names = [each["function"]["name"] for each in tools.offered("package", ())]
    assert names == ["list_folder", "read_file", "write_file"]
    assert tools.offered("routing", ()) == []


def test_files_are_given_as_far_as_they_are_text(tmp_path: Any) -> None:
    (tmp_path / "big.txt").write_text("ä" * workspace.FILE_BYTES)
    (tmp_path / "raw.bin").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder" / ".git").mkdir(parents=True)
    (tmp_path / "folder" / "deeper").mkdir()
    assert "there is more" in workspace.read_file(tmp_path, "big.txt").text
    assert workspace.read_file(tmp_path, "raw.bin").text == "raw.bin is no text."
    assert workspace.read_file(tmp_path, "folder").outcome == "failed"
    assert workspace.read_file(tmp_path, "big.txt/x").outcome == "absent"
    assert workspace.list_folder(tmp_path, "folder").text == "deeper/"
    assert workspace.list_folder(tmp_path, "folder/deeper").text == "The folder is empty."
    assert workspace.list_folder(tmp_path, str(tmp_path)).text == "big.txt\nfolder/\nraw.bin"
    assert workspace.write_file(tmp_path, "folder", "x").outcome == "failed"
    assert workspace.write_file(tmp_path, "big.txt/x", "x").outcome == "failed"
    assert workspace.write_file(tmp_path, "new/a.txt", "\ud800").outcome == "done"
    assert (tmp_path / "new" / "a.txt").read_text() == "?"
