"""What `--locked` asks of the kernel in a checkout that was made to be run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.repository import committed, git
from tests.cli.test_locked_isolation import MARK, PROGRAM, everything, evil
from tests.property.workspace import Workspace, plain_environment

pytestmark = pytest.mark.slow
CALLS = (
    "execve,execveat,fork,vfork,clone,clone3,socket,connect,sendto,sendmsg,bind,open,openat,creat,truncate,ftruncate,rename,renameat,"
    "renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,chown,fchown,fchownat,utimensat,"
    "setxattr,mknod,mknodat"
)
PROGRAMS = (
    *("core.fsmonitor", "core.sshCommand", "core.pager", "credential.helper", "diff.evil.command", "merge.evil.driver"),
    *("filter.evil.clean", "filter.evil.smudge", "filter.evil.process"),
)
"""Settings of git that name a program."""
OPEN = re.compile(r'open(?:at)?\((?:AT_FDCWD, )?"([^"]*)", ([A-Z_|]+)')


@pytest.fixture
def strace() -> str:
    found = shutil.which("strace")
    if found is None:
        pytest.fail("strace is needed to see what a program asks of the kernel: install it with the system's package manager")
    return found


@pytest.fixture
def trap(built: Workspace, tmp_path: Path) -> Workspace:
    """A built workspace in a repository, with whatever Python, git or a shell may pick up on their way leaving a mark."""
    mark = tmp_path / "mark"
    evil(built, mark)
    shell = f"#!/bin/sh\ntouch {mark}\n"
    for name in ("git", "python", "selftune", "sh", "PYTHONSTARTUP", "PYTHONPATH", ".envrc", "hook.sh"):
        built.write(name, shell)
        (built.root / name).chmod(0o755)
    built.write("pyvenv.cfg", f"home = {built.root}\n")
    built.write(".gitattributes", "* filter=evil diff=evil merge=evil\n")
    built.write("brew/scripts/setup.py", MARK.format(str(mark)))
    assert built.build().status == 0
    committed(built.root)
    git(built.root, "checkout", "-qb", "topic")
    for name in PROGRAMS:
        git(built.root, "config", name, str(built.root / "hook.sh"))
    git(built.root, "config", "core.hooksPath", str(built.root))
    git(built.root, "config", "remote.origin.url", f"ext::{built.root}/hook.sh")
    for hook in ("post-index-change", "pre-auto-gc", "reference-transaction"):
        built.write(f".git/hooks/{hook}", shell)
        (built.root / f".git/hooks/{hook}").chmod(0o755)
    mark.unlink(missing_ok=True)
    return built


def traced(strace: str, log: Path, workspace: Workspace, *arguments: str) -> tuple[int, dict[str, object], list[str]]:
    """Run the installed program in the workspace's folder; exit status, report and the calls it made."""
    environment = {name: value for name, value in plain_environment().items() if not name.startswith(("PYTHON", "GIT"))}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    command = [strace, "-f", "-qq", "-s", "300", "-e", f"trace={CALLS}", "-o", str(log), str(PROGRAM), *arguments]
    done = subprocess.run(command, cwd=workspace.root, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert "error:" not in done.stderr
    return done.returncode, json.loads(done.stdout), [line.partition(" ")[2].strip() for line in log.read_text().splitlines()]


@pytest.mark.parametrize("more", [[], ["--policy", "main", "--since", "main"]], ids=["alone", "with a revision"])
@pytest.mark.parametrize("edited", [False, True], ids=["untouched", "edited"])
def test_it_starts_nothing_connects_to_nothing_and_writes_nothing(
    strace: str, trap: Workspace, tmp_path: Path, more: list[str], edited: bool
) -> None:
    if edited:
        trap.edit("brew/SKILL.md", "Grind the beans.", "Grind them.")
        trap.write("brew/selftune.yaml", "version: 1\ngates: {task-pass-rate: {enabled: false, reason: x}}\n")
    before = everything(trap.root)
    status, report, calls = traced(strace, tmp_path / "strace", trap, "build", "--locked", "--json", *more)
    assert (status, bool(report["packages"])) == (int(edited), edited or not more)
    names = [call.partition("(")[0] for call in calls]
    opened = [match.groups() for call in calls if (match := OPEN.match(call))]
    assert names.count("execve") == 1
    assert set(names) <= {"execve", "openat", "open", "readlink"}, set(names)
    assert [
        path for path, flags in opened if set(flags.split("|")) & {"O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND"}
    ] == []
    assert everything(trap.root) == before
    assert not (tmp_path / "mark").exists()


def test_of_the_checkout_it_opens_what_it_judges_and_nothing_else(strace: str, trap: Workspace, tmp_path: Path) -> None:
    _, _, calls = traced(
        strace, tmp_path / "strace", trap, "build", "--locked", "--json", "--policy", "main", "--since", "main", "brew"
    )
    opened = [match.group(1) for call in calls if " = -1 " not in call and (match := OPEN.match(call))]
    inside = {
        Path(path)
        for path in opened
        if Path(trap.root / path).is_relative_to(trap.root) and not Path(path).is_relative_to("/proc")
    }
    places = {path.relative_to(trap.root).parts[0] if path.is_absolute() and path != trap.root else str(path) for path in inside}
    assert places <= {"selftune.yaml", "brew", "bake", "tools", ".git", str(trap.root), "."}, places
    read_of_git = {path.relative_to(trap.root / ".git").parts[0] for path in inside if path.is_relative_to(trap.root / ".git")}
    assert read_of_git <= {"config", "HEAD", "packed-refs", "shallow", "refs", "objects"}, read_of_git


def test_the_trace_sees_what_a_build_does(strace: str, trap: Workspace, tmp_path: Path) -> None:
    """Else the tests above would prove nothing."""
    trap.edit("brew/references/milk.md", "Steam", "Steam and pour")
    _, _, calls = traced(strace, tmp_path / "strace", trap, "build", "--json", "brew")
    names = {call.partition("(")[0] for call in calls}
    assert "execve" in names
    assert {"mkdir", "rename"} & names
    assert sum(call.startswith("execve(") for call in calls) > 1
