"""What a run was seen to depend on (DESIGN section 5): access times, the reply, and where neither tells, everything.

Names are facets as in `Sample.staged`: `PKG:body`, `PKG:listing`, `PKG:file:PATH`, `PKG:*`. `PKG:metadata` of every staged
skill is in the static key of an agent's case already; only a script observes it. Sources add up; none narrows another.
"""

from __future__ import annotations

import os
import posixpath
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from selftune_build.agents.protocol import SKILLS_FOLDER, Traits
from selftune_build.errors import refuse_machine
from selftune_build.limits import OBSERVED_INPUT_STRINGS, PATH_CHARACTERS
from selftune_build.model.package import SKILL_FILE
from selftune_build.model.sample import Reply, ToolCall

MODIFIED_NS = 1_577_923_200 * 10**9
"""Modification time of every staged file: 2020-01-02, so that nothing a run can see depends on when it was staged."""
ACCESSED_NS = 1_577_836_800 * 10**9
"""Access time of every staged file, a day older: then a read moves it under `relatime` too."""

HARMLESS_TOOLS = frozenset(
    (
        *("read", "readfile", "view", "viewimage", "notebookread", "webfetch", "websearch", "googlewebsearch"),
        *("write", "writefile", "create", "createfile", "edit", "editfile", "multiedit", "notebookedit", "replace", "strreplace"),
        *("applypatch", "todowrite", "todoread", "updateplan", "think", "askuserquestion", "exitplanmode"),
        *("skill", "activateskill", "useskill", "loadskill"),
    )
)
"""Tools that read at most the paths they name; lower case without `_` and `-`. Every other one may list and read anything."""

_probed: dict[int, bool] = {}

_ACTIVATING_TOOLS = frozenset(("skill", "activateskill", "useskill", "loadskill"))


def probe_access_times(folder: Path) -> bool:
    """Whether a read moves an old access time on the file system of `folder`; tried once for each device. Raises StoreError where
    it cannot be tried."""
    device = folder.stat().st_dev
    if device not in _probed:
        _probed[device] = _probe(folder)
    return _probed[device]


def set_old_times(path: Path) -> None:
    """Give a staged file the times that make a read of it show."""
    os.utime(path, ns=(ACCESSED_NS, MODIFIED_NS))


def touched_names(probed: Path, skills: Mapping[str, tuple[Path, Iterable[str]]]) -> frozenset[str] | None:
    """The files of staged skills that were read, changed or removed; by skill name its folder and the paths staged there.

    `PKG:file:PATH`, and `PKG:body` for SKILL.md, which on its own proves nothing where a host opens every SKILL.md at start. None
    where the file system, tried in the folder `probed`, does not tell. Only looks at times, so asking changes nothing.
    """
    if skills and not probe_access_times(probed):
        return None
    found = ((name, path) for name, (folder, paths) in skills.items() for path in paths if _was_touched(folder / path))
    return frozenset(_file_facet(name, path) for name, path in found)


class Setting(Struct, frozen=True):
    """What one sample was staged with: the names of its skills, all its facets by name, and where the skills were."""

    skills: frozenset[str]
    facets: Collection[str]
    workspace: str
    """Absolute folder the run acted in; paths may also be given from `{workspace}` or relative to it."""
    skills_folder: str = SKILLS_FOLDER

    def all(self, facet: str) -> frozenset[str]:
        """This facet of every staged skill."""
        return frozenset(f"{name}:{facet}" for name in self.skills)


def observed_by_script(setting: Setting, touched: frozenset[str] | None) -> frozenset[str]:
    """What a script depended on: every listing, and what the access times show it opened; without them everything.

    SKILL.md is its body and its metadata: no static key of a script holds what a host would show.
    """
    if touched is None:
        return setting.all("*")
    shown = (f"{name}:metadata" for name in setting.skills if f"{name}:body" in touched)
    return touched.union(setting.all("listing"), shown)


