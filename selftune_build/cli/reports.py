"""`--report ID=FILE`: the report of a build in one more format, written to a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from selftune_build.errors import SelftuneError, StoreError, UsageError
from selftune_build.model.report import Report
from selftune_build.report.errors import render_text
from selftune_build.report.format import ReportFormat
from selftune_build.store.atomic import write_atomic


class WantedReport(Struct, frozen=True):
    """A format and the file that gets it."""

    format: ReportFormat
    file: Path


def wanted_reports(words: Sequence[str], formats: Mapping[str, ReportFormat], *, locked: bool = False) -> list[WantedReport]:
    """What `ID=FILE` ask for. Raises UsageError for a format that nobody supplies, before anything is built."""
    hint = "under --locked there are no formats of plugins" if locked else "`selftune plugins list` shows those that are there"
    wanted = []
    for word in words:
        name, _, file = word.partition("=")
        if not name or not file:
            raise UsageError(f"--report {word!r} is not ID=FILE", hint="such as --report json=report.json")
        format_ = formats.get(name)
        if format_ is None:
            raise UsageError(f"there is no report format {name!r}", hint=hint)
        wanted.append(WantedReport(format_, Path(file)))
    return wanted


def write_reports(report: Report, wanted: Sequence[WantedReport]) -> Iterator[int]:
    """Write each; what fails is told on stderr and is an exit status, since the build itself has its result already."""
    for each in wanted:
        try:
            _write(each, report)
        except SelftuneError as error:
            print(render_text(error), file=sys.stderr)
            yield error.exit_status


def _write(wanted: WantedReport, report: Report) -> None:
    text = wanted.format.render(report)
    if not wanted.file.absolute().parent.is_dir():
        raise StoreError(f"{wanted.file} cannot be written: its folder is not there", hint="make the folder first")
    write_atomic(wanted.file, text.encode("utf-8", "backslashreplace"))
