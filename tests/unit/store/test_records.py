"""The records that samples name: there after a power cut, whole or not believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from selftune_build.fingerprint.digest import canonical_json, digest_bytes
from selftune_build.store.records import RecordStore
from selftune_build.store.survey import survey
from selftune_build.store.sweeping import garbage, sweep

RECORD = {"pdf": "sha256:tree"}
DIGEST = digest_bytes(canonical_json(RECORD))


def path_of(store: Path) -> Path:
    (path,) = store.glob("records/*/*.json")
    return path


def test_a_record_that_a_paid_sample_names_is_synced_with_every_folder_on_the_way_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: set[str] = set()
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.add(os.readlink(f"/proc/self/fd/{fd}")), real(fd)))
    RecordStore(tmp_path).write(DIGEST, RECORD, durable=True)
    assert {str(path_of(tmp_path).parent), str(tmp_path / "records"), str(tmp_path)} <= synced


def test_one_of_a_free_sample_pays_for_no_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("fsync"))
    RecordStore(tmp_path).write(DIGEST, RECORD, durable=False)
    assert RecordStore(tmp_path).read(DIGEST) == RECORD


@pytest.mark.parametrize("content", [b"", b"{}", canonical_json({"pdf": "sha256:other"})])
def test_what_is_not_what_its_name_says_is_no_record_and_is_written_anew(tmp_path: Path, content: bytes) -> None:
    RecordStore(tmp_path).write(DIGEST, RECORD, durable=False)
    path_of(tmp_path).write_bytes(content)
    assert RecordStore(tmp_path).read(DIGEST) is None
    RecordStore(tmp_path).write(DIGEST, RECORD, durable=False)
    assert RecordStore(tmp_path).read(DIGEST) == RECORD


def test_garbage_that_somebody_needs_since_it_was_found_stays_and_what_is_gone_is_written_anew(tmp_path: Path) -> None:
    """A build writes the record, a collection finds nothing that names it, then the build has its answer."""
    records = RecordStore(tmp_path)
    records.write(DIGEST, RECORD, durable=False)
    found = [garbage(entry, "record", None, "unneeded") for entry in survey(tmp_path) if entry.path.startswith("records/")]
    records.write(DIGEST, RECORD, durable=False)
    assert (len(found), sweep(tmp_path, found)) == (1, [])
    path_of(tmp_path).unlink()
    records.write(DIGEST, RECORD, durable=False)
    assert RecordStore(tmp_path).read(DIGEST) == RECORD
