"""`selftune store push`, `pull` and `status` through a folder: nobody's word is taken for a sample, and nothing is replaced."""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.sharing.parcel import Statement, object_name, pack
from selftune_build.signing.keys import signer
from selftune_build.store.archive import encode
from tests.cli.storing import SAMPLES, archive, archives, clone, keys, said, store, without_locks
from tests.property.workspace import Workspace


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    (tmp_path / "remote").mkdir()
    return tmp_path / "remote"


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, Path]:
    return keys(tmp_path / "keys")


@pytest.fixture
def other(paid: Workspace, tmp_path: Path) -> Workspace:
    """A fresh clone elsewhere."""
    return clone(paid, tmp_path / "elsewhere")


@pytest.fixture
def shared(paid: Workspace, remote: Path, key: tuple[Path, Path]) -> Path:
    """The remote with everything in it."""
    assert store(paid, "push", str(remote), "--key", str(key[0]))[0] == 0
    return remote


def pulled(workspace: Workspace, remote: Path, *arguments: str) -> dict[str, Any]:
    status, document = store(workspace, "pull", str(remote), *arguments)
    assert status == 0
    return document


def parcels(remote: Path) -> list[Path]:
    return sorted(remote.rglob("*.sample"))


def codes(document: dict[str, Any]) -> list[str]:
    return [each["code"] for each in document["refused"]]


def test_what_one_has_paid_for_the_other_builds_for_nothing_and_with_the_same_locks(
    paid: Workspace, shared: Path, other: Workspace, key: tuple[Path, Path]
) -> None:
    document = pulled(other, shared, "--trust", str(key[1]))
    assert (document["taken"], document["refused"]) == (SAMPLES, [])
    assert without_locks(other).build().calls == []
    assert other.locks() == paid.locks()
    assert store(other, "fsck")[1]["findings"] == []
    assert [path.read_bytes() for path in archives(other)] == [path.read_bytes() for path in archives(paid)]


def test_joining_is_a_union_and_repeating_it_changes_nothing(
    paid: Workspace, shared: Path, other: Workspace, key: tuple[Path, Path]
) -> None:
    before = {path: path.read_bytes() for path in shared.rglob("*") if path.is_file()}
    status, document = store(paid, "push", str(shared), "--key", str(key[0]))
    assert (status, document["sent"], document["there"]) == (0, 0, SAMPLES)
    other.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans well.")
    calls = len(other.build().calls)
    assert 0 < calls < SAMPLES
    _, document = store(other, "status", f"file://{shared}")
    assert document["tiers"][0] | {"bytes": 0} == {
        "tier": "main",
        "here": calls,
        "both": 0,
        "there": SAMPLES,
        "bytes": 0,
        "free": 0,
    }
    store(other, "push", str(shared), "--key", str(key[0]))
    assert {path: path.read_bytes() for path in before} == before
    assert pulled(paid, shared, "--trust", str(key[1]))["taken"] == calls
    assert pulled(other, shared, "--trust", str(key[1]))["taken"] == SAMPLES
    assert len(archives(paid)) == len(archives(other)) == SAMPLES + calls
    assert pulled(paid, shared, "--trust", str(key[1]))["here"] == SAMPLES + calls


def test_what_is_free_to_have_again_is_not_counted_as_paid_for_and_only_here(paid: Workspace, remote: Path) -> None:
    assert paid.build("--agent", "embedded").report["spend"]["agent_calls"] == SAMPLES
    (tier,) = store(paid, "status", str(remote))[1]["tiers"]
    assert (tier["here"], tier["free"]) == (SAMPLES, SAMPLES)
    assert (
        f"{SAMPLES} only here, 0 only there (0 bytes there); {SAMPLES} free to have again, not to be sent"
        in said(paid, "status", str(remote))[1]
    )


def test_signing_is_on_by_default(paid: Workspace, remote: Path, other: Workspace, tmp_path: Path) -> None:
    home = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    status, document = store(paid, "push", str(remote), **home)
    assert (status, list(remote.iterdir())) == (2, [])
    assert "publish --new-key" in json.dumps(document)
    assert store(paid, "pull", str(remote), **home)[0] == 2
    secret, public = keys(tmp_path / "keys")
    (tmp_path / "config/selftune").mkdir(parents=True)
    shutil.copy(secret, tmp_path / "config/selftune/signing.pem")
    (tmp_path / "config/selftune/trusted.pem").write_text(f"CI of our team\n{public.read_text()}")
    assert store(paid, "push", str(remote), **home)[0] == 0
    assert store(other, "pull", str(remote), **home)[1]["taken"] == SAMPLES


def test_what_nobody_signed_is_taken_only_when_that_is_said(
    paid: Workspace, remote: Path, other: Workspace, key: tuple[Path, Path]
) -> None:
    assert store(paid, "push", str(remote), "--unsigned")[0] == 0
    assert codes(pulled(other, remote, "--trust", str(key[1]))) == ["unsigned"] * SAMPLES
    assert archives(other) == []
    assert pulled(other, remote, "--unsigned")["taken"] == SAMPLES


