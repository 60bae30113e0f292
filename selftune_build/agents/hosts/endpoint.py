"""An endpoint of one's own in place of OpenAI, for hosts that name a model by its provider."""

from __future__ import annotations

from collections.abc import Collection

from selftune_build.agents.hosts.host import Session

URL = "OPENAI_BASE_URL"
"""The variable that names it."""


def is_of_endpoint(session: Session, providers: Collection[str]) -> bool:
    """Whether the model is one that the endpoint in the environment has, and not one of the program: those begin with the name
    of a provider."""
    named = (session.model or "").partition("/")[0] in providers
    return URL in session.login.environment and session.model is not None and not named
