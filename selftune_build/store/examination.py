"""Looks at everything in a store and says what is wrong; reads only, and believes no name.

A sample has to lie where its content says: its `call_id` follows from static key, staged tree and index, its folder from the
static key, and `key.json` has to hold inputs whose digest is that key.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from selftune_build.errors import StoreError
from selftune_build.fingerprint.digest import digest_bytes, is_digest
from selftune_build.limits import KEY_JSON_BYTES, MARK_BYTES, RECORD_BYTES
from selftune_build.store.ailment import Ailment, Cure, Examination, Severity
from selftune_build.store.asked import KEY_NAME, is_asked, read_asked
from selftune_build.store.call_checks import check_archive, check_attempt, check_call, check_envelope
from selftune_build.store.index_checks import check_state, check_traces
from selftune_build.store.location import MARKS
from selftune_build.store.reading import read_bounded, read_regular
from selftune_build.store.records import RecordStore
from selftune_build.store.survey import Entry, Kind, survey
from selftune_build.store.temporary_checks import check_temporary

_OWNER, _FOLDER_OWNER = stat.S_IRUSR | stat.S_IWUSR, stat.S_IRWXU
_CHECKS = {
    Kind.ARCHIVE: check_archive,
    Kind.ATTEMPT: check_attempt,
    Kind.CALL: check_call,
    Kind.ENVELOPE: check_envelope,
    Kind.TEMPORARY: check_temporary,
    Kind.TRACES: check_traces,
    Kind.STATE: check_state,
}
_BY_NAME = {
    Kind.LINK: ("link", Severity.ERROR, "is a link: the store follows none", Cure.ASIDE),
    Kind.SPECIAL: ("special", Severity.ERROR, "is neither a file nor a folder", Cure.ASIDE),
    Kind.UNREADABLE: ("unreadable", Severity.ERROR, "cannot be listed", Cure.BITS),
    Kind.FOREIGN: ("foreign", Severity.WARNING, "is nothing that belongs into a store", Cure.NONE),
    Kind.ASIDE: ("aside", Severity.NOTE, "was moved aside earlier and is not used", Cure.NONE),
}


def examine(store: Path, *, marked: bool = True) -> Examination:
    """Everything that is wrong in a store; one that is not there is sound. Raises StoreError where it cannot be listed.

    `marked`: whether it has to keep itself out of git and of backups, which one inside of another does not.
    """
    entries = survey(store)
    if not store.exists():
        return Examination((), {})
    staged: Counter[str] = Counter()
    found = [ailment for entry in entries for ailment in _entry(store, entry, staged)]
    found += _keys(entries)
    found += _records(store, staged)
    found += _permissions(store, entries)
    found += [_mark(name) for name in MARKS if marked and not _is_marked(store / name)]
    checked = Counter(entry.kind.value for entry in entries)
    return Examination(tuple(sorted(found, key=lambda each: (each.path, each.code))), dict(sorted(checked.items())))


def _entry(store: Path, entry: Entry, staged: Counter[str]) -> Iterator[Ailment]:
    named = _BY_NAME.get(entry.kind)
    if named is not None:
        code, severity, message, cure = named
        yield Ailment(code, severity, entry.path, message, cure)
    else:
        try:
            yield from _content(store, entry, staged)
        except FileNotFoundError:
            return
        except (OSError, StoreError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            yield Ailment("unreadable", Severity.ERROR, entry.path, f"cannot be read: {reason}", Cure.BITS)


def _content(store: Path, entry: Entry, staged: Counter[str]) -> Iterator[Ailment]:
    """What is wrong inside of a file. Raises OSError and StoreError where it cannot be read."""
    if entry.kind is Kind.KEY:
        yield from _key(store, entry)
    elif entry.kind is Kind.RECORD:
        yield from _record(store, entry)
    elif entry.kind in _CHECKS:
        yield from _CHECKS[entry.kind](store, entry, staged)


def _key(store: Path, entry: Entry) -> Iterator[Ailment]:
    inputs = read_asked(read_regular(store / entry.path, KEY_JSON_BYTES))
    if inputs is None:
        message = "is torn: it explains nothing until it is written again"
        yield Ailment("key-damaged", Severity.WARNING, entry.path, message, Cure.WRITE)
    elif not is_asked(inputs, f"sha256:{entry.folder[-64:]}"):
        message = "explains another key than the one of its folder"
        yield Ailment("key-forged", Severity.ERROR, entry.path, message, Cure.WRITE)


def _keys(entries: Iterable[Entry]) -> Iterator[Ailment]:
    """Folders with samples that nothing explains."""
    explained = {entry.folder for entry in entries if entry.kind is Kind.KEY}
    for folder in sorted({entry.folder for entry in entries if entry.kind is Kind.ARCHIVE} - explained):
        message = "is missing: nothing explains the key of its samples until the next build"
        yield Ailment("key-missing", Severity.NOTE, f"{folder}/{KEY_NAME}", message, Cure.WRITE)


def _record(store: Path, entry: Entry) -> Iterator[Ailment]:
    if digest_bytes(read_regular(store / entry.path, RECORD_BYTES)) != f"sha256:{entry.name.removesuffix('.json')}":
        yield Ailment("record-damaged", Severity.ERROR, entry.path, "does not hold what its name is the digest of", Cure.ASIDE)


def _records(store: Path, staged: Counter[str]) -> Iterator[Ailment]:
    """Records that samples name and that are not there: such samples never count."""
    records = RecordStore(store)
    missing: Counter[str] = Counter()
    for tree, samples in staged.items():
        record = records.read(tree)
        names = [tree] if record is None else [str(each) for each in record.values() if records.read(str(each)) is None]
        missing.update(dict.fromkeys(filter(is_digest, names), samples))
    for digest, samples in missing.items():
        name = digest.rpartition(":")[2]
        message = f"is missing or damaged: {samples} samples were staged from it and cannot be used without"
        yield Ailment("record-missing", Severity.ERROR, f"records/{name[:2]}/{name}.json", message, Cure.WRITE)


def _is_marked(path: Path) -> bool:
    """Whether the first line stands there, which is what others look at; a file of zeros marks nothing."""
    return (read_bounded(path, MARK_BYTES) or b"").startswith(MARKS[path.name].partition(b"\n")[0])


def _mark(name: str) -> Ailment:
    return Ailment(
        "mark-missing", Severity.WARNING, name, "is missing or damaged: it keeps the store out of git and of backups", Cure.WRITE
    )


def _permissions(store: Path, entries: Iterable[Entry]) -> Iterator[Ailment]:
    """Bits without which the owner cannot work, or with which anybody can; and files of somebody else."""
    owner = os.geteuid()
    folders = {""} | {above for entry in entries for above in _above(entry.path)}
    looked = [(entry.path, entry.mode, entry.owner) for entry in entries if stat.S_ISREG(entry.mode)]
    looked += [(path, status.st_mode, status.st_uid) for path in folders if (status := _folder(store / path)) is not None]
    for path, mode, uid in looked:
        needed = _FOLDER_OWNER if stat.S_ISDIR(mode) else _OWNER
        if mode & needed != needed or mode & stat.S_IWOTH:
            message = f"has the permissions {stat.S_IMODE(mode):04o}"
            yield Ailment("permissions", Severity.WARNING, path or ".", message, Cure.BITS)
        if uid != owner:
            yield Ailment("owner", Severity.WARNING, path or ".", f"belongs to user {uid}, not to {owner}")


def _folder(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except OSError:
        return None


def _above(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
