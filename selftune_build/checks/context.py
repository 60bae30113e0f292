"""What a check may look at beside the transcript, and how its result is worded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from selftune_build.checks.votes import Rule
from selftune_build.escape import one_line
from selftune_build.limits import CHECK_EVIDENCE_CHARACTERS
from selftune_build.model.case import Arm, CaseFile, Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult


class Command(Struct, frozen=True):
    """What a `command` check asks to run: argv, the package files among it, what lies in its folder, its stdin."""

    argv: tuple[str, ...]
    package_files: tuple[str, ...]
    files: tuple[tuple[str, bytes, bool], ...]
    """Path in the folder, bytes, whether executable: the case's files as the sample left them."""
    stdin: bytes = b""


class CommandEnd(Struct, frozen=True):
    """How a command ended; `exit_status` None with the reason why there is none."""

    exit_status: int | None
    stdout: str = ""
    stderr: str = ""
    reason: str = ""


Execute = Callable[[Command], CommandEnd]


class Supplied(Protocol):
    """What judges checks that are not ours: `checks.registry.Family`."""

    @property
    def judge(self) -> Callable[[Check, Transcript, CheckContext], CheckResult]:
        """Whether a check of this kind holds."""


NOTHING_SUPPLIED: Mapping[str, Supplied] = {}


class CheckContext(Struct, frozen=True):
    """The case around a transcript: whose skill it tests, under which arm, and the files it started with."""

    package_name: str
    arm: Arm
    case_files: tuple[CaseFile, ...] = ()
    allow_exec: bool = True
    """False under `--no-exec`: `command` checks are then not measured."""
    execute: Execute | None = None
    supplied: Mapping[str, Supplied] = NOTHING_SUPPLIED
    """How checks of plugins are judged, by their kind."""
    prompt: str = ""
    """What was asked; only judges look at it."""
    rule: Rule | None = None
    """Where the votes of the judge come from; None: there is no judge."""
    other: Transcript | None = None
    """What the same case gave without the skill, where that is known."""


def held(evidence: str) -> CheckResult:
    """The check holds."""
    return CheckResult(True, one_line(evidence, CHECK_EVIDENCE_CHARACTERS))


def failed(evidence: str) -> CheckResult:
    """The check does not hold."""
    return CheckResult(False, one_line(evidence, CHECK_EVIDENCE_CHARACTERS))


def not_measured(evidence: str) -> CheckResult:
    """Nobody can tell whether the check holds: its case is undecided, never passed."""
    return CheckResult(None, one_line(evidence, CHECK_EVIDENCE_CHARACTERS))


def decided(holds: bool, evidence: str) -> CheckResult:
    """`held` or `failed`, with the same evidence."""
    return held(evidence) if holds else failed(evidence)


def left_files(transcript: Transcript, context: CheckContext) -> dict[str, tuple[bytes, bool]]:
    """Bytes and executable bit of every file there is after the run: the case's files, then what the run changed."""
    files = {file.dest: (file.content, False) for file in context.case_files}
    for change in transcript.files:
        if change.content is None:
            files.pop(change.path, None)
        else:
            files[change.path] = (change.content, change.executable)
    return files


def read_file(path: str, transcript: Transcript, context: CheckContext) -> bytes | None:
    """Bytes of the file at `path` after the run, None where there is none."""
    for change in reversed(transcript.files):
        if change.path == path:
            return change.content
    return next((file.content for file in context.case_files if file.dest == path), None)
