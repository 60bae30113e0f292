"""`selftune store fsck`: nothing in a store is believed for its name, and no repair loses an answer."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from selftune_build.fingerprint.digest import canonical_json, digest_bytes, digest_json
from selftune_build.fingerprint.keys import call_id
from selftune_build.store.archive import Attempt, Intent, encode
from selftune_build.store.wip import intent_line
from tests.cli.storing import SAMPLES, archive, archives, put, said, store
from tests.property.workspace import Workspace

FORGED = digest_bytes(b"forged")


def home(workspace: Workspace) -> Path:
    return workspace.root / ".selftune"


def found(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Id and severity of everything that was found."""
    return {(each["id"], each["severity"]) for each in document["findings"]}


def answers(workspace: Workspace) -> set[bytes]:
    """The bytes of every file in the store that may hold an answer."""
    return {path.read_bytes() for path in home(workspace).rglob("*.zst*") if path.is_file()}


def test_a_store_as_builds_leave_it_is_sound(paid: Workspace) -> None:
    status, document = store(paid, "fsck")
    assert (status, document["findings"]) == (0, [])
    assert document["checked"]["archive"] == SAMPLES


def test_a_store_that_is_not_there_is_sound_and_stays_away(paid: Workspace) -> None:
    paid.remove_store()
    assert store(paid, "fsck", "--repair")[0] == 0
    assert not home(paid).exists()


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def swollen(path: Path) -> None:
    """Larger than any sample may be, and sparse."""
    with path.open("r+b") as file:
        file.truncate(513 << 20)


@pytest.mark.parametrize("harm", [torn, flipped, emptied, swollen])
def test_a_damaged_sample_is_moved_aside_and_asked_for_again(paid: Workspace, harm: Callable[[Path], None]) -> None:
    path = archives(paid)[0]
    harm(path)
    before = path.stat().st_size
    status, document = store(paid, "fsck")
    assert (status, found(document)) == (4, {("archive-damaged", "error")})
    assert path.exists()
    status, document = store(paid, "fsck", "--repair")
    assert (status, found(document)) == (0, {("aside", "note")})
    assert path.with_name(f"{path.name}.corrupt-1").stat().st_size == before
    assert len(archives(paid)) == SAMPLES - 1


def test_a_sample_in_the_wrong_folder_is_brought_home(paid: Workspace) -> None:
    one, other = archives(paid)[0], archives(paid)[-1]
    content = one.read_bytes()
    one.rename(other.with_name(one.name))
    status, document = store(paid, "fsck")
    assert (status, found(document)) == (4, {("archive-misplaced", "error")})
    assert store(paid, "fsck", "--repair")[0] == 0
    assert one.read_bytes() == content
    assert len(archives(paid)) == SAMPLES


def test_a_copy_of_a_sample_under_another_call_is_moved_aside(paid: Workspace) -> None:
    one = archives(paid)[0]
    shutil.copy(one, one.with_name(f"{'0' * 64}.zst"))
    assert found(store(paid, "fsck")[1]) == {("archive-misplaced", "error")}
    assert store(paid, "fsck", "--repair")[0] == 0
    assert len(archives(paid)) == SAMPLES
    assert len(list(home(paid).rglob("*.corrupt-*"))) == 1


@pytest.mark.parametrize(
    "change",
    [{"index": 7}, {"staged": FORGED}, {"staged": "sha256:../../x"}, {"call_id": FORGED}, {"static_key": "sha256:../.."}],
)
def test_a_sample_whose_identity_does_not_follow_from_what_it_says_is_refused(
    paid: Workspace, change: dict[str, Any], tmp_path: Path
) -> None:
    path = archives(paid)[0]
    put(path, msgspec.structs.replace(archive(path), **change))
    everything = {each for each in tmp_path.rglob("*") if home(paid) not in each.parents}
    assert found(store(paid, "fsck")[1]) == {("archive-forged", "error")}
    assert store(paid, "fsck", "--repair")[0] == 0
    assert not path.exists()
    assert {each for each in tmp_path.rglob("*") if home(paid) not in each.parents} == everything


