"""What `--locked` does not do: execute, import from the checkout, write, talk to anybody."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.repository import git
from tests.property.kitchen import BREW, kitchen
from tests.property.workspace import Workspace, plain_environment

PROGRAM = Path(sys.executable).with_name("selftune")
"""The console script of this environment."""
MARK = "from pathlib import Path; Path({!r}).touch()\n"

WATCH = """
import sys
TOLD = ("subprocess.", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.system", "pty.", "socket.", "urllib.", "http.",
        "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.utime",
        "os.truncate", "os.setxattr", "shutil.", "sqlite3.", "ftplib.", "smtplib.", "webbrowser.")
seen = []

def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        writes = isinstance(mode, str) and set(mode) & set("wax+") or isinstance(flags, int) and flags & 0o3
        if writes and str(path) != "/dev/null":
            seen.append(f"{event} {path} {mode}")
    elif event == "compile":
        if isinstance(arguments[1], (str, bytes)) and WORKSPACE in str(arguments[1]):
            seen.append(f"{event} {arguments[1]}")
    elif event.startswith(TOLD):
        seen.append(f"{event} {arguments}")

WORKSPACE = sys.argv.pop(1)
sys.addaudithook(watch)
from selftune_build.__main__ import main
status = main(sys.argv[1:])
print("\\n".join(seen), file=sys.stderr)
sys.exit(status)
"""
"""Runs the command under an audit hook: whatever starts, writes, connects or loads code of the workspace is told on stderr."""


def everything(folder: Path) -> dict[str, object]:
    """Every name below a folder with its kind, mode, time of change and content."""
    found: dict[str, object] = {}
    for path in sorted([folder, *folder.rglob("*")]):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        found[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_size, status.st_ino, content)
    return found


@pytest.fixture
def busy(tmp_path: Path) -> Workspace:
    """A built workspace in which agent, script, grader and set-up leave a mark wherever they run, no store and no mark yet."""
    mark = tmp_path / "mark"
    workspace = kitchen(tmp_path / "workspace", tmp_path / "ledger")
    workspace.write(
        "tools/agent.py",
        MARK.format(str(mark)) + workspace.read("tools/agent.py").replace("from __future__ import annotations\n", ""),
    )
    workspace.write("brew/scripts/pour.py", MARK.format(str(mark)) + "print('poured')\n")
    workspace.write("brew/scripts/grade.py", MARK.format(str(mark)))
    script = {"id": "pours", "run": ["python3", "scripts/pour.py"], "checks": [{"contains": "poured"}]}
    workspace.write("brew/tests/unit.yaml", json.dumps({"format": "selftune.unit-tests/1", "cases": [script]}))
    black, *others = BREW
    graded = {**black, "checks": [{"command": {"run": ["python3", "scripts/grade.py"]}}]}
    workspace.evals("brew", [graded, *others])
    assert workspace.build().status == 0
    assert mark.exists()
    for name in (mark, tmp_path / "ledger"):
        name.unlink()
    workspace.remove_store()
    return workspace


@pytest.fixture
def marks(tmp_path: Path) -> Iterator[Path]:
    """Where a program of the workspace leaves its mark; nothing did when the test is over."""
    yield tmp_path / "mark"
    assert not (tmp_path / "mark").exists()
    assert not (tmp_path / "ledger").exists()


EDITS = ["nothing", "script", "agent", "lock", "store"]


@pytest.mark.parametrize("edit", EDITS)
def test_no_program_of_the_workspace_runs_and_nothing_is_written(busy: Workspace, marks: Path, edit: str) -> None:
    if edit == "script":
        busy.write("brew/scripts/pour.py", busy.read("brew/scripts/pour.py") + "# newer\n")
    if edit == "agent":
        busy.write("tools/agent.py", busy.read("tools/agent.py") + "# newer\n")
    if edit == "lock":
        busy.lock_path("brew").unlink()
    if edit == "store":
        busy.write(".selftune/samples/ab/rubbish/key.json", "{")
    before = everything(busy.root)
    status, _, stderr = busy.selftune("build", "--locked", "-C", str(busy.root))
    assert (status, stderr) == (0 if edit in ("nothing", "store") else 1, "")
    assert everything(busy.root) == before
    assert edit == "store" or not (busy.root / ".selftune").exists()


def test_nothing_is_started_opened_for_writing_connected_or_compiled(busy: Workspace, marks: Path) -> None:
    environment = {**plain_environment(), "PYTHONDONTWRITEBYTECODE": "1"}
    arguments = [str(busy.root), "build", "--locked", "-C", str(busy.root)]
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr.split("\n")) == (0, ["", ""]), done.stderr


def test_the_watch_of_the_test_above_sees_what_a_build_does(busy: Workspace, tmp_path: Path) -> None:
    environment = {**plain_environment(), "PYTHONDONTWRITEBYTECODE": "1", "TEST_LEDGER": str(tmp_path / "ledger")}
    busy.write("brew/scripts/pour.py", busy.read("brew/scripts/pour.py") + "# newer\n")
    arguments = [str(busy.root), "build", "-C", str(busy.root)]
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert {"open", "subprocess.Popen", "os.mkdir"} <= {line.partition(" ")[0] for line in done.stderr.splitlines()}


def test_no_sample_of_the_store_is_looked_at_however_stale_the_rows_are(built: Workspace) -> None:
    samples = list(built.root.glob(".selftune/samples/*/*/*.zst"))
    for path in samples:
        path.write_bytes(b"damaged: whoever reads it puts it aside")
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind them well.")
    before = everything(built.root)
    checked = built.build("--locked")
    assert (len(samples) > 5, checked.status, checked.stderr) == (True, 1, "")
    assert everything(built.root) == before


def test_it_works_in_a_folder_that_nobody_may_write_to(busy: Workspace, marks: Path) -> None:
    folders = [busy.root, *(path for path in busy.root.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        status, _, stderr = busy.selftune("build", "--locked", "-C", str(busy.root))
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert (status, stderr) == (0, "")


def evil(busy: Workspace, mark: Path) -> None:
    """Put into the workspace whatever Python may pick up on its way."""
    code = MARK.format(str(mark))
    for name in ("yaml", "click", "msgspec", "xxhash", "typing", "runpy", "sitecustomize", "usercustomize", "conftest", "setup"):
        busy.write(f"{name}.py", code)
        busy.write(f"brew/{name}.py", code)
    for folder in ("selftune_build", "brew/selftune_build"):
        busy.write(f"{folder}/__init__.py", code)
        busy.write(f"{folder}/__main__.py", code)
    for name in ("evil.pth", "brew/evil.pth", "distutils-precedence.pth"):
        busy.write(name, "import " + code)
    busy.write("pyproject.toml", "[project.entry-points.selftune]\nevil = 'conftest'\n")


@pytest.mark.parametrize("here", [".", "brew"])
@pytest.mark.parametrize(
    "argv", [[str(PROGRAM)], [sys.executable, "-P", "-m", "selftune_build"]], ids=["selftune", "python -P -m"]
)
def test_nothing_is_imported_from_the_folder_where_it_is_started(
    busy: Workspace, marks: Path, here: str, argv: list[str]
) -> None:
    evil(busy, marks)
    environment = {name: value for name, value in plain_environment().items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [*argv, "build", "bake", "--locked"], cwd=busy.root / here, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_fresh_clone_with_its_lock_and_without_a_store_is_verified(built: Workspace, tmp_path: Path) -> None:
    git(built.root, "init", "-q")
    git(built.root, "add", "-A")
    git(built.root, "commit", "-qm", "all")
    git(tmp_path, "clone", "-q", str(built.root), str(tmp_path / "clone"))
    clone = Workspace(tmp_path / "clone", tmp_path / "other-ledger")
    assert not (clone.root / ".selftune").exists()
    before = everything(clone.root)
    checked = clone.build("--locked")
    assert (checked.status, checked.report["verdict"]) == (0, "pass")
    assert everything(clone.root) == before
    clone.edit("brew/SKILL.md", "Grind the beans.", "Grind them.")
    refused = clone.build("--locked")
    assert refused.status == 1
    messages = {problem["message"] for package in refused.report["packages"] for problem in package["problems"]}
    assert "with_skill: the case, what it observed (brew:body) or how it is judged is not what was measured" in messages
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind them.")
    said = [each.stdout.replace(str(where.root), "") for where, each in ((built, built.build("--locked")), (clone, refused))]
    assert said[0] == said[1]  # whatever a store knows


def test_a_program_of_the_agent_that_is_gone_is_a_change_and_no_crash(busy: Workspace, marks: Path) -> None:
    shutil.rmtree(busy.root / "tools")
    checked = busy.build("--locked", "bake")
    (problem,) = checked.package("bake")["problems"]
    assert (checked.status, problem["code"], problem["message"]) == (
        1,
        "agent-changed",
        "'files' of the agent 'house' is declared no more",
    )
