"""The agent type `llm`: one process for each sample, in which the library runs."""

from __future__ import annotations

import threading
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from selftune_agent_llm import keys, reading
from selftune_agent_llm.diagnosis import INSTALL, diagnose
from selftune_agent_llm.dialogue import digest_source
from selftune_agent_llm.library import Description
from selftune_agent_llm.process import work
from selftune_agent_llm.worker import Job, Offered
from selftune_build.agents.declaration import identity_of, refuse_argv, traits_of
from selftune_build.agents.hosts.login import given, masked, scrub, written
from selftune_build.agents.outcome import require_answer
from selftune_build.agents.protocol import AgentFailure, AgentSettings, AgentType, CompleteRequest, RunRequest
from selftune_build.agents.staging import Staging
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.limits import HOST_PROBE_OUTPUT_BYTES, HOST_PROBE_TIMEOUT_S, RESPONSE_BYTES
from selftune_build.model.manifest import AgentDefinition
from selftune_build.model.sample import ErrorKind, Reply, Usage

CACHE_VERSION = "1"
REMARK = "chat-only: a model chose skills and read their files; no script was run, no file was written"
PROFILES = {"package": [reading.READING, reading.CHOOSING], "routing": [reading.CHOOSING]}
NO_MODEL = "the agent `{}` needs a model: add `--model NAME` (`llm models` lists them), or `model:` in selftune.yaml"
NO_SCHEMA = "the model {!a} takes no JSON schema, so it cannot decide: `llm models --schemas` lists those that do"
UNKNOWN = (
    "llm has no model {!a}: `llm models` lists them, `pip install llm-anthropic` (or llm-gemini, …) brings those of another "
    "provider, and with OPENAI_BASE_URL any name is asked for there"
)
NO_KEY = "llm has no key for {!a}: type `llm keys set {}`"


class LlmAgent:
    """`agents.protocol.Agent` for one model. Raises InputError for settings that do not fit one."""

    def __init__(self, settings: AgentSettings) -> None:
        definition = settings.definition or AgentDefinition(type=LLM.id)
        refuse_argv(settings.name, definition, LLM.id, "name the model under `model:`")
        self.name = settings.name
        self._model = settings.model
        self._named = definition.env
        self.identity: dict[str, Any] = identity_of(LLM.id, CACHE_VERSION, definition, settings.model, _own())
        self.traits = traits_of(definition, opens_skill_files=False, remark=REMARK)

    def run(self, request: RunRequest, answer: BinaryIO) -> None:
        """The decision, and under the profile `package` the turns after it; see `agents.protocol.Agent`."""
        workspace = request.workspace
        skills = tuple(Offered(each.name, each.description, str(workspace.skill(each.name))) for each in request.skills)
        job = Job(request.profile, self._asked(request.model), request.prompt, skills, request.max_turns)
        self._call(job, workspace.home, answer, request.timeout_s, request.cancel)

    def complete(self, request: CompleteRequest, answer: BinaryIO) -> None:
        """Answer the prompt alone, as JSON that matches the schema where one is given: anything else is no answer."""
        job = Job("complete", self._asked(request.model), request.prompt, schema=request.schema)
        with Staging() as stage:
            self._call(job, stage.home, answer, request.timeout_s, request.cancel)

    def parse(self, raw: bytes) -> Reply:
        """The answer as data; pure. Raises AgentFailure where it holds none."""
        return reading.reply(raw)

    def billed(self, raw: bytes) -> Usage | None:
        """What the turns cost, also where they led to no answer."""
        return reading.billed(raw)

    def unavailable(self) -> str | None:
        """Why the model cannot be asked here and what to do about it, or None."""
        if self._model is None:
            return NO_MODEL.format(self.name)
        found = self._described
        if isinstance(found, str):
            return found
        if not found.known:
            return UNKNOWN.format(self._model)
        if not found.schemas:
            return NO_SCHEMA.format(self._model)
        if found.key is None:
            return None
        variable = f", or set {found.variable}" if found.variable else ""
        named = found.variable in {*self._named, *(each.name for each in keys.VARIABLES)} or not variable
        env = "" if named else f" and name it under `env:` of the agent `{self.name}` in selftune.yaml"
        return NO_KEY.format(self._model, found.key) + variable + env

    @cached_property
    def _described(self) -> Description | str:
        """What the library says of the model, or why it cannot be asked."""
        with Staging() as stage, given(keys.login(self._named), stage.home) as login:
            job = Job("describe", self._model or "")
            outcome = work(job, stage.home, login, HOST_PROBE_TIMEOUT_S, HOST_PROBE_OUTPUT_BYTES)
            last = masked(outcome.stderr, login.secrets).decode("utf-8", "replace").strip().rpartition("\n")[2]
        try:
            return msgspec.json.decode(outcome.stdout, type=Description)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return f"the library llm does not work here: {' '.join(last.split())[:300] or outcome.ended}; try `{INSTALL}`"

    def _asked(self, model: str | None) -> str:
        name = model or self._model
        if name is None:
            raise AgentFailure(ErrorKind.UNAVAILABLE, NO_MODEL.format(self.name))
        return name

    def _call(self, job: Job, home: Path, answer: BinaryIO, timeout_s: int, cancel: threading.Event | None) -> None:
        descriptor, start = answer.fileno(), answer.seek(0, 2)
        with given(keys.login(self._named), home) as login:
            outcome = work(job, home, login, timeout_s, RESPONSE_BYTES, answer, cancel)
        raw = scrub(descriptor, start, written(descriptor, start), login.secrets)
        stderr = masked(outcome.stderr, login.secrets)
        require_answer(self.parse, raw, msgspec.structs.replace(outcome, stderr=stderr), timeout_s, RESPONSE_BYTES)


def _own() -> dict[str, Any]:
    return {"dialogue": digest_bytes(digest_source()), "profiles": PROFILES}


LLM = AgentType(
    "llm",
    CACHE_VERSION,
    LlmAgent,
    "any model of the llm library, chat-only: it chooses a skill and reads its files, runs no script, writes no file",
    INSTALL,
    diagnose=diagnose,
)
