"""The check that a command of the author decides, run for real."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from selftune_build.checks.context import CheckContext
from selftune_build.checks.execute import command_executor
from selftune_build.checks.registry import judge
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.model.case import Arm, CaseFile, Check
from selftune_build.model.manifest import Manifest
from selftune_build.model.package import Facets, Package, Skill, TreeFile
from selftune_build.model.sample import FileChange, Reply, Transcript
from selftune_build.model.verdict import CheckResult

Grade = Callable[..., CheckResult]

GRADER = """\
import pathlib, sys
from helper import WANTED
answer = sys.stdin.read()
left = sorted(str(path) for path in pathlib.Path().rglob("*") if path.is_file())
print("answer", answer, "files", left, "args", sys.argv[1:])
pathlib.Path("out.csv").write_text("overwritten")
(pathlib.Path(__file__).parent / "helper.py").write_text("broken")
sys.exit(0 if WANTED in answer else 3)
"""


def package_at(root: Path) -> Package:
    tree = tuple(
        TreeFile(
            str(path.relative_to(root)), digest_bytes(path.read_bytes()), path.stat().st_size, bool(path.stat().st_mode & 0o100)
        )
        for path in sorted(root.rglob("*"))
        if path.is_file()
    )
    return Package("pdf", ".", str(root), Skill("pdf", "d"), Manifest(), tree, "sha256:0", tree, Facets("a", "b", "c", "d"))


@pytest.fixture
def grade(tmp_path: Path) -> Grade:
    root = tmp_path / "pdf"
    (root / "evals" / "graders").mkdir(parents=True)
    (root / "evals" / "graders" / "check.py").write_text(GRADER)
    (root / "evals" / "graders" / "helper.py").write_text("WANTED = '42'\n")
    (root / "evals" / "graders" / "run.sh").write_text("#!/bin/sh\necho from a script\n")
    (root / "evals" / "graders" / "run.sh").chmod(0o755)
    package = package_at(root)

    def call(
        run: list[str],
        *,
        output: str = "42",
        left: tuple[FileChange, ...] = (),
        allow_exec: bool = True,
        cancel: threading.Event | None = None,
        **params: object,
    ) -> CheckResult:
        check = Check("command", {"run": run, **params}, files=tuple(item for item in run if (root / item).is_file()))
        context = CheckContext(
            "pdf", Arm.WITH_SKILL, (CaseFile("in.csv", b"1"),), allow_exec, command_executor(package, cancel=cancel)
        )
        return judge(check, Transcript(Reply(output), left), context)

    return call


def test_a_grader_sees_the_files_the_answer_and_what_lies_beside_it(grade: Grade) -> None:
    left = (FileChange("out.csv", b"x"), FileChange("new/deep.txt", b"y", executable=True))
    result = grade([sys.executable, "evals/graders/check.py", "in.csv"], left=left)
    assert result.held is True
    assert result.evidence == "exit status 0: answer 42 files ['in.csv', 'new/deep.txt', 'out.csv'] args ['in.csv']"


def test_a_grader_that_ends_otherwise_fails_the_check(grade: Grade) -> None:
    assert grade([sys.executable, "evals/graders/check.py"], output="41").held is False
    assert grade([sys.executable, "evals/graders/check.py"], output="41", exit=3).held is True


def test_a_grader_works_on_copies(grade: Grade, tmp_path: Path) -> None:
    for _ in range(2):
        assert grade([sys.executable, "evals/graders/check.py"], left=(FileChange("out.csv", b"x"),)).held is True
    assert (tmp_path / "pdf" / "evals" / "graders" / "helper.py").read_text() == "WANTED = '42'\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pdf"]


def test_stdout_may_be_asked_for(grade: Grade) -> None:
    assert grade(["evals/graders/run.sh"], **{"stdout-contains": "from a script"}).held is True
    missing = grade(["evals/graders/run.sh"], **{"stdout-contains": "from another"})
    assert missing.held is False
    assert "from a script" in missing.evidence


def test_a_command_that_cannot_start_says_nothing_about_the_skill(grade: Grade) -> None:
    result = grade(["no-such-program-anywhere"])
    assert result.held is None
    assert "no-such-program-anywhere" in result.evidence


def test_a_cancelled_command_is_not_measured(grade: Grade) -> None:
    cancel = threading.Event()
    cancel.set()
    assert grade([sys.executable, "-c", "import time; time.sleep(30)"], cancel=cancel).held is None


def test_no_exec_means_not_measured(grade: Grade) -> None:
    result = grade([sys.executable, "evals/graders/check.py"], allow_exec=False)
    assert (result.held, result.evidence) == (None, "commands are not run under --no-exec")


def test_without_an_executor_it_is_not_measured() -> None:
    context = CheckContext("pdf", Arm.WITH_SKILL)
    assert judge(Check("command", {"run": ["true"]}), Transcript(Reply("")), context).held is None


@pytest.mark.parametrize("path", ["../escaped", "/tmp/escaped", "a/../../escaped", "a//b", "a\0b", ""])
def test_a_transcript_cannot_write_outside_the_folder(grade: Grade, tmp_path: Path, path: str) -> None:
    result = grade([sys.executable, "-c", ""], left=(FileChange(path, b"x"),))
    assert result.held is None
    assert "unsafe path" in result.evidence
    assert not list(tmp_path.rglob("escaped"))


def test_a_file_that_is_also_a_folder_is_not_measured(grade: Grade) -> None:
    assert grade([sys.executable, "-c", ""], left=(FileChange("a", b"x"), FileChange("a/b", b"y"))).held is None


def test_the_command_has_a_home_of_its_own(grade: Grade) -> None:
    script = (
        "import os, pathlib; print(pathlib.Path.home() != pathlib.Path.cwd() and 'selftune-check-' in str(pathlib.Path.home()))"
    )
    assert grade([sys.executable, "-c", script], **{"stdout-contains": "True"}).held is True


def _edit(helper: Path) -> None:
    helper.write_text("WANTED = '43'\n")


def _pipe(helper: Path) -> None:
    helper.unlink()
    os.mkfifo(helper)


def _remove(helper: Path) -> None:
    helper.unlink()


@pytest.mark.parametrize("change", [_edit, _pipe, _remove])
def test_what_a_changed_grader_would_say_is_not_measured(grade: Grade, tmp_path: Path, change: Callable[[Path], None]) -> None:
    change(tmp_path / "pdf" / "evals" / "graders" / "helper.py")
    result = grade(["python3", "evals/graders/check.py"])
    assert result.held is None
    assert "helper.py changed while it was being built" in result.evidence