def observed(setting: Setting, touched: frozenset[str] | None, reply: Reply | None, traits: Traits) -> frozenset[str]:
    """What an agent's run depended on beyond its static key. No reply tells nothing, as one without any optional field.

    - touched files count; a touched SKILL.md counts unless the host may have opened it at start
    - an activated skill: its body, and its listing where the host shows it
    - a path that is reported as read, or that a tool call names: that file, staged or not; SKILL.md is the body, a folder the
      listing
    - a tool that is not known to be harmless may list and read: every listing, and every body where the host may have opened
      every SKILL.md, since then access times cannot tell whether the tool did
    - unknown activations or unknown tool calls: every body and listing
    - no access times, and the reads or tool calls not reported or a tool ran that reads by itself: everything
    """
    calls = None if reply is None else reply.tool_calls
    files_read = None if reply is None else reply.files_read
    activated = _activated(setting, reply)
    any_shell = calls is None or any(not _is_harmless(call, traits) for call in calls)
    if touched is None and (files_read is None or any_shell):
        return setting.all("*")
    names = set(_touched_that_count(touched or frozenset(), traits))
    names.update(_reported(setting, files_read or ()))
    names.update(_reported(setting, (text for call in calls or () for text in _strings_in(call) or ())))
    if activated is None or calls is None:
        names |= setting.all("body") | setting.all("listing")
    for name in activated or ():
        names.add(f"{name}:body")
        if traits.shows_listing:
            names.add(f"{name}:listing")
    if any_shell:
        names |= setting.all("listing")
        if traits.opens_skill_files:
            names |= setting.all("body")
    return frozenset(names)


def _probe(folder: Path) -> bool:
    path = folder / f".selftune-probe-{os.getpid()}-{threading.get_ident()}"
    try:
        path.write_bytes(b"probe")
        set_old_times(path)
        path.read_bytes()
        return path.stat().st_atime_ns != ACCESSED_NS
    except OSError as error:
        # A full disk is none without access times: taken for one, it would let the agent's word stand alone.
        refuse_machine(error, path)
        return False
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _was_touched(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return True
    return (found.st_atime_ns, found.st_mtime_ns) != (ACCESSED_NS, MODIFIED_NS)


def _file_facet(name: str, path: str) -> str:
    return f"{name}:body" if path == SKILL_FILE else f"{name}:file:{path}"


def _touched_that_count(touched: frozenset[str], traits: Traits) -> Iterator[str]:
    return (name for name in touched if not (traits.opens_skill_files and name.endswith(":body") and ":file:" not in name))


def _activated(setting: Setting, reply: Reply | None) -> frozenset[str] | None:
    """The staged skills that were activated, by the agent's word or by a tool whose purpose that is."""
    if reply is None or reply.skills_used is None:
        return None
    by_tool = (
        value
        for call in reply.tool_calls or ()
        if _plain_name(call) in _ACTIVATING_TOOLS
        for value in call.input.values()
        if isinstance(value, str)
    )
    return setting.skills.intersection((*reply.skills_used, *by_tool))


def _plain_name(call: ToolCall) -> str:
    return call.name.replace("_", "").replace("-", "").lower()


def _is_harmless(call: ToolCall, traits: Traits) -> bool:
    return (_plain_name(call) in HARMLESS_TOOLS or call.name in traits.exact_tools) and _strings_in(call) is not None


def _reported(setting: Setting, paths: Iterable[str]) -> Iterator[str]:
    return (facet for path in paths if (facet := _facet_at(setting, path)) is not None)


def _facet_at(setting: Setting, path: str) -> str | None:
    """The facet at a path as an agent writes it, or None for one outside the staged skills."""
    if len(path) > PATH_CHARACTERS or "\0" in path:
        return None
    for root in (setting.workspace, "{workspace}"):
        path = path.removeprefix(f"{root}/")
    normal = posixpath.normpath(path)
    if not normal.startswith(f"{setting.skills_folder}/"):
        return None
    name, _, inside = normal.removeprefix(f"{setting.skills_folder}/").partition("/")
    if name not in setting.skills:
        return None
    is_folder = not inside or any(facet.startswith(f"{name}:file:{inside}/") for facet in setting.facets)
    return f"{name}:listing" if is_folder else _file_facet(name, inside)


def _strings_in(call: ToolCall) -> list[str] | None:
    """Every string in the input of a tool call; None where there are too many to look at each."""
    found: list[str] = []
    pending: list[Any] = [call.input]
    for _ in range(OBSERVED_INPUT_STRINGS):
        if not pending:
            return found
        value = pending.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
    return None if pending else found
