"""Where a path lies."""

from __future__ import annotations


def is_below(path: str, folder: str) -> bool:
    """Whether `path` is `folder` or lies in it; both absolute, without links."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
