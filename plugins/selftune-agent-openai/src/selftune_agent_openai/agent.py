"""The agent type `openai`: one process for each sample, in which a model acts by a small loop of tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from selftune_agent_openai import reading, tools
from selftune_agent_openai.dialogue import digest_source
from selftune_agent_openai.options import options_of, prices_of
from selftune_agent_openai.process import work
from selftune_agent_openai.worker import Job
from selftune_build.agents.declaration import identity_of, refuse_argv, traits_of
from selftune_build.agents.hosts.host import hindrance, unconfined
from selftune_build.agents.hosts.login import masked, written
from selftune_build.agents.outcome import require_answer
from selftune_build.agents.protocol import AgentFailure, AgentSettings, AgentType, CompleteRequest, RunRequest
from selftune_build.agents.staging import Staging
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.limits import HOST_SECRET_CHARACTERS, RESPONSE_BYTES
from selftune_build.model.manifest import AgentDefinition
from selftune_build.model.sample import ErrorKind, Reply, Usage

CACHE_VERSION = "1"
REMARK = "a model acted in the tool loop of selftune-agent-openai: another host may show it other tools and other words"
NO_MODEL = "the agent `{}` needs a model: add `--model NAME`, or `model:` in selftune.yaml"


class OpenaiAgent:
    """`agents.protocol.Agent` for one model behind one address. Raises InputError for settings that do not fit one."""

    def __init__(self, settings: AgentSettings) -> None:
        definition = settings.definition or AgentDefinition(type=OPENAI.id)
        refuse_argv(settings.name, definition, OPENAI.id, "say where to ask by `options: {base_url: …}`")
        self.name = settings.name
        self._model = settings.model
        self._passed = definition.env
        self._options = options_of(settings.name, definition)
        self._prices = prices_of(definition)
        self.identity: dict[str, Any] = identity_of(OPENAI.id, CACHE_VERSION, definition, settings.model, _own())
        self.traits = traits_of(definition, opens_skill_files=False, exact_tools=(tools.LIST,), remark=REMARK)

    def run(self, request: RunRequest, answer: BinaryIO) -> None:
        """Have the model act; under `routing` it decides, and no more. See `agents.protocol.Agent`."""
        workspace = request.workspace
        skills = {each.name: each.description for each in request.skills}
        for name in skills:
            workspace.skill(name)
        job = self._job(request.profile, request, workspace.home, workspace.root)
        job = msgspec.structs.replace(job, skills=skills, max_turns=request.max_turns)
        self._call(job, answer, request)

    def complete(self, request: CompleteRequest, answer: BinaryIO) -> None:
        """Answer the prompt alone, as JSON that matches the schema where one is given: anything else is no answer."""
        with Staging() as stage:
            job = self._job("complete", request, stage.home, stage.root)
            self._call(msgspec.structs.replace(job, schema=request.schema), answer, request)

    def parse(self, raw: bytes) -> Reply:
        """The answer as data; pure. Raises AgentFailure where it holds none."""
        return reading.reply(raw, self._prices)

    def billed(self, raw: bytes) -> Usage | None:
        """What the turns cost, also where they led to no answer."""
        return reading.billed(raw, self._prices)

    def unavailable(self) -> str | None:
        """Why the model cannot be asked here and what to do about it, or None."""
        if self._model is None:
            return NO_MODEL.format(self.name)
        return self._options.missing() or hindrance(self.name)

    def _job(self, role: Any, request: RunRequest | CompleteRequest, home: Path, root: Path) -> Job:
        """What every call has in common."""
        model, options = request.model or self._model, self._options
        problem = NO_MODEL.format(self.name) if model is None else options.missing()
        if model is None or problem is not None:
            raise AgentFailure(ErrorKind.UNAVAILABLE if model is None else ErrorKind.AUTH, str(problem))
        secret = options.secret()
        return Job(
            role=role,
            model=model,
            prompt=request.prompt,
            base_url=options.base_url,
            home=str(home),
            workspace=str(root),
            key=secret,
            secrets=(secret,) if secret and len(secret) >= HOST_SECRET_CHARACTERS else (),
            request=options.request,
            json_schema=options.json_schema,
            token_limit=options.token_limit,
            sample=request.sample,
            allow_exec=request.allow_exec,
            confined=not unconfined(),
            passed=self._passed,
        )

    def _call(self, job: Job, answer: BinaryIO, request: RunRequest | CompleteRequest) -> None:
        start = answer.seek(0, 2)
        outcome = work(job, request.timeout_s, RESPONSE_BYTES, answer, request.cancel)
        stderr = masked(outcome.stderr, tuple(each.encode() for each in job.secrets))
        raw = written(answer.fileno(), start)
        require_answer(self.parse, raw, msgspec.structs.replace(outcome, stderr=stderr), request.timeout_s, RESPONSE_BYTES)


def _own() -> dict[str, Any]:
    return {"dialogue": digest_bytes(digest_source()), "profiles": tools.PROFILES}


OPENAI = AgentType(
    "openai",
    CACHE_VERSION,
    OpenaiAgent,
    "any model behind Chat Completions, local servers too, acting by a small loop of tools in a sandbox",
    "pip install selftune-agent-openai",
    options=("base_url", "json_schema", "key", "request", "token_limit"),
    priced=True,
)
