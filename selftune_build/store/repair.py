"""Mends what an examination found: by renaming, by setting bits, by writing again. What was paid for is never deleted."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from selftune_build.errors import StoreError
from selftune_build.fingerprint.digest import canonical_json
from selftune_build.store.ailment import Ailment, Cure
from selftune_build.store.asked import KEY_NAME, render_asked
from selftune_build.store.atomic import store_errors, write_atomic
from selftune_build.store.key_guard import Busy, key_guard
from selftune_build.store.location import MARKS
from selftune_build.store.quarantine import put_aside
from selftune_build.store.temporary import remove_unguarded

_USER = stat.S_IRUSR | stat.S_IWUSR


class Sources(Struct, frozen=True):
    """What stands in the workspace today and can be written again, by its digest."""

    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    keys: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Static key → its inputs."""


class Mended(Struct, frozen=True):
    """What was done about an ailment, in words."""

    code: str
    path: str
    done: str


def repair(store: Path, ailments: Sequence[Ailment], sources: Sources) -> list[Mended]:
    """Do what can be done about each of them, in an order in which one cure does not spoil the next. Raises StoreError."""
    order = [Cure.BITS, Cure.MOVE, Cure.ASIDE, Cure.REMOVE, Cure.WRITE]
    chosen = sorted((each for each in ailments if each.cure in order), key=lambda each: order.index(each.cure))
    mended = (_mend(store, ailment, sources) for ailment in chosen)
    return [each for each in mended if each is not None]


def _mend(store: Path, ailment: Ailment, sources: Sources) -> Mended | None:
    path = store / ailment.path
    try:
        with store_errors("mend", path), key_guard(path):
            done = _CURES[ailment.cure](store, ailment, sources)
    except (Busy, FileNotFoundError):
        return None
    except StoreError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise
    return Mended(ailment.code, ailment.path, done) if done else None


def _aside(store: Path, ailment: Ailment, _sources: Sources) -> str:
    return f"moved to {put_aside(store / ailment.path).name}"


def _move(store: Path, ailment: Ailment, _sources: Sources) -> str:
    target = store / ailment.target
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(store / ailment.path, target)
    except FileExistsError:
        return _aside(store, ailment, _sources)
    (store / ailment.path).unlink()
    return f"moved to {ailment.target}"


def _remove(store: Path, ailment: Ailment, _sources: Sources) -> str:
    if ailment.code == "temporary":
        return "removed" if remove_unguarded(store / ailment.path) else ""
    (store / ailment.path).unlink()
    return "removed"


def _bits(store: Path, ailment: Ailment, _sources: Sources) -> str:
    path = store / ailment.path
    mode = stat.S_IMODE(path.lstat().st_mode)
    needed = _USER | (stat.S_IXUSR if path.is_dir() else 0)
    wanted = (mode | needed) & ~stat.S_IWOTH
    path.chmod(wanted)
    return f"permissions set to {wanted:04o}" if wanted != mode else ""


def _write(store: Path, ailment: Ailment, sources: Sources) -> str:
    content = _content(ailment, sources)
    path = store / ailment.path
    if content is None:
        if not path.exists():
            return ""
        return f"moved to {put_aside(path).name}" if ailment.code == "key-forged" else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, content)
    return "written again"


def _content(ailment: Ailment, sources: Sources) -> bytes | None:
    """What has to stand in a file, where the workspace of today says it."""
    folder, _, name = ailment.path.rpartition("/")
    if ailment.path in MARKS:
        return MARKS[ailment.path]
    if name == KEY_NAME:
        inputs = sources.keys.get(f"sha256:{folder[-64:]}")
        return None if inputs is None else render_asked(inputs)
    record = sources.records.get(f"sha256:{name.removesuffix('.json')}")
    return None if record is None else canonical_json(record)


_CURES = {Cure.ASIDE: _aside, Cure.MOVE: _move, Cure.REMOVE: _remove, Cure.BITS: _bits, Cure.WRITE: _write}
