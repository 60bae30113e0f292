"""Progress on a terminal and elsewhere."""

from __future__ import annotations

import io
import os

from selftune_build.report.progress import Progress


def work(progress: Progress) -> None:
    progress.started(3, "3 paid calls, about 0.30 USD")
    progress.sample("pdf:replay[a]", "passed")
    progress.sample("csv:replay[a]", "failed")
    progress.sample("pdf:replay[b: x]", "passed")
    progress.waiting("another process pays for csv:replay[b]")
    progress.done()


def test_without_a_terminal_each_package_gets_one_plain_line() -> None:
    stream = io.StringIO()
    work(Progress(stream))
    assert stream.getvalue().splitlines() == [
        "running 3 samples, 3 paid calls, about 0.30 USD",
        "another process pays for csv:replay[b]",
        "pdf: 2 passed",
        "csv: 1 failed",
    ]


def test_on_a_terminal_one_line_is_drawn_again_and_again_and_then_removed() -> None:
    stream = io.StringIO()
    progress = Progress(stream, live=True, width=30)
    progress.started(2, None)
    progress.sample("pdf:replay[a-case-with-a-rather-long-name]", "passed")
    drawn = stream.getvalue().rpartition("\x1b[2K")[2]
    assert drawn.startswith("[1/2] pdf:replay[a-case")
    assert len(drawn) <= 29
    assert "\n" not in drawn
    progress.done()
    assert stream.getvalue().endswith("\r\x1b[2Kpdf: 1 passed\n")


def test_quiet_writes_nothing() -> None:
    stream = io.StringIO()
    work(Progress(stream, quiet=True))
    assert stream.getvalue() == ""


def test_nothing_to_run_is_not_announced() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.started(0, None)
    progress.done()
    assert stream.getvalue() == ""


def test_a_closed_terminal_does_not_stop_the_work() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    stream.close()
    work(progress)
    assert stream.closed


def test_names_cannot_move_the_cursor() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.sample("evil\x1b[2J:replay[a]", "passed")
    progress.waiting("wait\x1b[2J\nfor me")
    progress.done()
    assert "\x1b" not in stream.getvalue()
    assert stream.getvalue().count("\n") == 2


def test_a_signal_handler_can_speak_while_the_thread_it_interrupts_is_speaking() -> None:
    reader, writer = os.pipe()
    with open(writer, "w") as stream, open(reader, newline="") as other_end:
        progress = Progress(stream, live=True)
        with progress._guard:
            progress.urgent("interrupted")
        stream.close()
        assert other_end.read() == "\r\x1b[2Kinterrupted\n"


def test_a_signal_handler_is_silent_where_everything_is_and_where_nobody_can_hear_it() -> None:
    Progress(io.StringIO()).urgent("interrupted")
    reader, writer = os.pipe()
    with open(writer, "w") as stream, open(reader, newline="") as other_end:
        Progress(stream, quiet=True).urgent("interrupted")
        stream.close()
        assert other_end.read() == ""
