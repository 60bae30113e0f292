"""Signatures without keys, by the real command against a Sigstore of one's own."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.property.workspace import Workspace
from tests.sigstore_instance import RUNNER, Instance
from tests.unit.lock.locks import written

ATTESTATION = "brew.skill.intoto.jsonl"


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance() as running:
        yield running


@pytest.fixture
def trust(instance: Instance, tmp_path: Path) -> str:
    """Its root of trust and its addresses, in a file."""
    return str(instance.trust(tmp_path))


def run(workspace: Workspace, *words: str, status: int = 0, **environment: str) -> dict[str, Any]:
    """A command in the workspace; what it says as JSON."""
    done, stdout, stderr = workspace.selftune(
        *words, "--json", "-C", str(workspace.root), environment={"NO_PROXY": "127.0.0.1", **environment}
    )
    assert done == status, (stdout, stderr)
    return dict(json.loads(stdout))


def sign(workspace: Workspace, instance: Instance, trust: str, *words: str) -> dict[str, Any]:
    """Sign as the job that runs."""
    return run(workspace, "lock", "sign", "--identity", "ambient", "--trust-root", trust, *words, **instance.ambient())


def locked(workspace: Workspace, trust: str, word: str) -> dict[str, list[tuple[str, str]]]:
    """Code and message of what a gate says that asks for a signature, by package."""
    built = workspace.build("--locked", "--require-signature", word, "--trust-root", trust)
    told = {each["name"]: [(one["code"], one["message"]) for one in each["problems"]] for each in built.report["packages"]}
    assert built.status == (1 if any(told.values()) else 0)
    return {name: problems for name, problems in told.items() if problems}


def test_the_identity_of_a_job_vouches_for_locks_and_is_checked_without_a_connection(
    built: Workspace, instance: Instance, trust: str
) -> None:
    done = sign(built, instance, trust)
    name = f"sigstore:{instance.url}#{RUNNER}"
    assert (done["key"], done["signed"]) == (name, ["bake", "brew"])
    before, entries = built.locks(), len(instance.log.leaves)
    assert sign(built, instance, trust)["known"] == ["bake", "brew"]
    assert (built.locks(), len(instance.log.leaves)) == (before, entries)
    instance.__exit__()
    assert locked(built, trust, name) == {}
    assert built.build("--locked").status == 0
    assert built.build().calls == []
    assert built.locks() == before


def test_another_identity_another_issuer_and_no_signature_are_told_apart(
    built: Workspace, instance: Instance, trust: str
) -> None:
    sign(built, instance, trust, "brew")
    name = f"sigstore:{instance.url}#{RUNNER}"
    assert locked(built, trust, name) == {"bake": [("lock-tampered", "the lock is not signed, and a signature is asked for")]}
    for other, words in (
        (f"sigstore:{instance.url}#{RUNNER}-topic", "given to somebody else"),
        (f"sigstore:https://elsewhere.example#{RUNNER}", "on the word of another issuer"),
    ):
        ((_, absent),) = locked(built, trust, other)["brew"]
        assert "by nobody who is asked for" in absent
        document = json.loads(built.lock("brew"))
        whole = built.lock("brew")
        built.lock_path("brew").write_bytes(written({**document, "signatures": {other: document["signatures"][name]}}))
        ((code, message),) = locked(built, trust, other)["brew"]
        assert (code, words in message) == ("lock-tampered", True), message
        built.lock_path("brew").write_bytes(whole)


def test_a_lock_that_was_changed_and_one_of_another_package_are_not_what_was_signed(
    built: Workspace, instance: Instance, trust: str
) -> None:
    sign(built, instance, trust)
    name = f"sigstore:{instance.url}#{RUNNER}"
    brew, bake = (json.loads(built.lock(each)) for each in ("brew", "bake"))
    built.lock_path("bake").write_bytes(written({**bake, "signatures": brew["signatures"]}))
    brew["agents"]["house"]["cases"]["song"]["with_skill"]["evidence"] = "sha256:" + "0" * 64
    built.lock_path("brew").write_bytes(written(brew))
    assert built.build("--locked").status == 0
    told = locked(built, trust, name)
    assert {each: code for each, ((code, _),) in told.items()} == {"bake": "lock-tampered", "brew": "lock-tampered"}
    assert all("it was signed for something else" in message for ((_, message),) in told.values())


def test_another_root_of_trust_believes_nothing(built: Workspace, instance: Instance, trust: str, tmp_path: Path) -> None:
    sign(built, instance, trust, "brew")
    name = f"sigstore:{instance.url}#{RUNNER}"
    with Instance() as other:
        ((_, message),) = locked(built, str(other.trust(tmp_path, "other.json")), name)["brew"]
    assert "of no authority in the root of trust" in message
    ((_, message),) = {
        each["name"]: [(one["code"], one["message"]) for one in each["problems"]]
        for each in built.build("--locked", "--require-signature", name, environment={"HOME": str(tmp_path)}).report["packages"]
    }["brew"]
    assert "of no authority in the root of trust" in message


def test_keys_and_identities_may_be_asked_for_together(built: Workspace, instance: Instance, trust: str, tmp_path: Path) -> None:
    key = str(tmp_path / "key")
    word = run(built, "publish", "--new-key", key)["signatory"]
    run(built, "lock", "sign", "bake", "--key", key)
    sign(built, instance, trust, "brew")
    name = f"sigstore:{instance.url}#{RUNNER}"
    words = ("--require-signature", word, "--require-signature", name, "--trust-root", trust)
    assert built.build("--locked", *words).status == 0
    assert list(locked(built, trust, word)) == ["brew"]


@pytest.mark.parametrize("path", ["/api/v2/signingCert", "/api/v1/log", "/job-token"])
def test_a_service_that_does_not_answer_leaves_the_locks_and_says_so(
    built: Workspace, instance: Instance, trust: str, path: str
) -> None:
    before = built.locks()
    instance.failing = path
    words = ("lock", "sign", "--identity", "ambient", "--trust-root", trust, "-C", str(built.root))
    status, stdout, stderr = built.selftune(*words, environment=instance.ambient())
    assert (status, stdout, built.locks()) == (3, "", before)
    assert "error: no signature: Sigstore was asked for" in stderr
    assert "Traceback" not in stderr
    assert "job-secret" not in stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ((), 2, "say who signs"),
        (("--identity", "ambient"), 3, "nothing here says who you are"),
        (("--identity", "env:NOTHING"), 3, "no token in the environment variable"),
        (("--identity", "env:NONSENSE", "--trust-root", "TRUST"), 3, "Identity token is malformed"),
        (("--identity", "browser"), 2, "no identity to sign with"),
        (("--identity", "ambient", "--key", "x"), 2, "exclude each other"),
        (("--identity", "env:NONSENSE", "--trust-root", "/dev/null"), 2, "no trust configuration to sign with"),
        (("--identity", "env:NONSENSE", "--trust-root", "/nowhere"), 2, "cannot be read"),
    ],
)
def test_who_signs_has_to_be_said_and_no_browser_is_opened(
    built: Workspace, trust: str, words: tuple[str, ...], status: int, said: str
) -> None:
    given = [trust if word == "TRUST" else word for word in words]
    done, stdout, stderr = built.selftune(
        "lock", "sign", *given, "-C", str(built.root), environment={"NONSENSE": "nonsense-token"}
    )
    assert (done, stdout, said in stderr) == (status, "", True), stderr
    assert "fix:" in stderr
    assert "nonsense-token" not in stderr


def published(workspace: Workspace, instance: Instance, trust: str, out: Path) -> dict[str, Any]:
    """brew, attested by the bearer of a token in a variable."""
    words = ("publish", "brew", "--out", str(out), "--identity", "env:TOKEN", "--trust-root", trust)
    (package,) = run(workspace, *words, TOKEN=instance.token())["packages"]
    return dict(package)


def check(workspace: Workspace, out: Path, *words: str) -> tuple[int, list[tuple[str, str]]]:
    """Exit status and flaws of what was published."""
    status, stdout, _ = workspace.selftune("publish", "--check", str(out / "brew.skill"), *words, "--json")
    return status, [(flaw["code"], flaw["message"]) for flaw in json.loads(stdout)["flaws"]]


def test_an_attestation_is_a_bundle_that_names_who_published(
    live: Workspace, instance: Instance, trust: str, tmp_path: Path
) -> None:
    out, name = tmp_path / "out", f"sigstore:{instance.url}#{RUNNER}"
    package = published(live, instance, trust, out)
    assert package["signed_by"] == [name]
    assert package["check_options"] == ["--require-signature", name, "--trust-root", trust]
    bundle = json.loads((out / ATTESTATION).read_bytes())
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    assert statement["predicateType"] == "urn:selftune-build:evaluation:1"
    instance.__exit__()
    assert check(live, out, "--require-signature", name, "--trust-root", trust) == (0, [])
    assert check(live, out) == (0, [])
    _, stdout, _ = live.selftune("publish", "--check", str(out / "brew.skill"))
    assert "signed by an identity of Sigstore, whose signature was not looked at" in stdout
    for word, said in (
        (f"sigstore:{instance.url}#somebody", "given to somebody else"),
        (f"sigstore:https://elsewhere.example#{RUNNER}", "on the word of another issuer"),
    ):
        status, [(code, message)] = check(live, out, "--require-signature", word, "--trust-root", trust)
        assert (status, code, said in message) == (1, "signature-missing", True)


def test_a_key_does_not_stand_for_an_identity_nor_an_identity_for_a_key(
    live: Workspace, instance: Instance, trust: str, tmp_path: Path
) -> None:
    one, other, key = tmp_path / "one", tmp_path / "other", str(tmp_path / "key")
    name = f"sigstore:{instance.url}#{RUNNER}"
    run(live, "publish", "--new-key", key)
    published(live, instance, trust, one)
    run(live, "publish", "brew", "--out", str(other), "--key", key)
    for folder, asked in ((one, ("--key", f"{key}.pub")), (other, ("--require-signature", name, "--trust-root", trust))):
        status, [(code, message)] = check(live, folder, *asked)
        assert (status, code, "is not signed by" in message) == (1, "signature-missing", True)


def test_one_changed_byte_of_a_bundle_is_found(live: Workspace, instance: Instance, trust: str, tmp_path: Path) -> None:
    from selftune_build.publish.bundle import check_bundle, read_bundle
    from selftune_build.signing.signatory import signatories

    published(live, instance, trust, tmp_path)
    who = signatories([f"sigstore:{instance.url}#{RUNNER}"], Path(trust))
    path = tmp_path / ATTESTATION
    whole = path.read_bytes()
    assert check_bundle(read_bundle(tmp_path / "brew.skill"), who).flaws == ()
    unseen = []
    for place in range(0, len(whole), max(len(whole) // 300, 1)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        if not check_bundle(read_bundle(tmp_path / "brew.skill"), who).flaws:
            unseen.append(place)
    assert unseen == []
