"""A question in the role `complete`: which answer it is, and who pays for one that a process before has left."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from selftune_build.agents.command import CommandAgent
from selftune_build.agents.protocol import CompleteRequest
from selftune_build.engine.paying.budget import Purse
from selftune_build.engine.paying.completing import Completer, Completion
from selftune_build.engine.request import Surroundings
from selftune_build.model.manifest import AgentDefinition
from selftune_build.reading.answer import InvalidAnswer
from selftune_build.report.progress import Progress
from selftune_build.store.samples import SampleStore
from selftune_build.store.wip import Call

QUESTION = Completion("Is it so?", {"type": "object"})


class Oracle(CommandAgent):
    """Says which sample it is, for a quarter of a dollar."""

    def __init__(self) -> None:
        super().__init__("oracle", AgentDefinition(type="command", argv=["true"]), Path("/"), None)
        self.samples: list[int] = []

    def complete(self, request: CompleteRequest, answer: BinaryIO) -> None:
        self.samples.append(request.sample)
        output = json.dumps({"n": request.sample})
        answer.write(json.dumps({"output": output, "usage": {"cost_usd": 0.25}}).encode())


def completer(folder: Path) -> Completer:
    around = Surroundings(Progress(io.StringIO(), quiet=True), lambda price: None)
    return Completer(Oracle(), None, SampleStore(folder), Purse(), around)


def second(answer: Any) -> int:
    """Refuses the first answer."""
    if answer["n"] == 0:
        raise InvalidAnswer("not this one")
    return int(answer["n"])


def test_the_agent_hears_which_of_several_answers_it_gives(tmp_path: Path) -> None:
    asking = completer(tmp_path)
    assert asking.ask(QUESTION, second) == 1
    assert asking.agent.samples == [0, 1]  # type: ignore[attr-defined]
    assert str(asking.purse.cost) == "0.50"


def test_what_a_process_before_has_paid_for_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_call: Call) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Call, "complete", killed)
        with pytest.raises(KeyboardInterrupt):
            completer(tmp_path).ask(QUESTION, dict)
    after = completer(tmp_path)
    assert after.ask(QUESTION, dict) == {"n": 0}
    assert (after.agent.samples, after.purse.calls, after.purse.cost) == ([], 0, 0)  # type: ignore[attr-defined]