def test_an_explanation_of_another_key_is_replaced_by_the_one_of_today(paid: Workspace) -> None:
    one, other = archives(paid)[0].with_name("key.json"), archives(paid)[-1].with_name("key.json")
    before = one.read_bytes()
    shutil.copy(other, one)
    assert found(store(paid, "fsck")[1]) == {("key-forged", "error")}
    assert store(paid, "fsck", "--repair")[0] == 0
    assert one.read_bytes() == before


def test_an_explanation_that_nobody_can_give_again_is_moved_aside(paid: Workspace) -> None:
    one, other = archives(paid)[0].with_name("key.json"), archives(paid)[-1].with_name("key.json")
    shutil.copy(other, one)
    for name in ("brew", "bake"):
        paid.edit(f"{name}/SKILL.md", "Makes" if name == "brew" else "Bakes", "Produces")
    assert store(paid, "fsck", "--repair")[0] == 0
    assert one.with_name("key.json.corrupt-1").exists()


def test_torn_explanations_are_written_again(paid: Workspace) -> None:
    paths = [path.with_name("key.json") for path in archives(paid)]
    before = [path.read_bytes() for path in paths]
    paths[0].write_bytes(b"")
    paths[1].unlink()
    status, document = store(paid, "fsck")
    assert (status, found(document)) == (0, {("key-damaged", "warning"), ("key-missing", "note")})
    store(paid, "fsck", "--repair")
    assert [path.read_bytes() for path in paths] == before


@pytest.mark.parametrize("harm", [torn, Path.unlink])
def test_records_are_written_again_from_what_stands_in_the_workspace(paid: Workspace, harm: Callable[[Path], None]) -> None:
    before = {path: path.read_bytes() for path in home(paid).glob("records/*/*.json")}
    for path in before:
        harm(path)
    status, document = store(paid, "fsck")
    assert status == 4
    assert ("record-missing", "error") in found(document)
    status, document = store(paid, "fsck", "--repair")
    assert status == 0
    staged = {archive(path).staged for path in archives(paid)}
    names = {f"{digest.removeprefix('sha256:')}.json" for digest in staged}
    assert {path: path.read_bytes() for path in before if path.name in names} == {
        path: content for path, content in before.items() if path.name in names
    }
    assert store(paid, "fsck")[0] == 0


def test_records_of_a_text_that_stands_nowhere_stay_an_error(paid: Workspace) -> None:
    paid.edit("brew/SKILL.md", "Grind the beans.", "Roast them first.")
    for path in home(paid).glob("records/*/*.json"):
        path.unlink()
    status, document = store(paid, "fsck", "--repair")
    assert (status, found(document)) == (4, {("record-missing", "error")})


def test_records_that_are_no_records_are_nothing_but_missing(paid: Workspace) -> None:
    """Whoever writes into a store can name any bytes by their digest, and a tree by any name."""
    sample = archive(archives(paid)[0])
    for content in (b"[1]", b"\xff", canonical_json({"brew": "sha256:../../../../x", "bake": FORGED})):
        path = home(paid) / "records" / digest_bytes(content)[7:9] / f"{digest_bytes(content)[7:]}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        staged = digest_bytes(content)
        other = msgspec.structs.replace(sample, staged=staged, call_id=call_id(sample.static_key, staged, 0))
        put(archives(paid)[0].with_name(f"{other.call_id[7:]}.zst"), other)
    status, document = store(paid, "fsck", "--repair")
    assert (status, found(document)) == (4, {("record-missing", "error")})
    assert paid.build("--resample", "1").status == 0


def left(workspace: Workspace, answer: bytes, **change: Any) -> Path:
    """A call of the first sample that its process has left behind."""
    path = archives(workspace)[0]
    sample = archive(path)
    intent = Intent(
        sample.call_id, sample.static_key, sample.index, "house", {}, sample.staged, {}, "/nowhere", "/nowhere", 9, "2026-01-01"
    )
    call = path.with_suffix(".wip")
    call.write_bytes(intent_line(msgspec.structs.replace(intent, **change)) + answer)
    return call


def test_a_call_that_is_archived_already_is_cleared_away(paid: Workspace) -> None:
    call = left(paid, archive(archives(paid)[0]).raw)
    assert found(store(paid, "fsck")[1]) == {("call-settled", "warning")}
    store(paid, "fsck", "--repair")
    assert not call.exists()


