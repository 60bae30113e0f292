"""A scripted model behind `base_url`, and a workspace with two skills in which the real command runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selftune_agent_openai.reading import reply

from selftune_build.model.sample import Reply
from selftune_build.testing.model_server import ModelServer, Say
from selftune_build.testing.workspace import SkillWorkspace

MODEL = "scripted-model"
SECRET = "scripted-key-0123456789abcdef"
KEY = "SCRIPTED_KEY"
FOLDER = ".agents/skills/pdf-forms"
SKILL = "---\nname: {}\ndescription: {}\n---\n\n{}\n"
FORMS = SKILL.format(
    "pdf-forms",
    "Fills in forms with zebra care. Use when somebody has a form to fill in.",
    "The word is quokka. Fields: references/fields.md. All else: references/rest.md. Fill in: scripts/fill.py.",
)
TEA = SKILL.format("tea", "Brews tea with heron calm. Use when somebody is thirsty.", "The word is narwhal.")
FILL = """\
import os, sys
print("filled", *sys.argv[1:], "in", os.path.basename(os.getcwd()))
print(" ".join(sorted(os.environ)), file=sys.stderr)
open("form.txt", "w").write("ibis")
"""


class Bench:
    """One scripted model, one workspace, one user's home."""

    def __init__(self, folder: Path, server: ModelServer) -> None:
        self.server = server
        self.home = folder / "user"
        self.temporary = folder / "tmp"
        root = folder / "workspace"
        for made in (self.home, self.temporary, root):
            made.mkdir()
        environment = {"HOME": str(self.home), "TMPDIR": str(self.temporary), KEY: SECRET, "OPENAI_API_KEY": ""}
        self.workspace = SkillWorkspace(root, environment)
        self.workspace.write(
            {
                "skills/pdf-forms/SKILL.md": FORMS,
                "skills/pdf-forms/references/fields.md": "The field is called ibis.\n",
                "skills/pdf-forms/references/rest.md": "Nothing to see.\n",
                "skills/pdf-forms/scripts/fill.py": FILL,
                "skills/tea/SKILL.md": TEA,
            }
        )
        self.configure()

    def configure(self, options: dict[str, Any] | None = None, definition: dict[str, Any] | None = None, **more: Any) -> None:
        """Write the manifest of the workspace."""
        asked = {"base_url": f"{self.server.url}/v1", "key": KEY, **(options or {})}
        agents = {"local": {"type": "openai", "deterministic": True, "options": asked, **(definition or {})}}
        defaults = {"agent": "local", "model": MODEL, "agents": agents, "limits": {"timeout_s": 60}, **more}
        manifest = {"version": 1, "workspace": {"members": ["skills/*"]}, "defaults": defaults}
        self.workspace.write({"selftune.yaml": json.dumps(manifest)})

    def cases(self, *cases: dict[str, Any]) -> None:
        """The evals of `pdf-forms`."""
        self.workspace.write({"skills/pdf-forms/evals/cases.yaml": json.dumps({"format": "selftune.evals/1", "cases": cases})})

    def build(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """The report on `pdf-forms`."""
        return self.workspace.report(*(arguments or ("pdf-forms:replay",)), environment=environment)

    def calls(self, *arguments: str) -> int:
        """How many calls of the agent a build pays for."""
        return int(self.build(*arguments)["spend"]["agent_calls"])

    def row(self, case: str) -> dict[str, Any]:
        row: dict[str, Any] = self.workspace.lock("skills/pdf-forms")["agents"]["local"]["cases"][case]["with_skill"]
        return row

    def reply(self) -> Reply:
        """The one answer in the store, parsed again."""
        (archive,) = self.workspace.archives()
        return reply(archive.raw)

    def left(self) -> list[Path]:
        """Folders of samples that are still there."""
        return list(self.temporary.glob("selftune-*"))


def trigger(id: str, prompt: str, should: bool = True) -> dict[str, Any]:
    """A case that only asks whether the skill is chosen."""
    return {"id": id, "prompt": prompt, "should_trigger": should}


def task(id: str, prompt: str, *checks: dict[str, Any]) -> dict[str, Any]:
    """A case with checks."""
    return {"id": id, "prompt": prompt, "should_trigger": True, "checks": list(checks)}


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer(lambda conversation: Say("nothing")) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path, server: ModelServer) -> Bench:
    return Bench(tmp_path, server)