def test_a_key_that_is_not_trusted_is_nobodys(shared: Path, other: Workspace, tmp_path: Path) -> None:
    stranger = keys(tmp_path / "stranger")[1]
    document = pulled(other, shared, "--trust", str(stranger))
    assert (document["taken"], codes(document)) == (0, ["untrusted"] * SAMPLES)
    assert not (other.root / ".selftune/samples").exists()
    assert f"{SAMPLES} refused: {SAMPLES} untrusted" in said(other, "pull", str(shared), "--trust", str(stranger))[1]


def test_a_key_speaks_only_for_the_tiers_that_it_was_given(
    paid: Workspace, remote: Path, other: Workspace, key: tuple[Path, Path], tmp_path: Path
) -> None:
    trust = tmp_path / "trust"
    trust.write_text(f"tiers: pr/*\n{key[1].read_text()}")
    for tier in ("main", "pr/7"):
        assert store(paid, "push", str(remote), "--tier", tier, "--key", str(key[0]))[0] == 0
    assert codes(pulled(other, remote, "--trust", str(trust))) == ["untrusted"] * SAMPLES
    assert pulled(other, remote, "--tier", "pr/7", "--tier", "main", "--trust", str(trust))["taken"] == SAMPLES


def test_what_was_copied_from_one_tier_into_another_is_refused(
    paid: Workspace, remote: Path, other: Workspace, key: tuple[Path, Path]
) -> None:
    """Whoever may write a bucket cannot lift a sample of a pull request into main."""
    assert store(paid, "push", str(remote), "--tier", "pr/7", "--key", str(key[0]))[0] == 0
    (remote / "pr/7").rename(remote / "main")
    assert codes(pulled(other, remote, "--trust", str(key[1]))) == ["forged"] * SAMPLES


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def beheaded(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:40])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


def exchanged(path: Path) -> None:
    """The envelope of one sample before another."""
    others = [each for each in parcels(path.parents[4]) if each != path]
    line = path.read_bytes().partition(b"\n")[0]
    path.write_bytes(line + b"\n" + others[0].read_bytes().partition(b"\n")[2])


def renamed(path: Path) -> None:
    others = [each for each in parcels(path.parents[4]) if each != path]
    path.unlink()
    shutil.copy(others[0], path)


def resigned(path: Path) -> None:
    """The signature of the key that is trusted, over another statement."""
    line, _, content = path.read_bytes().partition(b"\n")
    envelope = json.loads(line)
    payload = base64.b64decode(envelope["payload"]).replace(b'"origin":{', b'"origin":{"repository":"trusted/one"')
    envelope["payload"] = base64.b64encode(payload).decode()
    path.write_bytes(json.dumps(envelope, sort_keys=True).encode() + b"\n" + content)


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (torn, "torn"),
        (beheaded, "torn"),
        (flipped, "forged"),
        (exchanged, "forged or torn"),
        (renamed, "forged"),
        (resigned, "forged"),
    ],
)
def test_a_parcel_that_is_not_what_was_signed_is_refused_and_the_others_are_taken(
    shared: Path, other: Workspace, key: tuple[Path, Path], harm: Callable[[Path], None], code: str
) -> None:
    harm(parcels(shared)[0])
    document = pulled(other, shared, "--trust", str(key[1]))
    assert document["taken"] == SAMPLES - 1
    assert codes(document)[0] in code.split(" or ")
    assert store(other, "fsck")[1]["findings"] == []


def test_an_upload_that_was_torn_is_made_good_beside_it(
    paid: Workspace, shared: Path, other: Workspace, key: tuple[Path, Path]
) -> None:
    victim = parcels(shared)[0]
    victim.write_bytes(victim.read_bytes()[:99])
    assert store(paid, "push", str(shared), "--key", str(key[0]))[1]["sent"] == 1
    assert len(victim.read_bytes()) == 99
    document = pulled(other, shared, "--trust", str(key[1]))
    assert document["taken"] == SAMPLES


@pytest.mark.parametrize("what", ["records", "key.json"])
def test_a_sample_whose_parts_are_missing_or_damaged_is_not_taken(
    shared: Path, other: Workspace, key: tuple[Path, Path], what: str
) -> None:
    for number, path in enumerate(sorted(shared.rglob("records/*/*.json" if what == "records" else what))):
        if number % 2:
            path.unlink()
        else:
            path.write_bytes(b"{}")
    document = pulled(other, shared, "--trust", str(key[1]))
    assert (document["taken"], set(codes(document))) == (0, {"missing"})
    assert archives(other) == []


@pytest.mark.parametrize(
    "change", [{"index": 9}, {"staged": "sha256:../../../../x"}, {"static_key": "sha256:" + "a" * 64}, {"call_id": "../../../x"}]
)
def test_a_trusted_key_cannot_vouch_for_what_does_not_follow(
    shared: Path, other: Workspace, key: tuple[Path, Path], change: dict[str, Any], paid: Workspace, tmp_path: Path
) -> None:
    sample = msgspec.structs.replace(archive(archives(paid)[0]), **change)
    content = encode(sample)
    statement = Statement("main", sample.static_key, sample.call_id, digest_bytes(content), len(content))
    victim = parcels(shared)[0]
    victim.write_bytes(pack(statement, content, signer(key[0])))
    before = {path for path in tmp_path.rglob("*") if other.root not in path.parents}
    document = pulled(other, shared, "--trust", str(key[1]))
    assert (document["taken"], codes(document)) == (SAMPLES - 1, ["forged"])
    assert {path for path in tmp_path.rglob("*") if other.root not in path.parents} == before


