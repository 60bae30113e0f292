"""Which remote builds share through: the user's environment says so, else the user's configuration; a checkout never does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from selftune_build.errors import InputError, UsageError
from selftune_build.escape import one_line
from selftune_build.limits import NAME_CHARACTERS, REMOTES_FILE_BYTES
from selftune_build.model.location import Location
from selftune_build.sharing.home import REMOTE_VARIABLE, REMOTES, configured
from selftune_build.sharing.opening import is_url, tier_name
from selftune_build.sharing.remote import shown
from selftune_build.store.reading import read_regular

READ_VARIABLE, WRITE_VARIABLE = f"{REMOTE_VARIABLE}_READ", f"{REMOTE_VARIABLE}_WRITE"
SCHEMA = "selftune-remotes-1"


class Named(Struct, frozen=True):
    """A remote, the tiers of it that count here in the order in which they are asked, and the one that is written, if any."""

    url: str
    read: tuple[str, ...] = ("main",)
    write: str | None = None

    @property
    def shown(self) -> str:
        """The URL without the name and the password that it may hold."""
        return shown(self.url)


def named_remote(root: Path, environment: Mapping[str, str] = os.environ) -> Named | None:
    """The remote for a workspace, None where none is named for it. Raises UsageError and InputError."""
    url = environment.get(REMOTE_VARIABLE)
    if url is not None:
        read = environment.get(READ_VARIABLE, "main").split()
        return _named(url, read, environment.get(WRITE_VARIABLE), environment) if url else None
    path = configured(REMOTES, environment)
    found = next((each for each in _entries(path) if _covers(each["workspaces"], root, path, environment)), None)
    return None if found is None else _named(found["url"], found.get("read", ["main"]), found.get("write"), environment)


def _named(url: str, read: list[str], write: str | None, environment: Mapping[str, str]) -> Named:
    place = url if is_url(url) else _absolute(url, environment)
    if place is None:
        hint = "such as s3://bucket/folder or /mnt/team/skills"
        raise UsageError(f"the remote {one_line(url, NAME_CHARACTERS)!r} is neither a URL nor an absolute folder", hint=hint)
    return Named(place, tuple(dict.fromkeys(map(tier_name, read))), tier_name(write) if write else None)


def _absolute(word: str, environment: Mapping[str, str]) -> str | None:
    """A folder; relative ones would be looked for in whatever checkout one stands in."""
    if word == "~" or word.startswith("~/"):
        word = environment.get("HOME", "~") + word[1:]
    return word if os.path.isabs(word) else None


def _entries(path: Path) -> list[dict[str, Any]]:
    from selftune_build.reading.schema import validate
    from selftune_build.reading.strict_yaml import load

    try:
        content = read_regular(path, REMOTES_FILE_BYTES)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="it names the remotes that builds share through"
        ) from None
    if len(content) > REMOTES_FILE_BYTES:
        raise InputError("it is too large", at=Location(str(path)), hint="it names a few remotes")
    document = load(content, str(path))
    validate(document, SCHEMA)
    entries: list[dict[str, Any]] = document.data["remotes"]
    return entries


def _covers(folders: list[str], root: Path, path: Path, environment: Mapping[str, str]) -> bool:
    real = os.path.realpath(root)
    for folder in folders:
        absolute = _absolute(folder, environment)
        if absolute is None:
            message = f"the workspace {one_line(folder, NAME_CHARACTERS)!r} is no absolute folder"
            raise InputError(message, at=Location(str(path)), hint="such as ~/code/skills")
        if os.path.commonpath((real, os.path.realpath(absolute))) == os.path.realpath(absolute):
            return True
    return False
