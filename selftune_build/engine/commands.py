"""Runs the commands of `command` checks: in a folder of their own, on what the sample left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

from selftune_build import process
from selftune_build.checks.context import Command, CommandEnd, Execute
from selftune_build.limits import COMMAND_CHECK_TIMEOUT_S, SCRIPT_OUTPUT_BYTES
from selftune_build.model.package import Package


def package_executor(package: Package) -> Execute:
    """Executes for the checks of one package. A word of the command that names a package file means a copy of it."""

    def execute(command: Command) -> CommandEnd:
        with tempfile.TemporaryDirectory(prefix="selftune-check-") as folder:
            return _execute(command, package, Path(folder))

    return execute


def _execute(command: Command, package: Package, folder: Path) -> CommandEnd:
    work, copies, home = folder / "work", folder / "package", folder / "home"
    for made in (work, copies, home / "tmp"):
        made.mkdir(parents=True)
    for path, content, executable in command.files:
        _write(work / path, content, executable)
    for path in command.package_files:
        source = Path(package.root) / path
        if source.is_file():
            _write(copies / path, source.read_bytes(), bool(source.stat().st_mode & 0o111))
    outcome = process.run(
        [str(copies / word) if word in command.package_files else word for word in command.argv],
        cwd=work,
        env={**process.child_environment(home, home / "tmp"), "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        stdin=command.stdin,
        timeout_s=COMMAND_CHECK_TIMEOUT_S,
        output_cap=SCRIPT_OUTPUT_BYTES,
    )
    stdout, stderr = (text.decode(errors="replace").replace(str(folder), "{check}") for text in (outcome.stdout, outcome.stderr))
    if outcome.ended != "exit":
        return CommandEnd(None, stdout, stderr, reason=f"it ended by {outcome.ended}")
    return CommandEnd(outcome.exit_status, stdout, stderr)


def _write(path: Path, content: bytes, executable: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if executable:
        path.chmod(0o755)
