"""A workspace on disk in which a test runs the real command, in a process of its own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from selftune_build.process import run
from selftune_build.store.archive import Archive, Attempt
from selftune_build.store.samples import SampleStore

_SECONDS = 300.0
_OUTPUT_BYTES = 64 * 1024 * 1024

SKILL = """---
name: {name}
description: {description}
---

# {name}

Answer with the single word DONE.
"""


class Finished(Struct, frozen=True):
    """How a command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """stdout as the one JSON document that `--json` prints."""
        data: dict[str, Any] = json.loads(self.stdout)
        return data


class SkillWorkspace:
    """A folder with packages; `environment` is what its commands see beside the variables of this process."""

    def __init__(self, root: Path, environment: Mapping[str, str] | None = None) -> None:
        self.root = root
        self.environment = {"SELFTUNE_STORE": str(root.parent / f"{root.name}-store"), **(environment or {})}

    def write(self, files: Mapping[str, str | bytes]) -> SkillWorkspace:
        """Write files by their path below the root; whatever lies there is replaced."""
        for path, content in files.items():
            target = self.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        return self

    def skill(self, folder: str, files: Mapping[str, str | bytes] | None = None, *, description: str = "") -> SkillWorkspace:
        """A package with a SKILL.md that hosts accept, and these files beside it."""
        name = Path(folder).name
        text = SKILL.format(name=name, description=json.dumps(description or f"Does what {name} does. Use it for {name}."))
        return self.write({f"{folder}/{path}": content for path, content in {"SKILL.md": text, **(files or {})}.items()})

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None, timeout_s: float = _SECONDS) -> Finished:
        """`selftune ARGUMENTS` in the root of the workspace, with this interpreter and what is installed for it."""
        # -P: the folder it is started in is no place to import from, as for the installed program.
        outcome = run(
            [sys.executable, "-P", "-m", "selftune_build", *arguments],
            cwd=self.root,
            env={**os.environ, **self.environment, **(environment or {})},
            timeout_s=timeout_s,
            output_cap=_OUTPUT_BYTES,
        )
        assert outcome.exit_status is not None, f"it did not end by itself: {outcome.ended}"
        return Finished(outcome.exit_status, outcome.stdout.decode(), outcome.stderr.decode())

    def report(self, *arguments: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON report of `selftune build ARGUMENTS`, whatever its verdict."""
        finished = self.run("build", *arguments, "--json", environment=environment)
        assert finished.stdout, finished.stderr
        return finished.document

    def lock(self, folder: str = ".") -> dict[str, Any]:
        """The lock of a package as plain data."""
        data: dict[str, Any] = json.loads((self.root / folder / "selftune.lock").read_text(encoding="utf-8"))
        return data

    def archives(self) -> list[Archive]:
        """Every answer in the store."""
        return [archive for key in self._keys() for archive in self._store.archives(key)]

    def attempts(self) -> list[Attempt]:
        """The attempts that brought no answer, in order."""
        found: dict[tuple[str, int], Attempt] = {}
        for path in sorted(self._store_folder.glob("samples/*/*/*.err.zst")):
            call = f"sha256:{path.name.partition('.')[0]}"
            attempts = self._store.attempts(f"sha256:{path.parent.name}", call)
            found.update({(each.call_id, each.number): each for each in attempts})
        return sorted(found.values(), key=lambda each: each.number)

    def stored(self) -> bytes:
        """Everything in the store that is not compressed, and every answer that is: what must not hold a secret."""
        plain = b"".join(path.read_bytes() for path in self._store_folder.rglob("*") if path.is_file())
        return plain + b"".join([each.raw for each in self.archives()] + [each.raw for each in self.attempts()])

    @property
    def _store_folder(self) -> Path:
        return Path(self.environment["SELFTUNE_STORE"])

    @property
    def _store(self) -> SampleStore:
        return SampleStore(self._store_folder)

    def _keys(self) -> list[str]:
        return [f"sha256:{path.name}" for path in sorted(self._store_folder.glob("samples/*/*"))]


@pytest.fixture
def skill_workspace(tmp_path: Path) -> SkillWorkspace:
    """An empty workspace with a store of its own beside it."""
    root = tmp_path / "workspace"
    root.mkdir()
    return SkillWorkspace(root)
