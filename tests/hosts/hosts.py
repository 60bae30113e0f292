"""A workspace, a user with a set-up of their own, and the real command line, for tests that drive a real host program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from selftune_build.agents.protocol import Agent, AgentSettings, AgentType
from selftune_build.model.manifest import AgentDefinition
from selftune_build.model.sample import Reply
from selftune_build.store.archive import Archive, Attempt
from selftune_build.store.samples import SampleStore
from selftune_build.testing.model_server import ModelServer

CHECKOUT = Path(__file__).parents[2]
PROGRAMS = CHECKOUT / ".hosts" / "node_modules" / ".bin"


class Facts(NamedTuple):
    """What a test has to know about a host."""

    package: str
    """Its name on npm."""
    model: str
    """One it asks for readily; the server does not care."""
    protocol: str
    folder: str
    """Where it looks for skills."""
    sign: str | None
    """A prompt that calls the skill `pdf-forms`; None where a prompt cannot."""
    key: str
    url: str
    base: str = ""
    """What stands behind the address of the server."""
    tells_model: bool = True
    """What it was served."""
    tells_pause: bool = False
    """How long a service asked it to wait."""
    takes_schema: bool = True
    """It passes a JSON schema on to the model's service, as a parameter or a tool."""
    retries: bool = False
    """It asks a service that broke again by itself, and can neither be told nor made not to."""
    mask: str = "[login]"
    """What stands in an answer in the place of a login: ours, where the host does not hide its own."""
    more: tuple[tuple[str, str], ...] = ()
    """Further variables of its login."""


