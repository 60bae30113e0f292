"""What a bug leaves behind: one file that is ready to go into an issue."""

from __future__ import annotations

import platform
import shlex
import tempfile
import traceback
from pathlib import Path

from selftune_build import __version__


def render_crash(error: BaseException, arguments: list[str]) -> str:
    """The facts of a crash as Markdown: versions, command line, traceback; nothing of the environment's values."""
    trace = "".join(traceback.format_exception(error))
    return (
        "# selftune-build stopped with a bug\n\n"
        f"- selftune-build {__version__}\n"
        f"- Python {platform.python_version()} ({platform.python_implementation()})\n"
        f"- {platform.system()} {platform.release()} {platform.machine()}\n"
        f"- command: `{shlex.join(arguments)}`\n\n"
        f"```\n{trace}```\n"
    )


def write_crash_report(error: BaseException, arguments: list[str]) -> str | None:
    """Write the report into a new temporary folder and return its path, or None where even that is impossible.

    It does not go through `store`: that may be what broke.
    """
    try:
        path = Path(tempfile.mkdtemp(prefix="selftune-crash-")) / "report.md"
        path.write_text(render_crash(error, arguments), encoding="utf-8", errors="backslashreplace")
    except OSError:
        return None
    return str(path)
