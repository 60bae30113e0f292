"""Streams of whole messages: calls with their results, and the last words."""

from __future__ import annotations

from typing import Any

from selftune_build.agents.hosts import Opening, Stream, Use, last_words, uses_of


def said(kind: str, *blocks: Any) -> dict[str, Any]:
    return {"type": kind, "message": {"content": list(blocks)}}


def call(name: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": name, "name": name, "input": {"x": 1}}


def back(name: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": name, "content": content, **more}


def test_every_call_has_its_result_as_text() -> None:
    events = (
        said("assistant", call("a"), call("b"), call("c")),
        said("user", back("b", [{"type": "text", "text": "two"}, {"text": "lines"}], is_error=True), back("a", "one"), "words"),
    )
    uses = list(uses_of(Stream(Opening(), events)))
    assert uses == [Use("a", {"x": 1}, "one", False), Use("b", {"x": 1}, "two\nlines", True), Use("c", {"x": 1}, None, False)]


def test_the_last_words_are_those_of_the_model() -> None:
    text = {"type": "text", "text": "mine"}
    events = (said("assistant", text), said("assistant", call("a")), said("user", {"type": "text", "text": "theirs"}))
    assert last_words(Stream(Opening(), events)) == "mine"
    assert (
        last_words(Stream(Opening(), ({"type": "assistant", "message": {"content": "no blocks"}}, {"type": "assistant"}))) == ""
    )
