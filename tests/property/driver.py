"""Runs many command lines of the product in one process: a line of JSON in, a line of JSON out, for each.

With `--old-files` a file is old enough to be remembered after a tenth of a second: clocks of file systems here are finer.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time


def main() -> None:
    """Answer until stdin ends."""
    from selftune_build.__main__ import main as selftune
    from selftune_build.store import watchlist

    patient = "--old-files" in sys.argv
    if patient:
        watchlist.RACY_NS = 100_000_000
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    for line in sys.stdin:
        request = json.loads(line)
        os.environ.clear()
        os.environ.update(request["environment"])
        if patient:
            time.sleep(0.15)
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = selftune(request["arguments"])
        print(json.dumps([status, out.getvalue(), err.getvalue()]), file=answers, flush=True)


if __name__ == "__main__":
    main()
