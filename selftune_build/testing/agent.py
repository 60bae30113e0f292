"""What every agent of a plugin has to hold to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from selftune_build.agents.protocol import Agent, AgentFailure, AgentSettings, AgentType, CompleteRequest, RunRequest, StagedSkill
from selftune_build.agents.staging import SkillSource, Staging
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.model.manifest import AgentDefinition
from selftune_build.model.package import TreeFile
from selftune_build.model.sample import ErrorKind, Reply
from selftune_build.plugins.contain import Supplier
from selftune_build.plugins.guarded_agent import guarded_agent_type
from selftune_build.plugins.kinds import Kind, id_fault

_SKILL = b"---\nname: greeting\ndescription: Greets people. Use it when somebody asks for one.\n---\n\nSay: Good morning!\n"


class AgentContract:
    """Subclass it with `agent_type`; override the fields below where your agent needs other settings.

    An agent that asks a real service is given `prompt`; point it at a stand-in by `definition` or the environment.
    """

    agent_type: ClassVar[AgentType]
    definition: ClassVar[AgentDefinition | None] = None
    model: ClassVar[str | None] = None
    prompt: ClassVar[str] = "Please greet me."
    timeout_s: ClassVar[int] = 60
    broken_answers: ClassVar[tuple[bytes, ...]] = (b"", b"\x00\xff\xfe", b"{", b"[]", b"null", b'{"output": 3}')
    """Bytes that `parse` has to refuse."""

    @pytest.fixture
    def agent(self, tmp_path: Path) -> Agent:
        """The agent as the engine gets it."""
        settings = AgentSettings(self.agent_type.id, self.definition, self.model, tmp_path)
        return guarded_agent_type(self.agent_type, Supplier("plugin-under-test")).make(settings)

    @pytest.fixture
    def stage(self, tmp_path: Path) -> Iterator[Staging]:
        """A workspace with one skill on offer."""
        package = tmp_path / "greeting"
        package.mkdir()
        (package / "SKILL.md").write_bytes(_SKILL)
        file = TreeFile("SKILL.md", digest_bytes(_SKILL), len(_SKILL))
        with Staging((), {"greeting": SkillSource("greeting", package, (file,))}) as stage:
            yield stage

    def request(self, stage: Staging) -> RunRequest:
        """What the agent is asked."""
        skills = (StagedSkill("greeting", "Greets people. Use it when somebody asks for one."),)
        return RunRequest("sha256:" + "0" * 64, self.prompt, stage, skills, self.model, 0, self.timeout_s, 5)

    def answer(self, agent: Agent, stage: Staging) -> bytes:
        """One raw answer, written to a file as the engine hands it over."""
        if not agent.traits.lazy:
            stage.place_all()
        path = Path(stage.home) / "answer"
        with path.open("w+b", buffering=0) as file:
            agent.run(self.request(stage), file)
        return path.read_bytes()

    def test_its_id_can_be_written_in_a_manifest(self) -> None:
        """A manifest, a lock and the command line name it."""
        assert id_fault(Kind.AGENT, self.agent_type.id) is None
        assert self.agent_type.cache_version

    def test_its_identity_is_plain_json_and_says_id_and_cache_version(self, agent: Agent) -> None:
        """It stands in the lock verbatim."""
        assert json.loads(json.dumps(agent.identity)) == agent.identity
        assert agent.identity["plugin"] == self.agent_type.id
        assert agent.identity["cache_version"] == self.agent_type.cache_version

    def test_its_identity_is_the_same_each_time_and_in_every_folder(self, agent: Agent, tmp_path: Path) -> None:
        """A path, a time or a random number in it would make every result stale."""
        again = AgentSettings(self.agent_type.id, self.definition, self.model, tmp_path / "elsewhere")
        (tmp_path / "elsewhere").mkdir()
        assert self.agent_type.make(again).identity.items() <= agent.identity.items()
        assert str(tmp_path) not in json.dumps(agent.identity)

    def test_its_identity_depends_on_the_model_that_is_asked_for(self, agent: Agent, tmp_path: Path) -> None:
        """Else the results of one model would be taken for those of another. Without a choice of models override this."""
        settings = AgentSettings(self.agent_type.id, self.definition, "some-other-model", tmp_path)
        assert self.agent_type.make(settings).identity != self._bare(agent)

    def test_it_is_available_here_or_says_what_to_do(self, agent: Agent) -> None:
        """One sentence for people."""
        why = agent.unavailable()
        assert why is None or (why.strip() and "\n" not in why)

    def test_its_answer_reads_as_a_reply(self, agent: Agent, stage: Staging) -> None:
        """Parsing is pure: the same bytes, the same reply."""
        raw = self.answer(agent, stage)
        reply = agent.parse(raw)
        assert isinstance(reply, Reply)
        assert agent.parse(raw) == reply

    def test_it_names_only_skills_that_were_on_offer(self, agent: Agent, stage: Staging) -> None:
        """None says that it cannot tell; a skill it was never shown is a mistake."""
        used = agent.parse(self.answer(agent, stage)).skills_used
        assert used is None or set(used) <= {"greeting"}

    def test_what_it_read_lies_in_the_workspace(self, agent: Agent, stage: Staging) -> None:
        """Paths are relative to it."""
        read = agent.parse(self.answer(agent, stage)).files_read or ()
        assert [path for path in read if not path or path.startswith(("/", "../"))] == []

    def test_it_writes_nothing_beside_its_workspace(self, agent: Agent, stage: Staging, tmp_path: Path) -> None:
        """The package is not its to edit."""
        before = _contents(tmp_path)
        self.answer(agent, stage)
        assert _contents(tmp_path) == before

    def test_what_is_no_answer_is_refused_and_never_guessed(self, agent: Agent) -> None:
        """Each of `broken_answers` is a protocol error, or one that the service reported."""
        for raw in self.broken_answers:
            with pytest.raises(AgentFailure) as caught:
                agent.parse(raw)
            assert caught.value.kind in (ErrorKind.PROTOCOL, ErrorKind.REPORTED)
            assert "failed in" not in caught.value.message, f"`parse` itself broke on {raw!r}: {caught.value.message}"
            agent.billed(raw)

    def test_it_ends_soon_after_it_is_cancelled(self, agent: Agent, stage: Staging) -> None:
        """The second Ctrl-C ends what is running: with an answer, or with an AgentFailure of its own."""
        cancel = threading.Event()
        cancel.set()
        request = msgspec.structs.replace(self.request(stage), cancel=cancel)
        with (Path(stage.home) / "answer").open("w+b", buffering=0) as file:
            failure = _failure(lambda: agent.run(request, file))
        assert failure is None or "failed in" not in failure.message

    def test_it_completes_or_says_that_it_does_not(self, agent: Agent, tmp_path: Path) -> None:
        """`traits.completes` decides."""
        request = CompleteRequest("sha256:" + "1" * 64, "Say yes.", self.model, self.timeout_s)
        with (tmp_path / "answer").open("w+b", buffering=0) as file:
            failure = _failure(lambda: agent.complete(request, file))
        if agent.traits.completes:
            assert failure is None
            assert isinstance(agent.parse((tmp_path / "answer").read_bytes()), Reply)
        else:
            assert failure is not None
            assert failure.kind is ErrorKind.UNAVAILABLE

    def _bare(self, agent: Agent) -> dict[str, Any]:
        """The identity as the plugin itself states it."""
        inner: Any = agent
        identity: dict[str, Any] = inner._agent.identity
        return identity


def _failure(call: Callable[[], None]) -> AgentFailure | None:
    try:
        call()
    except AgentFailure as failure:
        return failure
    return None


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
