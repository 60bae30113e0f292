"""Which distributions may supply plugins: those that somebody installed, never what lies in a checkout.

Python looks for modules and distributions in every folder of `sys.path`; the folder it was started in may be one of them. A
pull request could then bring a `*.dist-info` of its own, or a module that stands in front of an installed one.
"""

from __future__ import annotations

import json
import os
import re
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from selftune_build.plugins.kinds import GROUP
from selftune_build.plugins.places import is_below

_SEPARATORS = re.compile(r"[-_.]+")


class Found(Struct, frozen=True):
    """A distribution with entry points of ours: normal name, version, where it lies, its entry points."""

    name: str
    version: str
    location: str
    entries: tuple[metadata.EntryPoint, ...]
    project: str | None = None
    """Folder of the project it was installed from, where it is installed in editable form."""


class Refused(Struct, frozen=True):
    """A distribution that is not used, and why."""

    name: str
    version: str
    location: str
    reason: str


class Census(Struct, frozen=True):
    """Everything that offers plugins: what may be loaded and what may not, each sorted by name."""

    found: tuple[Found, ...]
    refused: tuple[Refused, ...]


def normal(name: str) -> str:
    """The name of a distribution as everybody compares it: lower case, `-` for `_` and `.`."""
    return _SEPARATORS.sub("-", name).lower()


def census(root: Path) -> Census:
    """The distributions that offer plugins here; `root` is the workspace, from which, as from the current folder, none is used.

    Folders of `sys.path` inside them are dropped from it for good, except those of this interpreter's own packages and of
    projects that are installed in editable form: what a plugin imports must not come from a checkout either.
    """
    checkouts = [os.path.realpath(root), os.path.realpath(os.curdir)]
    installed = _installed_folders()
    projects = [project for each in metadata.distributions(path=installed) if (project := _editable(each))]
    kept = [entry for entry in sys.path if _is_trusted(entry, checkouts, [*installed, *projects])]
    dropped = [entry for entry in sys.path if entry not in kept]
    sys.path[:] = kept
    # A distribution of an editable project lies in an installed folder; one that lies in the project itself was not installed.
    own = [entry for entry in kept if _is_trusted(entry, checkouts, installed)]
    lying = [*dropped, *(entry for entry in kept if entry not in own)]
    found = {each.name: each for each in reversed(list(_offers(own)))}
    refused = [_refusal(each) for each in _offers(lying or [os.devnull])]
    return Census(
        tuple(found[name] for name in sorted(found)),
        tuple(sorted(refused, key=lambda each: (each.name, each.location))),
    )


def import_fault(found: Found, entry: metadata.EntryPoint, root: Path) -> str | None:
    """Why the module of an entry point must not be imported, None where it may. Nothing is imported to find out."""
    top = entry.module.partition(".")[0]
    places = list(_places(top))
    if not places:
        return f"its module {top!r} is not there"
    checkouts = [os.path.realpath(root), os.path.realpath(os.curdir)]
    allowed = [*_installed_folders(), *([found.project] if found.project else [])]
    outside = [place for place in places if not _is_trusted(place, checkouts, allowed)]
    return f"its module {top!r} would be imported from the checkout ({outside[0]})" if outside else None


def _places(top: str) -> Iterator[str]:
    """Files and folders that a top-level name would be imported from."""
    from importlib.util import find_spec

    module = sys.modules.get(top)
    spec = module.__spec__ if module is not None else find_spec(top) or PathFinder.find_spec(top)
    if spec is None:
        return
    if spec.origin and spec.has_location:
        yield spec.origin
    yield from spec.submodule_search_locations or ()


def _installed_folders() -> list[str]:
    """Where installers of this interpreter put packages."""
    paths = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        paths.append(site.getusersitepackages())
    return list(dict.fromkeys(os.path.realpath(path) for path in paths))


def _is_trusted(entry: str, checkouts: Iterable[str], allowed: Iterable[str]) -> bool:
    path = os.path.realpath(entry or os.curdir)
    if any(is_below(path, folder) for folder in allowed):
        return True
    return not any(is_below(path, folder) for folder in checkouts)


def _offers(path: list[str]) -> Iterator[Found]:
    for distribution in metadata.distributions(path=path):
        try:
            found = _offer(distribution)
        except Exception:  # whatever a spoiled file makes of the reader: it belongs to a stranger, and offers nothing
            found = None
        if found is not None:
            yield found


def _offer(distribution: metadata.Distribution) -> Found | None:
    entries = tuple(entry for entry in distribution.entry_points if entry.group == GROUP)
    name = distribution.metadata["Name"] if entries else None
    if not name:
        return None
    sound = [entry for entry in entries if entry.name.isprintable() and entry.module]
    location = os.path.realpath(str(distribution.locate_file("")))
    return Found(normal(name), distribution.version or "", location, tuple(sound), _editable(distribution))


def _refusal(each: Found) -> Refused:
    reason = "it lies in the checkout and is not installed: `pip install` it, or `pip install -e` for work on it"
    return Refused(each.name, each.version, each.location, reason)


def _editable(distribution: metadata.Distribution) -> str | None:
    """The folder of the project that a distribution was installed from in editable form."""
    try:
        data = json.loads(distribution.read_text("direct_url.json") or "{}")
        if data["dir_info"]["editable"] is not True:
            return None
        parts = urlsplit(data["url"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    return os.path.realpath(unquote(parts.path)) if parts.scheme == "file" else None
