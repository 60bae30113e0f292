"""Runs the command of a check: in a temporary folder, on copies, within limits. Nothing of the checkout is touched."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from selftune_build.checks.context import Command, CommandEnd, Execute
from selftune_build.checks.graders import grader_files
from selftune_build.environment import script_environment
from selftune_build.errors import InputError
from selftune_build.fingerprint.unchanged import read_file
from selftune_build.limits import CHECK_COMMAND_OUTPUT_BYTES, CHECK_COMMAND_SECONDS
from selftune_build.model.package import Package
from selftune_build.process import Outcome, run

_REASONS = {
    "timeout": f"it did not end within {CHECK_COMMAND_SECONDS} s",
    "flood": "it wrote too much",
    "cancelled": "it was cancelled",
}


def command_executor(package: Package, *, cancel: threading.Event | None = None) -> Execute:
    """A way to run commands for checks of this package.

    The command gets a folder with the files of the sample, a home and a temporary folder of its own, and, where a package
    file is among its argv, private copies of it and of what lies beside it (`grader_files`). What cannot be laid
    out or started is an end without exit status, never an exception.
    """

    def execute(command: Command) -> CommandEnd:
        try:
            with tempfile.TemporaryDirectory(prefix="selftune-check-", ignore_cleanup_errors=True) as folder:
                return _run_in(Path(folder).resolve(), package, command, cancel)
        except InputError as changed:
            return CommandEnd(None, reason=changed.message)
        except OSError as problem:
            return CommandEnd(None, reason=f"its files could not be laid out ({problem.strerror or problem})")

    return execute


def _run_in(folder: Path, package: Package, command: Command, cancel: threading.Event | None) -> CommandEnd:
    work, home, temporary, copy = (folder / name for name in ("work", "home", "tmp", "package"))
    for own in (work, home, temporary, copy):
        own.mkdir()
    for path, content, executable in command.files:
        _write(work, path, content, executable)
    if command.package_files:
        _copy_grader(package, command.package_files, copy)
    outcome = run(
        [str(copy / element) if element in command.package_files else element for element in command.argv],
        cwd=work,
        env=script_environment(home, temporary),
        stdin=command.stdin,
        timeout_s=CHECK_COMMAND_SECONDS,
        output_cap=CHECK_COMMAND_OUTPUT_BYTES,
        cancel=cancel,
    )
    return _end(outcome)


def _end(outcome: Outcome) -> CommandEnd:
    stdout, stderr = outcome.stdout.decode("utf-8", "replace"), outcome.stderr.decode("utf-8", "replace")
    if outcome.ended == "exit":
        return CommandEnd(outcome.exit_status, stdout, stderr)
    return CommandEnd(None, stdout, stderr, _REASONS.get(outcome.ended, stderr))


def _copy_grader(package: Package, named: Sequence[str], folder: Path) -> None:
    for file in grader_files(package.tree, named):
        _write(folder, file.path, read_file(package.root, file, package.overlay), file.executable)


def _write(folder: Path, path: str, content: bytes, executable: bool) -> None:
    """Write one file below `folder`. Raises OSError for a path that leads out of it: transcripts come from strangers."""
    segments = path.split("/")
    if "\0" in path or os.path.isabs(path) or any(segment in ("", ".", "..") for segment in segments):
        raise OSError(f"unsafe path {path!r}")
    target = folder.joinpath(*segments)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    if executable:
        target.chmod(0o755)
