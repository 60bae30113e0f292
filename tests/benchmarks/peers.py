"""The same work for the peers: one task for each case, then evals, unit tests, replay, baseline and package, and one for all.

A task touches its output; its inputs are files. Each description is the fast idiom of its tool.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

BIN = Path(sys.executable).parent
STAGES = ("evals", "unit-tests", "replay", "baseline", "package")


class Task(Struct, frozen=True):
    """An output and the files it is made from."""

    target: str
    needs: Sequence[str]


def tasks(root: Path, cases: int) -> Iterator[Task]:
    """Every task of a workspace, each after those it needs."""
    ends = []
    for folder in sorted((root / "skills").iterdir()):
        at, out = f"skills/{folder.name}", f"out/{folder.name}"
        files = [f"{at}/{path.relative_to(folder).as_posix()}" for path in sorted(folder.rglob("*")) if path.is_file()]
        files = [path for path in files if not path.endswith("selftune.lock")]
        before = [f"{out}/case-{number}" for number in range(cases)]
        yield from (Task(case, (f"{at}/SKILL.md", f"{at}/evals/evals.json")) for case in before)
        for stage in STAGES:
            yield Task(f"{out}/{stage}", (*before, *files))
            before = [f"{out}/{stage}"]
        ends += before
    yield Task("out/all", ends)


def write_build_files(root: Path, cases: int, *, doit: bool) -> None:
    """`build.ninja`, `Makefile` and, where wanted, `dodo.py`."""
    every = list(tasks(root, cases))
    ninja = (f"build {task.target}: touch {' '.join(task.needs)}\n" for task in every)
    (root / "build.ninja").write_text("rule touch\n  command = touch $out\n\n" + "".join(ninja))
    make = (f"{task.target}: {' '.join(task.needs)}\n\t@touch $@\n" for task in every)
    (root / "Makefile").write_text("out/all:\n" + "".join(make))
    for folder in {os.path.dirname(task.target) for task in every}:
        (root / folder).mkdir(parents=True, exist_ok=True)
    if doit:
        listed = ",\n ".join(f"({task.target!r}, {list(task.needs)!r})" for task in every)
        (root / "dodo.py").write_text(_dodo(listed))


def build(root: Path, *, doit: bool) -> None:
    """Bring all of them up to date; make needs nothing of its own, the others note what they ran."""
    for argv in (DOIT, NINJA) if doit else (NINJA,):
        subprocess.run(argv, cwd=root, check=True, stdout=subprocess.DEVNULL)


def _dodo(listed: str) -> str:
    return f"""DOIT_CONFIG = {{"default_tasks": ["out/all"], "verbosity": 0, "reporter": "zero"}}

TASKS = [{listed}]


def task_all():
    for target, needs in TASKS:
        yield {{"basename": target, "actions": ["touch " + target], "file_dep": needs, "targets": [target]}}
"""


NINJA = (str(BIN / "ninja"), "--quiet")
MAKE = ("make", "-r", "-s")
DOIT = (sys.executable, "-m", "doit")
GIT = ("git", "status", "--short")
