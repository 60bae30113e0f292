"""What a report says of the patch that was laid over the tree."""

from __future__ import annotations

from typing import Any

from selftune_build.limits import SHOWN_CASES
from selftune_build.model.report import Overlay
from selftune_build.report.cells import name
from selftune_build.wording import listed


def overlay_line(overlay: Overlay) -> str:
    """One sentence: which patch, what it does to which files, and that it stayed a trial."""
    files = listed([f"{name(path)} {fate}" for path, fate in overlay.files], SHOWN_CASES)
    return f"With the overlay {name(overlay.name)} ({files}): neither tree nor lock was written"


def overlay_data(overlay: Overlay) -> dict[str, Any]:
    """The same for JSON."""
    files = [{"path": path, "change": fate} for path, fate in overlay.files]
    return {"name": overlay.name, "digest": overlay.digest, "files": files, "candidate": overlay.candidate or None}
