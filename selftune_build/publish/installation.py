"""Skills in a folder where hosts or people look: put there whole or not at all, with a receipt, and a way back.

```
NAME/                              the skill
.selftune/receipts/NAME.json       what is there, from which lock, what was there before
.selftune/archives/DIGEST.skill    every archive that a receipt names
.selftune/aside/NAME-NUMBER        what `force` replaced though it was no version that we know; never deleted
```

The order of writes is: archives, receipt with `pending`, the folder in one exchange, receipt without it. So after a kill the
folder is one of the two that the receipt names, and the next call takes up from there.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from selftune_build.errors import InputError, StoreError, UsageError, refuse_machine
from selftune_build.limits import ARCHIVE_BYTES, RECEIPT_BYTES
from selftune_build.model.location import Location
from selftune_build.publish.archive import SUFFIX, ArchivedFile, unpack
from selftune_build.publish.exchange import exchange
from selftune_build.publish.statement import sha256
from selftune_build.store.atomic import make_folder, store_errors, sync_folder, write_atomic
from selftune_build.store.quarantine import put_aside
from selftune_build.store.reading import read_regular

_OURS = ".selftune"
RECEIPT_SCHEMA = "selftune.receipt/1"


class Version(Struct, frozen=True):
    """One state of an installed skill: sha256 of its archive, of the package tree and of the lock it came from."""

    archive: str
    tree: str
    lock: str
    installed: str
    """ISO 8601 in UTC."""


class Receipt(Struct, frozen=True):
    """What is installed under a name; `pending` while it is being exchanged, `previous` what a rollback brings back."""

    name: str
    current: Version | None = None
    pending: Version | None = None
    previous: Version | None = None
    aside: str | None = None
    """Where in the folder of skills that lies which `current` replaced by force."""


def install(folder: Path, archive: bytes, version: Version, *, force: bool = False) -> Receipt:
    """Put the skill of an archive into a folder of skills and return its receipt; the same version again changes nothing.

    Raises UsageError where something is there that nobody installed, or that was changed since (unless `force`), StoreError where
    the folder cannot be written.
    """
    name, files = unpack(archive)
    receipt = _read_or_moved_aside(folder, name) if force else read_receipt(folder, name)
    there = _state(folder, name, receipt)
    strange = there is None and os.path.lexists(folder / name)
    if strange and not force:
        why = "was changed since it was installed" if receipt.current else "was not installed by `selftune publish`"
        raise UsageError(f"{folder / name} {why}", hint="move it away, or --force replaces it and keeps it aside")
    if there is not None and there.archive == version.archive:
        with store_errors("write", folder / name):
            _remove(_fresh(folder, name))  # what a kill left behind
        return _settled(folder, Receipt(name, there, previous=_before(receipt, there), aside=receipt.aside))
    _keep(folder, version.archive, archive)
    aside = _free_aside(folder, name) if strange else None
    begun = Receipt(name, there or receipt.current, version, receipt.previous, aside)
    _write_receipt(folder, begun)
    _swap(folder, name, files, aside)
    return _settled(folder, Receipt(name, version, previous=_before(begun, version), aside=aside))


def rollback(folder: Path, name: str, *, force: bool = False) -> Receipt:
    """Bring back what was there before the last installation. Raises UsageError where that is not known, and as `install`."""
    receipt = read_receipt(folder, name)
    if receipt.previous is None:
        kept = f"what --force replaced was kept as {folder / receipt.aside}" if receipt.aside else None
        hint = kept or "a rollback needs two installations"
        raise UsageError(f"there is no earlier version of {name!r} in {folder}", hint=hint)
    path = _archive_path(folder, receipt.previous.archive)
    with store_errors("read", path):
        archive = read_regular(path, ARCHIVE_BYTES)
    if sha256(archive) != receipt.previous.archive:
        raise InputError("the archive of the earlier version was changed", at=Location(str(path)))
    return install(folder, archive, receipt.previous, force=force)


class DamagedReceipt(StoreError):
    """A receipt that says nothing any more."""


def read_receipt(folder: Path, name: str) -> Receipt:
    """What is known of a name; an empty receipt where nothing is. Raises StoreError, DamagedReceipt where it says nothing."""
    path = _receipt_path(folder, name)
    try:
        with store_errors("read", path):
            content = read_regular(path, RECEIPT_BYTES)
    except StoreError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return Receipt(name)
        raise
    try:
        document: dict[str, Any] = json.loads(content)
        return msgspec.convert({**document, "name": name}, Receipt)
    except (ValueError, TypeError, RecursionError, msgspec.ValidationError) as error:
        hint = "--force moves it aside and installs anew"
        raise DamagedReceipt(f"{path} is damaged", at=Location(str(path)), hint=hint) from error


def _read_or_moved_aside(folder: Path, name: str) -> Receipt:
    path = _receipt_path(folder, name)
    try:
        return read_receipt(folder, name)
    except DamagedReceipt:
        with store_errors("move aside", path):
            put_aside(path)
        return Receipt(name)


def _state(folder: Path, name: str, receipt: Receipt) -> Version | None:
    """Which of the versions that the receipt names is the one in the folder; None for none of them."""
    for version in (receipt.pending, receipt.current):
        if version is None:
            continue
        path = _archive_path(folder, version.archive)
        try:
            _, files = unpack(read_regular(path, ARCHIVE_BYTES))
        except OSError as error:
            refuse_machine(error, path)
            continue
        except InputError:
            continue
        if _is_there(folder / name, files):
            return version
    return None


def _before(receipt: Receipt, now: Version) -> Version | None:
    """What a rollback from `now` brings back: never the same archive again."""
    return receipt.current if receipt.current is not None and receipt.current.archive != now.archive else receipt.previous


def _is_there(folder: Path, files: list[ArchivedFile]) -> bool:
    with store_errors("read", folder):
        return _holds(folder, files)


def _holds(folder: Path, files: list[ArchivedFile]) -> bool:
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() or path.is_symlink()}
    if found != {file.path for file in files} or folder.is_symlink():
        return False
    paths = ((folder / file.path, file) for file in files)
    return all(not path.is_symlink() and read_regular(path, len(file.content)) == file.content for path, file in paths)


def _swap(folder: Path, name: str, files: list[ArchivedFile], aside: str | None) -> None:
    """The new folder in the place of the old one, in one step where the system has one; the old one is then `aside`, or gone."""
    fresh = _fresh(folder, name)
    with store_errors("write", folder / name):
        _remove(fresh)
        for file in files:
            path = fresh / file.path
            make_folder(path.parent)
            write_atomic(path, file.content, mode=0o755 if file.executable else 0o644)
        if aside is not None:
            # From there it is exchanged, so that no kill leaves the old one where the next call would remove it.
            _make((folder / aside).parent)
            fresh = fresh.rename(folder / aside)
        exchange(fresh, folder / name)
        sync_folder(folder)
        if aside is not None:
            sync_folder(fresh.parent)
            return
        _remove(fresh)


def _fresh(folder: Path, name: str) -> Path:
    return folder / _OURS / f"new-{name}"


def _free_aside(folder: Path, name: str) -> str:
    numbered = (f"{_OURS}/aside/{name}-{number}" for number in itertools.count(1))
    return next(path for path in numbered if not os.path.lexists(folder / path))


def _remove(place: Path) -> None:
    """Whatever stands there, links not followed."""
    if place.is_symlink() or place.is_file():
        place.unlink()
    shutil.rmtree(place, ignore_errors=True)


def _settled(folder: Path, receipt: Receipt) -> Receipt:
    _write_receipt(folder, receipt)
    return receipt


def _write_receipt(folder: Path, receipt: Receipt) -> None:
    document = {"schema": RECEIPT_SCHEMA, **msgspec.to_builtins(receipt)}
    if receipt.aside is None:
        del document["aside"]
    path = _receipt_path(folder, receipt.name)
    _make(path.parent)
    content = (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
    if _read(path) != content:
        write_atomic(path, content)


def _keep(folder: Path, digest: str, archive: bytes) -> None:
    path = _archive_path(folder, digest)
    _make(path.parent)
    if _read(path) != archive:
        write_atomic(path, archive)


def _read(path: Path) -> bytes | None:
    """The bytes of a file of ours, None where there is none. Raises StoreError."""
    with store_errors("read", path):
        return read_regular(path, ARCHIVE_BYTES) if path.exists() else None


def _make(folder: Path) -> None:
    with store_errors("create the folder", folder):
        make_folder(folder)
    if folder.is_symlink() or folder.parent.is_symlink():
        raise StoreError(f"{folder} is a symbolic link", hint="a folder of skills must not choose where receipts go")


def _receipt_path(folder: Path, name: str) -> Path:
    return folder / _OURS / "receipts" / f"{name}.json"


def _archive_path(folder: Path, digest: str) -> Path:
    return folder / _OURS / "archives" / f"{os.path.basename(digest)}{SUFFIX}"
