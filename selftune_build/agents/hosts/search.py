"""Keeping a host from what lies in the folders above its workspace."""

from __future__ import annotations

from selftune_build.agents.hosts.host import Session


def stop_search(session: Session, folder: str) -> None:
    """For programs that take variables from the first `.env` on the way up, or in a `folder` of theirs there, whosever it is: an
    empty one is the first, beside the workspace and outside of what a case sees."""
    place = session.workspace.parent / folder
    place.mkdir(exist_ok=True)
    (place / ".env").touch()
