"""Paths that a decision hangs on without anything there being opened: whether something is there, and of which kind.

The interpreter tells its audit hooks what is opened and listed, but not what is merely asked about. Whoever decides by
`exists`, `is_dir` or `lstat` says so here, or the no-op state (docs/formats/state.md) would not notice when the answer changes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

EVENT = "selftune_build.probe"
ABOUT = "selftune_build.about"


def probed(path: str | os.PathLike[str]) -> None:
    """Tell whoever keeps a trail of this invocation that what is at `path`, or that nothing is, decides something."""
    sys.audit(EVENT, path)


@contextmanager
def about(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Tell whoever keeps a trail that what is looked at inside is looked at for the package in this folder alone."""
    sys.audit(ABOUT, os.fspath(folder))
    try:
        yield
    finally:
        sys.audit(ABOUT, "")
