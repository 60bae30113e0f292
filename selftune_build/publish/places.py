"""Where hosts look for skills (their own documentation, February 2026): in a project, and in the home of a user."""

from __future__ import annotations

import os
from pathlib import Path

from selftune_build.errors import UsageError

PLACES: dict[str, tuple[str, str]] = {
    "agents": (".agents/skills", ".agents/skills"),
    "amp": (".agents/skills", ".config/agents/skills"),
    "claude": (".claude/skills", ".claude/skills"),
    "codex": (".agents/skills", ".agents/skills"),
    "copilot": (".github/skills", ".copilot/skills"),
    "cursor": (".cursor/skills", ".cursor/skills"),
    "gemini": (".gemini/skills", ".gemini/skills"),
    "goose": (".goose/skills", ".goose/skills"),
    "opencode": (".opencode/skills", ".config/opencode/skills"),
    "pi": (".pi/skills", ".pi/agent/skills"),
    "qwen": (".qwen/skills", ".qwen/skills"),
    "windsurf": (".windsurf/skills", ".codeium/windsurf/skills"),
}
"""Host → folder below the project, folder below the home."""


def place_of(host: str, project: Path, *, user: bool) -> Path:
    """The folder of skills of a host.

    Raises UsageError for a host that is not known, and where a project brings a link that leads out of it.
    """
    if host not in PLACES:
        raise UsageError(f"where {host!r} looks for skills is not known", hint=f"one of {', '.join(PLACES)}; or --to FOLDER")
    below_project, below_home = PLACES[host]
    if user:
        return Path.home() / below_home
    place = project / below_project
    if not Path(os.path.realpath(place)).is_relative_to(os.path.realpath(project)):
        raise UsageError(f"{place} leads out of the project", hint="name the folder with --to if it is the one you mean")
    return place
