"""A bundle of the real library from a Sigstore of one's own: what does not hold is said, each with its reason."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sigstore.dsse import Statement
from sigstore.models import ClientTrustConfig, TrustedRoot
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext

from selftune_build.errors import InputError, UndecidedError, UsageError
from selftune_build.publish.statement import about_lock
from selftune_build.signing.identity import Identity, read_identity
from selftune_build.signing.signatory import Signed
from selftune_build.signing.signer import IdentitySigner, token
from selftune_build.signing.sigstore_bundle import bundle_flaw, render_bundle, stated
from selftune_build.signing.trust_root import trusted_root
from tests.sigstore_instance import RUNNER, Authority, Instance, Log

STATEMENT = about_lock("brew", b"a lock")
Document = dict[str, Any]


@pytest.fixture(scope="module")
def instance() -> Iterator[Instance]:
    with pytest.MonkeyPatch.context() as patch, Instance() as running:
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield running


def root_of(instance: Instance) -> TrustedRoot:
    """Its root of trust as the library reads it."""
    return configuration(instance).trusted_root


def configuration(instance: Instance) -> ClientTrustConfig:
    """Its addresses and its root of trust."""
    return ClientTrustConfig.from_json(json.dumps(instance.configuration()))


def made(instance: Instance, statement: bytes = STATEMENT, **claims: Any) -> Document:
    """A bundle by the library alone: nobody of ours has looked at it."""
    bearer = IdentityToken(instance.token(**claims))
    with SigningContext.from_trust_config(configuration(instance)).signer(bearer) as signer:
        return dict(json.loads(signer.sign_dsse(Statement(statement)).to_json()))


def flaw(instance: Instance, document: Document, issuer: str | None = None, subject: str = RUNNER) -> str:
    """What is found in a bundle; empty for nothing."""
    identity = Identity(issuer or instance.url, subject)
    return bundle_flaw(render_bundle(document), STATEMENT, identity, root_of(instance)) or ""


def test_a_bundle_of_the_library_holds(instance: Instance) -> None:
    document = made(instance)
    assert flaw(instance, document) == ""
    assert stated(render_bundle(document)) == (STATEMENT, "application/vnd.in-toto+json")


def test_a_mail_address_can_vouch_as_well(instance: Instance) -> None:
    assert flaw(instance, made(instance, subject="ann@example.org"), subject="ann@example.org") == ""


def test_another_issuer_and_another_subject_have_their_own_words(instance: Instance) -> None:
    document = made(instance)
    assert "on the word of another issuer" in flaw(instance, document, issuer="https://elsewhere.example")
    assert "given to somebody else" in flaw(instance, document, subject=RUNNER.replace("main", "topic"))


def entry(document: Document) -> Document:
    """What the log says, in its place."""
    found: Document = document["verificationMaterial"]["tlogEntries"][0]
    return found


def _no_proof(document: Document) -> None:
    del entry(document)["inclusionProof"]


def _no_checkpoint(document: Document) -> None:
    del entry(document)["inclusionProof"]["checkpoint"]


def _no_promise(document: Document) -> None:
    del entry(document)["inclusionPromise"]


def _no_entry(document: Document) -> None:
    document["verificationMaterial"]["tlogEntries"] = []


def _other_neighbours(document: Document) -> None:
    entry(document)["inclusionProof"]["hashes"].reverse()


def _other_time(document: Document) -> None:
    entry(document)["integratedTime"] = str(int(entry(document)["integratedTime"]) + 1)


def _other_payload(document: Document) -> None:
    document["dsseEnvelope"]["payload"] = base64.b64encode(about_lock("brew", b"another lock")).decode()


def _other_type(document: Document) -> None:
    document["dsseEnvelope"]["payloadType"] = "application/vnd.selftune-build.lock+json"


def _other_signature(document: Document) -> None:
    signature = document["dsseEnvelope"]["signatures"][0]
    content = bytearray(base64.b64decode(signature["sig"]))
    content[-1] ^= 1
    signature["sig"] = base64.b64encode(bytes(content)).decode()


def _two_signatures(document: Document) -> None:
    document["dsseEnvelope"]["signatures"] *= 2


def _no_certificate(document: Document) -> None:
    document["verificationMaterial"]["certificate"]["rawBytes"] = "AAAA"


def _other_log_name(document: Document) -> None:
    checkpoint = entry(document)["inclusionProof"]["checkpoint"]
    head, mark, tail = checkpoint["envelope"].rpartition("log.example")
    checkpoint["envelope"] = head + mark.upper() + tail


def _message(document: Document) -> None:
    del document["dsseEnvelope"]
    document["messageSignature"] = {"signature": "AAAA"}


UNREADABLE = "cannot be read as a Sigstore bundle with the proof of a log"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_no_proof, "inclusionProof; Field required"),
        (_no_checkpoint, "inclusion proof, with checkpoint"),
        (_no_entry, "expected exactly one log entry"),
        (_no_promise, "inclusion promise or signed timestamp"),
        (_other_neighbours, "inclusion proof contains invalid root hash"),
        (_other_time, "invalid inclusion promise"),
        (_other_payload, "DSSE: invalid signature"),
        (_other_type, "DSSE: invalid signature"),
        (_other_signature, "DSSE: invalid signature"),
        (_two_signatures, "exactly one signature"),
        (_no_certificate, UNREADABLE),
        (_message, "no bundle of a signed statement"),
        (_other_log_name, "signed by another name"),
    ],
)
def test_what_was_changed_in_a_bundle_is_named(instance: Instance, change: Callable[[Document], None], words: str) -> None:
    document = made(instance)
    change(document)
    assert words in flaw(instance, document)


def test_a_bundle_about_something_else_is_none_about_this(instance: Instance) -> None:
    assert flaw(instance, made(instance, about_lock("brew", b"another lock"))) == "it was signed for something else"


def test_a_certificate_of_another_authority_is_refused(instance: Instance) -> None:
    with Instance() as other:
        document = made(other)
        document_of_ours = flaw(instance, document, issuer=other.url)
    assert "of no authority in the root of trust" in document_of_ours


def test_a_certificate_that_had_expired_when_it_was_used_is_refused(instance: Instance) -> None:
    instance.log.late_s = 3600
    try:
        document = made(instance)
    finally:
        instance.log.late_s = 0
    assert "was not valid when it was used" in flaw(instance, document)


def test_a_log_and_a_list_of_certificates_that_nobody_knows_are_refused(instance: Instance) -> None:
    known, listed = root_of(instance), instance.authority.log
    document = made(instance)
    log, instance.log = instance.log, Log()
    try:
        assert "invalid log entry" in flaw(instance, document)
    finally:
        instance.log = log
    instance.authority.log = Authority().log
    try:
        assert "SCT" in flaw(instance, document)
    finally:
        instance.authority.log = listed
    assert bundle_flaw(render_bundle(document), STATEMENT, Identity(instance.url, RUNNER), known) is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b"null", b'{"mediaType": 1}', b"\xff"])
def test_what_is_no_bundle_is_neither_believed_nor_raised(instance: Instance, content: bytes) -> None:
    assert UNREADABLE in (bundle_flaw(content, STATEMENT, Identity(instance.url, RUNNER), root_of(instance)) or "")
    with pytest.raises(InputError):
        stated(content)


def test_a_signer_refuses_what_its_services_answer_where_it_would_not_hold(instance: Instance, tmp_path: Path) -> None:
    signer = IdentitySigner(instance.token(), instance.trust(tmp_path))
    what = Signed(b"a lock", "any", STATEMENT)
    made_here = signer.sign(what)
    assert signer.signatory.name == f"sigstore:{instance.url}#{RUNNER}"
    assert signer.signatory.flaw(what, made_here) is None
    instance.log.late_s = 3600
    try:
        with pytest.raises(UndecidedError, match="does not hold"):
            signer.sign(what)
    finally:
        instance.log.late_s = 0


def test_the_public_root_of_trust_is_there_without_a_network_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert trusted_root(None).get_fulcio_certs()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{}", "[]", "[" * 100_000, '{"trustedRoot": 1}', "\x00"])
def test_what_is_no_root_of_trust_is_bad_input(tmp_path: Path, content: str) -> None:
    path = tmp_path / "root.json"
    path.write_text(content)
    with pytest.raises(InputError, match="no root of trust"):
        trusted_root(path)


@pytest.mark.parametrize(
    "word", ["sigstore:", "sigstore:a#b", "sigstore:https://a", "sigstore:https://a#", "sigstore:https://a#\u202eb"]
)
def test_an_identity_is_spelt_with_its_issuer(word: str) -> None:
    with pytest.raises(UsageError, match="names no identity"):
        read_identity(word)


def test_what_stands_behind_the_first_fragment_is_all_subject() -> None:
    assert read_identity("sigstore:https://a/b#c#d") == Identity("https://a/b", "c#d")


def test_a_token_is_that_of_a_variable_and_no_browser_is_opened() -> None:
    assert token("env:ONE", {"ONE": "a.b.c"}) == "a.b.c"
    with pytest.raises(UndecidedError, match="no token in the environment variable 'TWO'"):
        token("env:TWO", {"ONE": "a.b.c"})
    with pytest.raises(UsageError, match="no identity to sign with"):
        token("browser", {})
