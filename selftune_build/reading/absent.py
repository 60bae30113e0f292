"""Why there is no package where one was looked for."""

from __future__ import annotations

from pathlib import Path

from selftune_build.errors import UsageError
from selftune_build.model.location import Location
from selftune_build.model.package import SKILL_FILE

_CREATE = "selftune create init --name my-skill --description 'What it does and when to use it'"


def no_package(root: Path) -> UsageError:
    """The error for a folder that is no package and has none below: whatever there is of a SKILL.md is named."""
    near = _nearly(root)
    if near is None:
        message = f"there is no skill (a folder with {SKILL_FILE}) in {root} or below it"
        return UsageError(message, hint=_CREATE)
    at = Location(str(root / near))
    if near != SKILL_FILE:
        return UsageError(f"hosts read only a file spelled {SKILL_FILE}", at=at, hint=f"rename {near} to {SKILL_FILE}")
    what = "a link that leads nowhere" if (root / near).is_symlink() else "not a regular file"
    return UsageError(f"{SKILL_FILE} is {what}", at=at, hint="replace it with a regular file")


def _nearly(root: Path) -> str | None:
    """What is called SKILL.md but for its case, or is called so and is no file."""
    try:
        names = sorted(entry.name for entry in root.iterdir() if entry.name.lower() == SKILL_FILE.lower())
    except OSError:
        return None
    return next(iter(names), None)
