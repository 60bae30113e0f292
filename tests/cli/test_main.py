"""The program around the commands: which command, which exit status, which message."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest

from selftune_build import __main__ as program
from selftune_build import __version__
from selftune_build.errors import InputError, StoreError, UndecidedError
from selftune_build.model.location import Location


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "selftune_build", *arguments], capture_output=True, text=True, timeout=60, **options
    )


@pytest.fixture
def command_that(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install a command `probe` whose body is the function given."""

    def install(body: Any) -> None:
        @click.command()
        @click.option("--json", "as_json", is_flag=True)
        def command(as_json: bool) -> Any:
            return body()

        monkeypatch.setitem(sys.modules, "probe_command", SimpleNamespace(command=command))
        monkeypatch.setitem(program.COMMANDS, "probe", ("probe_command", "a command of this test"))

    return install


def raising(error: BaseException) -> Any:
    def body() -> None:
        raise error

    return body


def test_version_is_printed_with_exit_status_0() -> None:
    result = run("--version")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"selftune-build {__version__}\n", "")


def test_help_names_every_command() -> None:
    result = run("--help")
    assert result.returncode == 0
    assert all(f"\n  {name} " in result.stdout for name in program.COMMANDS)


def test_without_a_command_help_goes_to_stderr_and_the_status_is_2() -> None:
    result = run()
    assert (result.returncode, result.stdout) == (2, "")
    assert "Usage: selftune COMMAND" in result.stderr


def test_an_unknown_command_is_answered_with_the_nearest_one() -> None:
    result = run("biuld")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "error: there is no command 'biuld'\n  fix: selftune build\n"


def test_a_bad_option_is_exit_status_2_with_the_help_to_ask_for(capsys: pytest.CaptureFixture[str], command_that: Any) -> None:
    command_that(lambda: 0)
    assert program.main(["probe", "--frobnicate"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "  fix: selftune probe --help"


@pytest.mark.parametrize("status", [0, 1, 3])
def test_the_number_a_command_returns_is_the_exit_status(status: int, command_that: Any) -> None:
    command_that(lambda: status)
    assert program.main(["probe"]) == status


def test_a_command_that_returns_nothing_is_done(command_that: Any) -> None:
    command_that(lambda: None)
    assert program.main(["probe"]) == 0


@pytest.mark.parametrize(
    ("error", "status"),
    [(InputError("a"), 2), (UndecidedError("b"), 3), (StoreError("c"), 4)],
    ids=["input", "undecided", "store"],
)
def test_each_family_of_errors_has_its_exit_status(error: Exception, status: int, command_that: Any) -> None:
    command_that(raising(error))
    assert program.main(["probe"]) == status


def test_an_error_is_shown_as_message_place_and_fix(capsys: pytest.CaptureFixture[str], command_that: Any) -> None:
    command_that(raising(InputError("no number", at=Location("selftune.yaml", 3, 7, "/samples/min"), hint="write 3")))
    assert program.main(["probe"]) == 2
    assert capsys.readouterr().err == "error: no number\n  at selftune.yaml:3:7 (/samples/min)\n  fix: write 3\n"


def test_with_json_the_error_is_a_document_on_stdout(capsys: pytest.CaptureFixture[str], command_that: Any) -> None:
    command_that(raising(InputError("no number", at=Location("a.yaml", 3))))
    assert program.main(["probe", "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.err == ""
    document = json.loads(captured.out)
    assert (document["ok"], document["exit_code"], document["error"]["path"], document["error"]["line"]) == (
        False,
        2,
        "a.yaml",
        3,
    )


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()], ids=["signal", "prompt"])
def test_an_interrupt_is_130_without_a_traceback(
    error: BaseException, capsys: pytest.CaptureFixture[str], command_that: Any
) -> None:
    command_that(raising(error))
    assert program.main(["probe"]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


def test_a_bug_is_70_and_its_traceback_is_only_in_the_report(
    capsys: pytest.CaptureFixture[str], command_that: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    command_that(raising(ZeroDivisionError("seven by nothing")))
    assert program.main(["probe"]) == 70
    message = capsys.readouterr().err
    (report,) = tmp_path.glob("selftune-crash-*/report.md")
    assert "Traceback" not in message
    assert str(report) in message
    text = report.read_text()
    assert "ZeroDivisionError: seven by nothing" in text
    assert f"selftune-build {__version__}" in text
    assert "`selftune probe`" in text


def test_a_bug_is_still_70_where_no_report_can_be_written(
    capsys: pytest.CaptureFixture[str], command_that: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    command_that(raising(RuntimeError("x")))
    assert program.main(["probe"]) == 70
    assert "could not be written" in capsys.readouterr().err


def test_a_full_disk_under_a_command_is_a_store_problem_not_a_bug(capsys: pytest.CaptureFixture[str], command_that: Any) -> None:
    command_that(raising(OSError(errno.ENOSPC, "No space left on device", "evidence")))
    assert program.main(["probe"]) == 4
    assert capsys.readouterr().err == "error: evidence could not be written: No space left on device\n"


def test_a_full_disk_under_the_output_is_a_store_problem() -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "selftune_build", "--version"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert result.returncode == 4
    assert result.stderr == "error: the output could not be written: No space left on device\n"


def test_a_reader_that_leaves_early_changes_nothing() -> None:
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        [sys.executable, "-m", "selftune_build", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=buffered
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    complaint = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=60), complaint) == (0, b"")


def test_a_terminal_that_shows_only_ascii_gets_escapes() -> None:
    result = run("café", env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(sys.path)})
    assert result.returncode == 2
    assert "there is no command 'caf\\xe9'" in result.stderr
