"""What is no answer is an error of its kind and no evidence; what a model gets wrong it is told, and it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from selftune_build.model.sample import ErrorKind
from selftune_build.testing.model_server import Answer, Call, Cut, Hang, Refuse, Say, chat

from .conftest import SECRET, Bench, task, trigger


@pytest.mark.parametrize(
    ("answer", "kind", "attempts"),
    [
        (Refuse(401), ErrorKind.AUTH, 1),
        (Refuse(404), ErrorKind.UNAVAILABLE, 1),
        (Refuse(429, retry_after=1), ErrorKind.RATE_LIMIT, 3),
        (Refuse(500), ErrorKind.REPORTED, 3),
        (Cut(), ErrorKind.PROTOCOL, 3),
        pytest.param(Hang(), ErrorKind.TIMEOUT, 2, marks=pytest.mark.slow),
    ],
    ids=["401", "404", "429", "500", "cut", "hang"],
)
def test_what_is_no_answer_is_an_error_of_its_kind_and_no_evidence(
    bench: Bench, answer: Answer, kind: ErrorKind, attempts: int
) -> None:
    if isinstance(answer, Hang):
        bench.configure(limits={"timeout_s": 10})
    bench.server.script = lambda conversation: answer
    bench.cases(trigger("t", "form"))
    assert bench.build("pdf-forms")["exit_code"] == 3
    assert bench.workspace.archives() == []
    assert [attempt.kind for attempt in bench.workspace.attempts()] == [kind] * attempts
    assert len(bench.server.conversations) == attempts
    assert SECRET.encode() not in bench.workspace.stored()
    assert bench.left() == []


def test_a_service_that_nobody_answers_for_is_an_error(bench: Bench) -> None:
    bench.configure(options={"base_url": "http://127.0.0.1:1/v1"})
    bench.cases(trigger("t", "form"))
    assert bench.build("pdf-forms")["exit_code"] == 3
    assert {attempt.kind for attempt in bench.workspace.attempts()} == {ErrorKind.REPORTED}


def test_what_a_model_gets_wrong_it_is_told_and_its_words_are_never_sent_back_as_json(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers break on arguments that are no JSON: what goes back is an empty object, and the model is told what it wrote."""
    wrong: list[tuple[str, Any]] = [
        ("read_file", '{"path": "refer'),
        ("read_file", "[1]"),
        ("read_file", "{}"),
        ("run_script", '{"path": "x", "arguments": "a b"}'),
        ("read_file", '{"path": 3}'),
        ("activate_skill", '{"name": "coffee"}'),
        ("bash", '{"command": "ls"}'),
        ("read_file", '{"path": "' + "x/" * 2000 + '"}'),
    ]
    whole = chat.whole

    def several(answer: Any, model: str, serial: int) -> dict[str, Any]:
        document = whole(answer, model, serial)
        if isinstance(answer, Call):
            calls = [{"type": "function", "function": {"name": name, "arguments": given}} for name, given in wrong]
            document["choices"][0]["message"]["tool_calls"] = calls
        return document

    monkeypatch.setattr(chat, "whole", several)
    bench.server.script = lambda conversation: (
        Say("\n".join(each.text for each in conversation.results)) if conversation.results else Call("read_file")
    )
    bench.cases({**task("t", "form", {"contains": "there is no tool 'bash'"}), "should_trigger": False})
    bench.build()
    reply = bench.reply()
    told = reply.output
    for part in (
        'the arguments of read_file have to be a JSON object, and these are none: \'{"path": "refer\'',
        "needs 'path'",
        "'arguments' of run_script has to be a list of strings",
        "'path' of read_file has to be a string",
        "There is no skill 'coffee': there are pdf-forms, tea.",
        "leads out of the workspace",
    ):
        assert part in told
    assert (reply.skills_used, reply.files_read) == ((), ())
    assert [call.name for call in reply.tool_calls or ()] == [name for name, _ in wrong]
    sent = [call.input for call in bench.server.conversations[-1].calls]
    assert sent[0] == sent[1] == {}


def test_a_key_that_a_model_repeats_is_masked_and_none_goes_where_it_is_not_meant_for(bench: Bench) -> None:
    bench.server.script = lambda conversation: Say(f"My key is {SECRET}.")
    bench.cases({**task("t", "form", {"contains": "My key is [login]."}), "should_trigger": False})
    bench.build()
    assert bench.row("t")["passed"] == 1
    assert {request.headers["authorization"] for request in bench.server.requests} == {f"Bearer {SECRET}"}
    assert SECRET.encode() not in bench.workspace.stored()
    bench.server.forget()
    bench.configure(options={"key": "OPENAI_API_KEY"})
    bench.build(OPENAI_API_KEY="")
    assert bench.server.requests == ()


def test_without_any_count_of_tokens_their_limit_is_not_taken_for_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = chat.whole
    monkeypatch.setattr(chat, "whole", lambda *given: {**whole(*given), "usage": None})
    bench.server.script = lambda conversation: Call("list_folder", {"path": "."})
    bench.configure(options={"token_limit": 1000})
    bench.cases(task("t", "form", {"contains": "x"}))
    assert bench.build()["exit_code"] == 3
    assert {attempt.kind for attempt in bench.workspace.attempts()} == {ErrorKind.PROTOCOL}
    assert len(bench.server.conversations) == len(bench.workspace.attempts())


def test_of_many_calls_at_once_the_first_are_carried_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = chat.whole

    def many(answer: Any, model: str, serial: int) -> dict[str, Any]:
        document = whole(answer, model, serial)
        if isinstance(answer, Call):
            (call,) = document["choices"][0]["message"]["tool_calls"]
            document["choices"][0]["message"]["tool_calls"] = [{**call, "id": f"c{number}"} for number in range(40)]
        return document

    monkeypatch.setattr(chat, "whole", many)
    bench.server.script = lambda conversation: (
        Say(f"{sum('Not carried out' in each.text for each in conversation.results)} of {len(conversation.results)}")
        if conversation.results
        else Call("list_folder", {"path": "."})
    )
    bench.cases({**task("t", "form", {"contains": "8 of 40"}), "should_trigger": False})
    bench.build()
    assert bench.row("t")["passed"] == 1