HOSTS = {
    "claude": Facts(
        *("@anthropic-ai/claude-code", "scripted-model", "anthropic", ".claude/skills", "/pdf-forms please"),
        *("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
        tells_pause=True,
    ),
    "codex": Facts(
        *("@openai/codex", "gpt-5.5", "responses", ".agents/skills", "please use $pdf-forms"),
        *("OPENAI_API_KEY", "OPENAI_BASE_URL", "/v1"),
        tells_model=False,
    ),
    "gemini": Facts(
        *("@google/gemini-cli", "gemini-2.5-flash", "gemini", ".gemini/skills", "see @.gemini/skills/pdf-forms/SKILL.md please"),
        *("GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
        tells_pause=True,
    ),
    "pi": Facts(
        *("@earendil-works/pi-coding-agent", "scripted-model", "chat", ".pi/skills", "/skill:pdf-forms please"),
        *("OPENAI_API_KEY", "OPENAI_BASE_URL", "/v1"),
        takes_schema=False,
    ),
    "copilot": Facts(
        *("@github/copilot", "scripted-model", "chat", ".github/skills", None),
        *("COPILOT_PROVIDER_API_KEY", "COPILOT_PROVIDER_BASE_URL", "/v1"),
        tells_model=False,
        takes_schema=False,
        retries=True,
        mask="******",
        more=(("COPILOT_MODEL", "scripted-model"),),
    ),
    "opencode": Facts(
        *("opencode-ai", "scripted-model", "chat", ".opencode/skills", None),
        *("OPENAI_API_KEY", "OPENAI_BASE_URL", "/v1"),
        tells_model=False,
        tells_pause=True,
        takes_schema=False,
    ),
    "qwen": Facts(
        *("@qwen-code/qwen-code", "scripted-model", "chat", ".qwen/skills", "/pdf-forms please"),
        *("OPENAI_API_KEY", "OPENAI_BASE_URL", "/v1"),
        tells_model=False,
        tells_pause=True,
    ),
}
SCRIPTING = "gpt-6.2-sol"
"""A model that Codex has write scripts which call the tools; its default is one."""
SECRET = "scripted-key-0123456789abcdef"

FORMS = """\
---
name: pdf-forms
description: Fills in forms with zebra care. Use when somebody has a form to fill in.
---

# Forms

The word in the body is quokka.
For the fields see references/fields.md, for the rest references/rest.md.
"""
TEA = """\
---
name: tea
description: Brews tea with heron calm. Use when somebody is thirsty.
---

The word in the kettle is narwhal.
"""


class Ran(NamedTuple):
    """How a command line ended."""

    status: int
    report: dict[str, Any]
    stderr: str

    @property
    def calls(self) -> int:
        return int(self.report["spend"]["agent_calls"])


class Bench:
    """One host, one scripted model, one workspace."""

    def __init__(self, folder: Path, host: str, server: ModelServer, model: str | None = None) -> None:
        self.host = host
        self.model = model or HOSTS[host].model
        self.server = server
        self.workspace = folder / "workspace"
        self.user = folder / "user"
        self.temporary = folder / "tmp"
        for made in (self.user, self.temporary):
            made.mkdir()
        if host == "copilot":  # it was started before: else it would unpack itself for every sample
            (self.user / ".cache").symlink_to(CHECKOUT / ".hosts" / "home" / ".cache")
        self.write("selftune.yaml", self._manifest())
        self.write("skills/pdf-forms/SKILL.md", FORMS)
        self.write("skills/pdf-forms/references/fields.md", "The field is called ibis.\n")
        self.write("skills/pdf-forms/references/rest.md", "Nothing to see.\n")
        self.write("skills/tea/SKILL.md", TEA)

    def write(self, path: str, text: str) -> None:
        target = self.workspace / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def cases(self, *cases: dict[str, Any]) -> None:
        """The evals of `pdf-forms`, written as JSON, which is YAML."""
        self.write("skills/pdf-forms/evals/cases.yaml", json.dumps({"format": "selftune.evals/1", "cases": cases}))

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("LANG", "PYTHONPATH") if name in os.environ}
        folders = {"HOME": str(self.user), "TMPDIR": str(self.temporary)}
        path = {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
        return {**kept, **path, **folders, **login(self.host, self.server), **more}

    @property
    def facts(self) -> Facts:
        return HOSTS[self.host]

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "selftune_build", "build", *arguments, "--json", "-C", str(self.workspace)]

    def build(self, *arguments: str, timeout: float = 120, **more: str) -> Ran:
        """`selftune build` in the workspace; the target is `pdf-forms` unless arguments name one."""
        command = self.command(*(arguments or ("pdf-forms",)))
        ended = subprocess.run(command, env=self.environment(**more), capture_output=True, text=True, timeout=timeout)
        assert ended.returncode not in (2, 70), ended.stdout + ended.stderr
        return Ran(ended.returncode, json.loads(ended.stdout), ended.stderr)

    def row(self, case: str, arm: str = "with_skill") -> dict[str, Any]:
        """A row of the lock."""
        lock = json.loads((self.workspace / "skills/pdf-forms/selftune.lock").read_text())
        row: dict[str, Any] = lock["agents"][self.host]["cases"][case][arm]
        return row

    def agent(self) -> Agent:
        definition = AgentDefinition(type=self.host, deterministic=True)
        return agent_type(self.host).make(AgentSettings(self.host, definition, self.model, self.workspace))

    def replies(self) -> list[Reply]:
        """Every answer in the store, parsed again."""
        agent = self.agent()
        return [agent.parse(archive.raw) for archive in self.archives()]

    def archives(self) -> list[Archive]:
        return [archive for key in self._keys() for archive in self._store().archives(key)]

    def attempts(self) -> list[Attempt]:
        """The failed attempts of the first sample of every key."""
        found = []
        for path in sorted(self._samples().glob("*/*/*.err.zst")):
            call = "sha256:" + path.name.partition(".")[0]
            found += self._store().attempts(f"sha256:{path.parent.name}", call)
        return sorted({(each.call_id, each.number): each for each in found}.values(), key=lambda each: each.number)

    def stored(self) -> bytes:
        """Everything in the store that is not compressed, and every answer that is."""
        plain = b"".join(path.read_bytes() for path in self._samples().parent.rglob("*") if path.is_file())
        raws = [archive.raw for archive in self.archives()] + [attempt.raw for attempt in self.attempts()]
        return plain + b"".join(raws)

    def _samples(self) -> Path:
        return self.workspace / ".selftune" / "samples"

    def _store(self) -> SampleStore:
        return SampleStore(self._samples().parent)

    def _keys(self) -> list[str]:
        return [f"sha256:{path.name}" for path in sorted(self._samples().glob("*/*"))]

    def _manifest(self) -> str:
        agents = {self.host: {"type": self.host, "deterministic": True}}
        defaults = {"agent": self.host, "model": self.model, "agents": agents, "limits": {"timeout_s": 60}}
        return json.dumps({"version": 1, "workspace": {"members": ["skills/*"]}, "defaults": defaults})


def login(host: str, server: ModelServer) -> dict[str, str]:
    """The variables with which a host reaches the scripted model."""
    facts = HOSTS[host]
    return {facts.url: f"{server.url}{facts.base}", facts.key: SECRET, **dict(facts.more)}


def agent_type(host: str) -> AgentType:
    found: AgentType = getattr(import_module(f"selftune_agent_{host}.agent"), host.upper())
    return found


def trigger(id: str, prompt: str, should: bool = True) -> dict[str, Any]:
    """A case that only asks whether the skill triggers."""
    return {"id": id, "prompt": prompt, "should_trigger": should}


def task(id: str, prompt: str, expected: str) -> dict[str, Any]:
    """A case with a check on the outcome."""
    return {"id": id, "prompt": prompt, "should_trigger": True, "checks": [{"contains": expected}]}