def test_a_call_with_another_answer_than_the_archived_one_is_left_to_the_next_build(paid: Workspace) -> None:
    call = left(paid, b"another answer")
    status, document = store(paid, "fsck", "--repair")
    assert (status, found(document)) == (0, {("call-left", "warning")})
    assert call.exists()


def test_calls_that_belong_elsewhere_or_were_never_sent_are_told_apart(paid: Workspace) -> None:
    call = left(paid, b"answer", index=3)
    assert found(store(paid, "fsck")[1]) == {("call-misplaced", "error")}
    call.write_bytes(b"somebody's letter")
    assert found(store(paid, "fsck")[1]) == {("call-damaged", "error")}
    call.write_bytes(b'{"format":"selftune.call/1","call_id":"sha')
    assert found(store(paid, "fsck")[1]) == {("call-torn", "warning")}
    assert store(paid, "fsck", "--repair")[0] == 0
    assert not call.exists()


def test_a_failed_attempt_is_checked_like_a_sample(paid: Workspace) -> None:
    path = archives(paid)[0]
    sample = archive(path)
    attempt = Attempt(sample.call_id, sample.static_key, 0, 2, "crash", "", b"half an answer", None)
    misnamed = path.with_name(path.name.replace(".zst", ".1.err.zst"))
    misnamed.write_bytes(encode(attempt))
    rubbish = path.with_name(path.name.replace(".zst", ".3.err.zst"))
    rubbish.write_bytes(b"rubbish")
    assert found(store(paid, "fsck")[1]) == {("attempt-misplaced", "error"), ("attempt-damaged", "error")}
    kept = answers(paid)
    assert store(paid, "fsck", "--repair")[0] == 0
    assert answers(paid) == kept


def test_what_a_killed_writer_left_goes_and_a_whole_sample_in_it_gets_its_name(paid: Workspace) -> None:
    one, other = archives(paid)[:2]
    one.rename(one.with_name(f".{one.name}.999999999-0.tmp"))
    garbage = other.with_name(f".{other.name}.999999999-1.tmp")
    garbage.write_bytes(other.read_bytes()[:9])
    at_work = other.with_name(f".{other.name}.{os.getpid()}-2.tmp")
    at_work.write_bytes(b"half")
    elsewhere = other.with_name(f".{other.name}.999999999-3.tmp")
    with elsewhere.open("wb") as written:  # by a process of another container
        fcntl.flock(written, fcntl.LOCK_EX)
        status, document = store(paid, "fsck")
        assert (status, found(document)) == (4, {("temporary-whole", "error"), ("temporary", "warning")})
        assert store(paid, "fsck", "--repair")[0] == 0
    assert (one.exists(), garbage.exists(), at_work.exists(), elsewhere.exists()) == (True, False, True, True)
    assert paid.build().calls == []


def test_what_the_next_build_makes_anew_is_removed(paid: Workspace) -> None:
    (database,) = home(paid).glob("index/*.sqlite")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET rootpage = 99")
        connection.commit()
    state = home(paid) / "index" / f"{'0' * 32}.state"
    state.write_bytes(b"selftune.state/1 1 1 0\nx")
    assert found(store(paid, "fsck")[1]) == {("traces-damaged", "warning"), ("state-damaged", "warning")}
    assert store(paid, "fsck", "--repair")[1]["findings"] == []
    assert not database.exists()


def test_links_are_never_followed(paid: Workspace, tmp_path: Path) -> None:
    one, other = archives(paid)[0], archives(paid)[-1]
    outside = tmp_path / "outside"
    one.rename(outside)
    one.symlink_to(outside)
    folder = other.parent.parent
    folder.rename(tmp_path / "folder")
    folder.symlink_to(tmp_path / "folder")
    status, document = store(paid, "fsck")
    assert (status, found(document)) == (4, {("link", "error")})
    kept = outside.read_bytes()
    assert store(paid, "fsck", "--repair")[0] == 0
    assert not one.is_symlink()
    assert not folder.is_symlink()
    assert outside.read_bytes() == kept
    assert (tmp_path / "folder" / other.parent.name / other.name).exists()


