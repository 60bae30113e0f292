"""Workspaces in which nothing is to be done and whose state is noted, and command lines that tell whether they used it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.property.workspace import CHECKOUT, plain_environment

AGE_S = 2.1
"""What was changed longer ago than this is no longer too young to be noted."""

PROBE = """
import json, sys
before = set(sys.modules)
from selftune_build.__main__ import main
status = main(sys.argv[1:])
names = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names) - {"selftune_build"}
heavy = {"asyncio", "pathlib", "typing", "re", "json", "hashlib", "dataclasses"} & set(sys.modules) - before
print(json.dumps([status, sorted(names), sorted(heavy)]), file=sys.stderr)
"""

READ = """
import contextlib, io, json, os, sys
from selftune_build.__main__ import main
read = set()
def hear(event, arguments):
    if event == "open" and str(arguments[0]).endswith("SKILL.md"):
        read.add(os.path.basename(os.path.dirname(arguments[0])))
sys.addaudithook(hear)
status = main(sys.argv[1:])
print(json.dumps([status, sorted(read)]), file=sys.stderr)
"""

MANY = """
import contextlib, io, json, sys
from selftune_build.__main__ import main
from selftune_build.store.state import recall
answers = []
for arguments in json.loads(sys.argv[1]):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        recalled = recall(arguments[1:]) is not None
        answers.append([main(arguments), out.getvalue(), recalled])
print(json.dumps(answers))
"""


@dataclass(frozen=True)
class Answer:
    """What one command line printed, and what it loaded for that."""

    status: int
    stdout: str
    third_party: frozenset[str]
    standard: frozenset[str]

    @property
    def recalled(self) -> bool:
        """Whether it came from the state: nothing else can do without click."""
        return "click" not in self.third_party


class Installation:
    """The product as it is installed: in a folder that no other test changes meanwhile."""

    def __init__(self, folder: Path) -> None:
        code = folder / "code"
        code.mkdir()
        for name in ("selftune_build", "schemas"):
            (code / name).symlink_to(CHECKOUT / name)
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir()
        self.environment = {
            **plain_environment(),
            "PYTHONPATH": os.pathsep.join((str(code), sysconfig.get_path("purelib"))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TEST_LEDGER": str(folder / "ledger"),
        }

    def ask(self, *arguments: str, folder: Path | None = None, **variables: str) -> Answer:
        """One command line, from a folder that has nothing to do with any workspace unless one is given."""
        done = self._python(PROBE, arguments, folder or self.elsewhere, variables)
        status, third_party, standard = json.loads(done.stderr.splitlines()[-1])
        return Answer(status, done.stdout, frozenset(third_party), frozenset(standard))

    def read_by(self, *arguments: str) -> tuple[int, str, list[str]]:
        """Status and output of one command line, and the folders of the packages whose SKILL.md it read."""
        done = self._python(READ, arguments, self.elsewhere, {})
        status, read = json.loads(done.stderr.splitlines()[-1])
        return status, done.stdout, read

    def build_each(self, workspaces: Iterable[Path]) -> list[tuple[int, str, bool]]:
        """Status, report and whether it was recalled, of `selftune build --json` in each folder: one process for all.

        The folder itself, which the commands to type next name, is left out of the reports.
        """
        places = list(map(str, workspaces))
        done = self._python(MANY, [json.dumps([["build", "-C", place, "--json"] for place in places])], self.elsewhere, {})
        answers = zip(places, json.loads(done.stdout), strict=True)
        return [(status, out.replace(place, "{here}"), recalled) for place, (status, out, recalled) in answers]

    def _python(
        self, program: str, arguments: Sequence[str], folder: Path, variables: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-S", "-c", program, *arguments],
            cwd=folder,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=300,
            stdin=subprocess.DEVNULL,
            check=False,
        )


def copies(source: Path, folder: Path, count: int) -> list[Path]:
    """That many copies of a workspace with locks and store, without what was noted of the original."""
    found = [folder / str(number) / "workspace" for number in range(count)]
    for copy in found:
        shutil.copytree(source, copy, symlinks=True)
        forget(copy)
    return found


def forget(workspace: Path) -> None:
    """Remove what was noted and remembered: the way to switch it off. What explains staleness stays."""
    for path in (*states(workspace), *memories(workspace)):
        path.unlink()


def age() -> None:
    """Wait until what was just written can be noted."""
    time.sleep(AGE_S)


def states(workspace: Path) -> list[Path]:
    """The states noted in the store of a workspace."""
    return sorted((workspace / ".selftune" / "index").glob("*.state"))


def memories(workspace: Path) -> list[Path]:
    """What the store of a workspace remembers of packages."""
    return sorted((workspace / ".selftune" / "index").glob("*.memory"))


def noted(installation: Installation, workspaces: Iterable[Path], *options: str) -> dict[Path, Answer]:
    """What each workspace printed when its state was noted."""
    answers = {}
    for workspace in workspaces:
        answers[workspace] = installation.ask("build", "-C", str(workspace), *options)
        assert len(states(workspace)) > 0, answers[workspace]
    return answers
