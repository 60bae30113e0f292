"""docs/how-to-plugins.md: its code, put where it says, passes its tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from selftune_build.__main__ import main
from selftune_build.plugins.kinds import Kind
from selftune_build.plugins.scaffold import next_commands
from tests.plugins.conftest import pip_install

PAGE = (Path(__file__).parents[2] / "docs/how-to-plugins.md").read_text(encoding="utf-8")
FILES = re.compile(r"^`([\w/.-]+)`:\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def section(title: str) -> dict[str, str]:
    """The files of one section, by their path."""
    text = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return {path: code for path, code in FILES.findall(text)}


@pytest.mark.parametrize(("title", "kind", "name"), [("A gate", "gate", "not-flaky"), ("An agent", "agent", "oracle")])
def test_the_plugin_of_the_tutorial_passes_its_tests(
    title: str, kind: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["plugins", "new", "--kind", kind, name, str(tmp_path)]) == 0
    project = tmp_path / f"selftune-{kind}-{name}"
    files = section(title)
    assert len(files) == 2
    for path, code in files.items():
        assert (project / path).exists(), f"`plugins new` writes no {path}"
        (project / path).write_text(code)
    pip_install(tmp_path / "site", project)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_the_five_commands_are_commands(tmp_path: Path) -> None:
    commands = PAGE.partition("```sh\n")[2].partition("```")[0].split("\n")
    assert commands[0] == "selftune plugins new --kind gate not-flaky"
    assert main(["plugins", "new", "--kind", "gate", "not-flaky", str(tmp_path)]) == 0
    assert (tmp_path / commands[1].removeprefix("cd ") / "pyproject.toml").exists()
    assert commands[2:] == [*next_commands(Kind.GATE, tmp_path)[1:], ""]