def test_pipes_are_not_opened(paid: Workspace) -> None:
    path = archives(paid)[0]
    path.unlink()
    os.mkfifo(path)
    assert found(store(paid, "fsck")[1]) == {("special", "error")}
    assert store(paid, "fsck", "--repair")[0] == 0


def test_foreign_files_are_told_and_left_alone(paid: Workspace) -> None:
    for name in ("samples/notes.txt", "letter\x1b[31m.txt", "records/zz/x"):
        (home(paid) / name).parent.mkdir(exist_ok=True)
        (home(paid) / name).write_text("mine")
    status, document = store(paid, "fsck", "--repair")
    assert (status, found(document)) == (0, {("foreign", "warning")})
    assert "\x1b" not in said(paid, "fsck")[1]
    assert (home(paid) / "samples/notes.txt").read_text() == "mine"


def test_permissions_are_mended(paid: Workspace) -> None:
    path = archives(paid)[0]
    path.chmod(0o666)
    path.parent.chmod(0o777)
    (home(paid) / ".gitignore").unlink()
    assert found(store(paid, "fsck")[1]) == {("permissions", "warning"), ("mark-missing", "warning")}
    assert store(paid, "fsck", "--repair")[1]["findings"] == []
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o664, 0o775)
    assert (home(paid) / ".gitignore").read_text() == "*\n"


def test_an_envelope_has_to_speak_of_the_sample_beside_it(paid: Workspace) -> None:
    path = archives(paid)[0]
    path.with_suffix(".dsse").write_text(json.dumps({"payload": "e30="}))
    archives(paid)[1].with_name(f"{'1' * 64}.dsse").write_text("{}")
    assert found(store(paid, "fsck")[1]) == {("envelope-forged", "error"), ("envelope-alone", "warning")}
    assert store(paid, "fsck", "--repair")[0] == 0


def test_people_get_the_finding_its_id_and_the_next_command(paid: Workspace) -> None:
    torn(archives(paid)[0])
    status, text = said(paid, "fsck")
    words = " ".join(text.split())
    assert status == 4
    assert "[archive-damaged]" in words
    assert "next: selftune store fsck --repair" in words
    status, text = said(paid, "fsck", "--repair")
    assert status == 0
    assert "mended samples/" in " ".join(text.split())


def test_a_key_that_somebody_pays_for_is_left_alone(paid: Workspace) -> None:
    path = archives(paid)[0]
    torn(path)
    with path.with_name("key.json").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert store(paid, "fsck", "--repair")[0] == 4
        assert path.exists()
    assert store(paid, "fsck", "--repair")[0] == 0


def test_digests_of_keys_are_those_of_their_explanations(paid: Workspace) -> None:
    """What fsck relies on, said independently of it."""
    for path in archives(paid):
        assert digest_json(json.loads(path.with_name("key.json").read_bytes())) == f"sha256:{path.parent.name}"


def test_a_call_that_is_being_answered_is_only_noted(paid: Workspace) -> None:
    call = left(paid, b"half an ans")
    with call.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert found(store(paid, "fsck", "--repair")[1]) == {("call-in-flight", "note")}
    with call.with_name("key.json").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert found(store(paid, "fsck", "--repair")[1]) == {("call-in-flight", "note")}
    assert found(store(paid, "fsck")[1]) == {("call-left", "warning")}


def test_the_stores_of_audits_belong_into_a_store_and_are_checked_as_well(paid: Workspace) -> None:
    status, _, stderr = paid.selftune("audit", "--nonce", "ab" * 16, "--fraction", "1", "-C", str(paid.root))
    assert status == 0, stderr
    _, document = store(paid, "fsck")
    assert document["findings"] == []
    assert document["checked"]["archive"] == 2 * SAMPLES
    audited = sorted((home(paid) / "audits" / ("ab" * 16)).rglob("*.zst"))
    audited[0].write_bytes(audited[0].read_bytes()[:-1])
    status, document = store(paid, "fsck")
    (finding,) = [each for each in document["findings"] if each["severity"] == "error"]
    assert (status, finding["path"]) == (4, audited[0].relative_to(home(paid)).as_posix())
    assert store(paid, "fsck", "--repair")[0] == 0
    assert not audited[0].exists()
