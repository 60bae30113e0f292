"""The keys: named variables and the library's own `keys.json`, the one thing of the user's set-up that a sample gets."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from selftune_agent_llm.library import BASE_KEY, BASE_URL, USER_PATH
from selftune_build.agents.hosts import Login, LoginFile, Variable

VARIABLES = (
    Variable(BASE_KEY),
    Variable(BASE_URL, secret=False),
    Variable("ANTHROPIC_API_KEY"),
    Variable("ANTHROPIC_BASE_URL", secret=False),
)
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)


def login(named: Iterable[str] = ()) -> Login:
    """The variables that are passed on, those that a definition names among them, and the file."""
    more = [Variable(name, secret=bool(_SECRET.search(name))) for name in sorted(set(named))]
    known = {variable.name for variable in VARIABLES}
    return Login((*VARIABLES, *(each for each in more if each.name not in known)), (_file(),))


def user_path(home: Path) -> Path:
    """The library's folder in the home of a sample."""
    file = _file()
    return (home / file.folder / file.name).parent


def kept() -> list[str]:
    """The names under which the user's file keeps keys, none where it cannot be read."""
    try:
        found = json.loads(_file().of_user().read_bytes())
    except (OSError, ValueError):
        return []
    return sorted(name for name in found if not name.startswith("//")) if isinstance(found, dict) else []


def _file() -> LoginFile:
    """Where the library keeps keys: LLM_USER_PATH, else the folder for settings of programs."""
    if os.environ.get(USER_PATH):
        return LoginFile(USER_PATH, ".config/io.datasette.llm", "keys.json")
    if sys.platform == "darwin":
        return LoginFile(USER_PATH, "Library/Application Support/io.datasette.llm", "keys.json")
    return LoginFile("XDG_CONFIG_HOME", ".config", "io.datasette.llm/keys.json")
