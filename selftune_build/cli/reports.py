"""What a build tells beside its output: `--report ID=FILE`, the flags that are short for it, and `--github`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.errors import SelftuneError, StoreError, UsageError
from selftune_build.escape import one_line
from selftune_build.limits import PLUGIN_MESSAGE_CHARACTERS, STEP_SUMMARY_BYTES
from selftune_build.model.report import Report
from selftune_build.report.format import REPORT_FORMATS, ReportFormat
from selftune_build.store.atomic import append, write_atomic

_URLS = ("http://", "https://")
_BUILT_IN = tuple(each.id for each in REPORT_FORMATS)


class WantedReport(Struct, frozen=True):
    """A format and the file that gets it, or the URL."""

    format: ReportFormat
    file: Path
    url: str = ""


def asked_reports(words: Sequence[str], **short: str | None) -> list[str]:
    """`ID=FILE` of every report that was asked for, those with a flag of their own as well."""
    return [*words, *(f"{name}={file}" for name, file in short.items() if file is not None)]


def wanted_reports(words: Sequence[str], formats: Mapping[str, ReportFormat], *, locked: bool = False) -> list[WantedReport]:
    """What `ID=FILE` ask for. Raises UsageError for a format that nobody supplies, before anything is built."""
    known = "under --locked there are no formats of plugins" if locked else "`selftune plugins list` shows those that are there"
    wanted = []
    for word in words:
        name, _, file = word.partition("=")
        if not name or not file:
            raise UsageError(f"--report {word!r} is not ID=FILE", hint="such as --report json=report.json")
        format_ = formats.get(name)
        if format_ is None:
            from selftune_build.meant import did_you_mean

            raise UsageError(f"there is no report format {name!r}", hint=did_you_mean(name, _BUILT_IN) or known)
        url = file if file.startswith(_URLS) else ""
        if url and format_.send is None:
            raise UsageError(f"the report {name!r} is written, not sent", hint=f"name a file: --report {name}=FILE")
        wanted.append(WantedReport(format_, Path(file), url))
    return wanted


def write_reports(report: Report, wanted: Sequence[WantedReport]) -> Iterator[int]:
    """Write each; what fails is told on stderr and is an exit status, since the build itself has its result already."""
    for each in wanted:
        if each.url:
            _send(each, report)
        else:
            yield from _guarded(partial(_write, each, report))


def with_prefix(report: Report, root: Path) -> Report:
    """The report, knowing where its workspace lies in the repository: formats for hosts of code name files from there."""
    home = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    relative = root.relative_to(home).as_posix()
    return replace(report, prefix="" if relative == "." else f"{relative}/")


def tell_github(report: Report, text: str, *, as_json: bool) -> Iterator[int]:
    """Print the text where no line of it can be a command, then the annotations; add the summary of the step.

    With `as_json` the document has stdout for itself, and the annotations go to stderr.
    """
    from selftune_build.report.github import commands, fenced
    from selftune_build.report.markdown import render

    print(text if as_json else fenced(text), flush=True)
    print(commands(report), end="", file=sys.stderr if as_json else sys.stdout, flush=True)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        yield from _guarded(lambda: append(Path(summary), render(report).encode("utf-8", "replace"), STEP_SUMMARY_BYTES))


def _guarded(write: Callable[[], None]) -> Iterator[int]:
    try:
        write()
    except SelftuneError as error:
        from selftune_build.report.errors import render_text

        print(render_text(error), file=sys.stderr)
        yield error.exit_status


def _send(wanted: WantedReport, report: Report) -> None:
    """What nobody takes is a warning: who watches a build decides nothing about it."""
    try:
        if wanted.format.send is not None:
            wanted.format.send(report, wanted.url)
    except SelftuneError as error:
        print(
            f"warning: the report {wanted.format.id} was not sent: {one_line(error.message, PLUGIN_MESSAGE_CHARACTERS)}",
            file=sys.stderr,
        )


def _write(wanted: WantedReport, report: Report) -> None:
    text = wanted.format.render(report)
    if not wanted.file.absolute().parent.is_dir():
        raise StoreError(f"{wanted.file} cannot be written: its folder is not there", hint="make the folder first")
    write_atomic(wanted.file, text.encode("utf-8", "backslashreplace"))
