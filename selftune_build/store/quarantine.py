"""Damaged files of the store: moved aside under a new name, reported, never deleted."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


def move_aside(path: Path, problem: str, warn: Callable[[str], None]) -> None:
    """Rename a damaged file to `<name>.corrupt-<N>`; where that cannot be done it stays, and `warn` hears of it either way."""
    try:
        target = put_aside(path)
    except FileNotFoundError:
        return
    except OSError as error:
        warn(f"{path} {problem}; it is not used and could not be moved aside: {error.strerror}")
        return
    warn(f"{path} {problem}; it is not used and was moved to {target.name}")


def put_aside(path: Path) -> Path:
    """Rename a file, or a link itself, to the first free `<name>.corrupt-<N>`; the new path. Raises OSError."""
    number = 1
    while True:
        target = path.with_name(f"{path.name}.corrupt-{number}")
        try:
            os.link(path, target, follow_symlinks=False)
            path.unlink()
            return target
        except FileExistsError:
            number += 1
        except PermissionError:
            # Some file systems know no hard links.
            if not target.exists():
                return path.rename(target)
            number += 1
