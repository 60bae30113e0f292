"""A scripted model behind OPENAI_BASE_URL, and a workspace with two skills in which the real command runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from selftune_build.model.sample import Reply
from selftune_build.testing.model_server import Answer, Conversation, ModelServer, Say, Script, described
from selftune_build.testing.workspace import SkillWorkspace

MODEL = "scripted-model"
SECRET = "scripted-key-0123456789abcdef"
SKILL = "---\nname: {}\ndescription: {}\n---\n\n{}\n"
FORMS = SKILL.format(
    "pdf-forms",
    "Fills in forms with zebra care. Use when somebody has a form to fill in.",
    "The word is quokka. Fields: references/fields.md. All else: references/rest.md.",
)
TEA = SKILL.format("tea", "Brews tea with heron calm. Use when somebody is thirsty.", "The word is narwhal.")
Then = Callable[[Conversation], str | dict[str, Any]]


def choosing(words: str, then: Then = lambda conversation: "done", unanswered: str = "NO-SKILL") -> Script:
    """A model that opens the skill whose description has these words, and goes on with `then`: a step, or plain words."""

    def script(conversation: Conversation) -> Answer:
        asked = set((conversation.schema or {}).get("properties", ()))
        if asked == {"skill"}:
            found = described(conversation, words)
            return Say(json.dumps({"skill": found.name if found else "(none)"}))
        said = then(conversation) if described(conversation, words) else unanswered
        if asked == {"action", "path", "text"} and isinstance(said, str):
            said = {"action": "answer", "path": "", "text": said}
        return Say(said if isinstance(said, str) else json.dumps(said))

    return script


def read(path: str) -> dict[str, Any]:
    """The step that asks for a file."""
    return {"action": "read", "path": path, "text": ""}


class Bench:
    """One scripted model, one workspace, one user's home."""

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.server = server
        self.home = folder / "user"
        self.temporary = folder / "tmp"
        root = folder / "workspace"
        for made in (self.home, self.temporary, root):
            made.mkdir()
        base = f"{server.url}/v1"
        environment = {"HOME": str(self.home), "TMPDIR": str(self.temporary), "OPENAI_BASE_URL": base, "OPENAI_API_KEY": SECRET}
        cleared = dict.fromkeys(("ANTHROPIC_API_KEY", "LLM_USER_PATH", "XDG_CONFIG_HOME"), "")
        self.workspace = SkillWorkspace(root, {**environment, **cleared})
        self.workspace.write(
            {
                "selftune.yaml": self.manifest(),
                "skills/pdf-forms/SKILL.md": FORMS,
                "skills/pdf-forms/references/fields.md": "The field is called ibis.\n",
                "skills/pdf-forms/references/rest.md": "Nothing to see.\n",
                "skills/tea/SKILL.md": TEA,
            }
        )

    def manifest(self, **more: Any) -> str:
        agents = {"llm": {"type": "llm", "deterministic": True}}
        defaults = {"agent": "llm", "model": MODEL, "agents": agents, "limits": {"timeout_s": 30}, **more}
        return json.dumps({"version": 1, "workspace": {"members": ["skills/*"]}, "defaults": defaults})

    def cases(self, *cases: dict[str, Any]) -> None:
        """The evals of `pdf-forms`."""
        content = json.dumps({"format": "selftune.evals/1", "cases": cases})
        self.workspace.write({"skills/pdf-forms/evals/cases.yaml": content})

    def build(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """The report on `pdf-forms`."""
        return self.workspace.report(*(arguments or ("pdf-forms",)), environment=environment)

    def row(self, case: str, arm: str = "with_skill") -> dict[str, Any]:
        row: dict[str, Any] = self.workspace.lock("skills/pdf-forms")["agents"]["llm"]["cases"][case][arm]
        return row

    def replies(self) -> list[Reply]:
        """Every answer in the store, parsed again."""
        from selftune_agent_llm.reading import reply

        return [reply(archive.raw) for archive in self.workspace.archives()]


def trigger(id: str, prompt: str, should: bool = True) -> dict[str, Any]:
    """A case that only asks whether the skill is chosen."""
    return {"id": id, "prompt": prompt, "should_trigger": should}


def task(id: str, prompt: str, expected: str) -> dict[str, Any]:
    """A case with a check on the answer."""
    return {"id": id, "prompt": prompt, "should_trigger": True, "checks": [{"contains": expected}]}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(choosing("zebra")) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path, server: ModelServer) -> Bench:
    return Bench(tmp_path, server)