def test_of_two_answers_to_one_call_neither_replaces_the_other(
    paid: Workspace, shared: Path, other: Workspace, key: tuple[Path, Path]
) -> None:
    without_locks(other).build()
    for path in archives(other):
        sample = archive(path)
        path.write_bytes(encode(msgspec.structs.replace(sample, raw=sample.raw.replace(b"ledger-1", b"ledger-2"))))
    own = [path.read_bytes() for path in archives(other)]
    assert store(other, "push", str(shared), "--key", str(key[0]))[1]["sent"] == SAMPLES
    assert len(parcels(shared)) == 2 * SAMPLES
    assert pulled(other, shared, "--trust", str(key[1]))["here"] == SAMPLES
    assert [path.read_bytes() for path in archives(other)] == own


def test_where_a_sample_was_paid_for_travels_with_it(
    paid: Workspace, remote: Path, other: Workspace, key: tuple[Path, Path], tmp_path: Path
) -> None:
    facts = {"GITHUB_REPOSITORY": "house/skills", "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": "1" * 40, "GITHUB_RUN_ID": "7"}
    assert store(paid, "push", str(remote), "--key", str(key[0]), **facts)[0] == 0
    pulled(other, remote, "--trust", str(key[1]))
    second = keys(tmp_path / "second")
    (tmp_path / "mirror").mkdir()
    assert store(other, "push", str(tmp_path / "mirror"), "--key", str(second[0]), GITHUB_REPOSITORY="mirror")[0] == 0
    line = parcels(tmp_path / "mirror")[0].read_bytes().partition(b"\n")[0]
    statement = json.loads(base64.b64decode(json.loads(line)["payload"]))
    first = json.loads(next((other.root / ".selftune").rglob("*.dsse")).read_bytes())["signatures"][0]["keyid"]
    assert statement["origin"] == {"repository": "house/skills", "ref": "refs/heads/main", "commit": "1" * 40, "run": "7"}
    assert statement["via"] == [first]


def test_what_is_free_or_not_sound_is_not_given_to_others(paid: Workspace, remote: Path, key: tuple[Path, Path]) -> None:
    paid.build("--agent", "embedded")
    path = archives(paid)[0]
    path.write_bytes(b"rubbish")
    _, document = store(paid, "push", str(remote), "--key", str(key[0]))
    assert document["free"] > 0
    assert document["unsound"] == 1
    assert document["sent"] == len(archives(paid)) - document["free"] - 1


def test_a_remote_that_is_not_there_is_a_warning_until_it_is_required(
    paid: Workspace, other: Workspace, key: tuple[Path, Path], tmp_path: Path
) -> None:
    nowhere = str(tmp_path / "nowhere")
    status, text = said(other, "pull", nowhere, "--trust", str(key[1]))
    assert (status, "would be paid for again" in text) == (0, True)
    assert store(other, "pull", nowhere, "--trust", str(key[1]), "--remote-required")[0] == 4
    assert store(paid, "push", nowhere, "--key", str(key[0]))[0] == 4
    assert store(paid, "status", nowhere)[0] == 4
    assert not (tmp_path / "nowhere").exists()


def test_links_and_pipes_in_a_folder_are_not_followed(
    shared: Path, other: Workspace, key: tuple[Path, Path], tmp_path: Path
) -> None:
    first, second, *_ = parcels(shared)
    first.rename(tmp_path / "outside")
    first.symlink_to(tmp_path / "outside")
    second.unlink()
    os.mkfifo(second)
    assert pulled(other, shared, "--trust", str(key[1]))["taken"] == SAMPLES - 2


@pytest.mark.parametrize("tier", ["", "..", "main/../..", "a b", "samples", "-x", "a//b"])
def test_a_tier_is_a_plain_name(paid: Workspace, remote: Path, key: tuple[Path, Path], tier: str) -> None:
    assert store(paid, "push", str(remote), "--tier", tier, "--key", str(key[0]))[0] == 2
    assert list(remote.iterdir()) == []


def test_options_that_contradict_each_other_are_refused(paid: Workspace, remote: Path, key: tuple[Path, Path]) -> None:
    assert store(paid, "push", str(remote), "--unsigned", "--key", str(key[0]))[0] == 2
    assert store(paid, "pull", str(remote), "--unsigned", "--trust", str(key[1]))[0] == 2
    assert store(paid, "pull", "zz9://x", "--unsigned")[0] == 2


def test_names_of_parcels_carry_call_and_content() -> None:
    statement = Statement("main", "sha256:" + "a" * 64, "sha256:" + "b" * 64, "sha256:" + "c" * 64, 1)
    assert object_name("main", statement) == f"main/samples/aa/{'a' * 64}/{'b' * 64}.{'c' * 16}.sample"
