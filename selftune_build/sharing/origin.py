"""Where a sample was paid for, as the environment of a CI service tells: facts for people, believed as far as the signer is."""

from __future__ import annotations

import os
from collections.abc import Mapping

from selftune_build.limits import NAME_CHARACTERS

_FACTS = {
    "repository": ("GITHUB_REPOSITORY", "CI_PROJECT_PATH"),
    "ref": ("GITHUB_REF", "CI_COMMIT_REF_NAME"),
    "commit": ("GITHUB_SHA", "CI_COMMIT_SHA"),
    "workflow": ("GITHUB_WORKFLOW_REF", "CI_CONFIG_PATH"),
    "run": ("GITHUB_RUN_ID", "CI_PIPELINE_ID"),
}


def origin(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Repository, ref, commit, workflow and run; nothing outside of a CI service, and nothing about the machine or the user."""
    found = {fact: next(filter(None, map(environment.get, names)), None) for fact, names in _FACTS.items()}
    return {fact: value[:NAME_CHARACTERS] for fact, value in found.items() if value}
