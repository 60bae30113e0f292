"""A Sigstore of one's own on loopback: tokens (OpenID Connect), certificates (Fulcio), a log (Rekor), and the root of trust.

What is answered is what the public services answer, as far as the library `sigstore` reads it: a certificate with an embedded SCT
(RFC 6962) for whoever a token names, an entry `dsse` 0.0.1 with a signed entry timestamp, an inclusion proof and a checkpoint.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

AUDIENCE = "sigstore"
RUNNER = "https://forge.example/house/skills/.github/workflows/measure.yml@refs/heads/main"
"""Whom the tokens of this instance name, unless a test says otherwise."""
_CURVE, _SHA = ec.SECP256R1(), hashes.SHA256()
_SCT_LIST, _ISSUER, _ISSUER_V2 = "1.3.6.1.4.1.11129.2.4.2", "1.3.6.1.4.1.57264.1.1", "1.3.6.1.4.1.57264.1.8"


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(_CURVE)


def _der(key: ec.EllipticCurvePrivateKey) -> bytes:
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(encoding, form)


def _id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(_der(key)).digest()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


@dataclass
class Authority:
    """The certificate authority, and the log that its certificates stand in."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    log: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    root: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of tests")])
        usage = {**_NO_USE, "key_cert_sign": True, "crl_sign": True}
        builder = _dated(x509.CertificateBuilder(), _now() - datetime.timedelta(days=2), days=10)
        self.root = (
            builder.subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, _SHA)
        )

    def certificate(self, public: Any, identity: str, issuer: str) -> x509.Certificate:
        """A certificate of ten minutes for a key, with the signed timestamp of the log in it."""
        name = x509.UniformResourceIdentifier(identity) if ":" in identity else x509.RFC822Name(identity)
        key_identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = (
            _dated(x509.CertificateBuilder(), _now(), minutes=10)
            .subject_name(x509.Name([]))
            .issuer_name(self.root.subject)
            .public_key(public)
            .add_extension(x509.KeyUsage(**{**_NO_USE, "digital_signature": True}), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(key_identifier, critical=False)
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
            .add_extension(x509.UnrecognizedExtension(ObjectIdentifier(_ISSUER), issuer.encode()), critical=False)
            .add_extension(x509.UnrecognizedExtension(ObjectIdentifier(_ISSUER_V2), _utf8(issuer)), critical=False)
        )
        before = builder.sign(self.key, _SHA).tbs_certificate_bytes
        stamp = x509.UnrecognizedExtension(ObjectIdentifier(_SCT_LIST), self._timestamps(before))
        return builder.add_extension(stamp, critical=False).sign(self.key, _SHA)

    def _timestamps(self, certificate: bytes) -> bytes:
        """A list of one signed certificate timestamp, as the extension carries it."""
        time = struct.pack(">Q", int(_now().timestamp() * 1000))
        entry = _id(self.key) + len(certificate).to_bytes(3, "big") + certificate
        signed = self.log.sign(b"\0\0" + time + b"\0\1" + entry + b"\0\0", ec.ECDSA(_SHA))
        stamp = b"\0" + _id(self.log) + time + b"\0\0" + b"\4\3" + struct.pack(">H", len(signed)) + signed
        inner = struct.pack(">H", len(stamp)) + stamp
        return _octets(struct.pack(">H", len(inner)) + inner)


_NO_USE = {
    name: False
    for name in (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
}


def _dated(builder: x509.CertificateBuilder, start: datetime.datetime, **length: int) -> x509.CertificateBuilder:
    serial = x509.random_serial_number()
    return builder.serial_number(serial).not_valid_before(start).not_valid_after(start + datetime.timedelta(**length))


def _length(content: bytes) -> bytes:
    """The length of some bytes in DER."""
    size = len(content)
    return bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256 else b"\x82" + struct.pack(">H", size)


def _utf8(text: str) -> bytes:
    return b"\x0c" + _length(text.encode()) + text.encode()


def _octets(content: bytes) -> bytes:
    return b"\x04" + _length(content) + content


@dataclass
class Log:
    """A transparency log: a Merkle tree (RFC 6962) whose head is signed."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    leaves: list[bytes] = field(default_factory=lambda: [hashlib.sha256(b"\0%d" % each).digest() for each in range(5)])
    late_s: int = 0
    """By how much its clock is fast."""

    def added(self, envelope: dict[str, Any], certificate: str) -> dict[str, Any]:
        """What the log answers to an envelope."""
        payload = base64.b64decode(envelope["payload"])
        signatures = [{"signature": each["sig"], "verifier": certificate} for each in envelope["signatures"]]
        digests = {
            "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(json.dumps(envelope).encode()).hexdigest()},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
        }
        body = _canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": {**digests, "signatures": signatures}})
        index, time = len(self.leaves), int(_now().timestamp()) + self.late_s
        self.leaves.append(hashlib.sha256(b"\0" + body).digest())
        said = {"body": _text(body), "integratedTime": time, "logID": _id(self.key).hex(), "logIndex": index}
        promise = self.key.sign(_canonical(said), ec.ECDSA(_SHA))
        proof = {
            "logIndex": index,
            "treeSize": len(self.leaves),
            "rootHash": _head(self.leaves).hex(),
            "hashes": [each.hex() for each in _path(index, self.leaves)],
            "checkpoint": self._checkpoint(),
        }
        verification = {"inclusionProof": proof, "signedEntryTimestamp": _text(promise)}
        return {hashlib.sha256(body).hexdigest(): {**said, "verification": verification}}

    def _checkpoint(self) -> str:
        """A signed note (the format of transparency-dev) about the head of the tree."""
        note = f"log.example - 1\n{len(self.leaves)}\n{_text(_head(self.leaves))}\n"
        signed = self.key.sign(note.encode(), ec.ECDSA(_SHA))
        return f"{note}\n\N{EM DASH} log.example {_text(_id(self.key)[:4] + signed)}\n"


def _canonical(document: Any) -> bytes:
    """RFC 8785, of what has neither floats nor odd characters."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _split(size: int) -> int:
    """The largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1


def _head(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    middle = _split(len(leaves))
    return hashlib.sha256(b"\1" + _head(leaves[:middle]) + _head(leaves[middle:])).digest()


def _path(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    middle = _split(len(leaves))
    if index < middle:
        return [*_path(index, leaves[:middle]), _head(leaves[middle:])]
    return [*_path(index - middle, leaves[middle:]), _head(leaves[:middle])]


class Instance:
    """The three services behind one address; a context manager that ends them."""

    def __init__(self) -> None:
        self.authority, self.log, self._tokens = Authority(), Log(), _key()
        self.failing: str | None = None
        """The beginning of a path that is answered with an error."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Instance:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(self, subject: str = RUNNER, **claims: Any) -> str:
        """A token of this instance's issuer, good for ten minutes."""
        now = int(_now().timestamp())
        given = {"iss": self.url, "sub": subject, "aud": AUDIENCE, "iat": now, "nbf": now - 5, "exp": now + 600}
        return jwt.encode({**given, **claims}, self._tokens, algorithm="ES256")

    def ambient(self) -> dict[str, str]:
        """The environment of a job of GitHub Actions that may ask for a token."""
        address = f"{self.url}/job-token?job=1"
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "job-secret",
            "ACTIONS_ID_TOKEN_REQUEST_URL": address,
            "NO_PROXY": "127.0.0.1",
        }

    def trust(self, folder: Path, name: str = "trust.json") -> Path:
        """The file that says whom to believe, and where to sign."""
        path = folder / name
        path.write_text(json.dumps(self.configuration()), encoding="utf-8")
        return path

    def configuration(self) -> dict[str, Any]:
        """A client trust configuration, whose `trustedRoot` also stands alone."""
        valid = {"start": "2020-01-01T00:00:00Z"}
        service = {"url": self.url, "majorApiVersion": 1, "validFor": valid, "operator": "tests"}
        signing = {
            "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
            "caUrls": [service],
            "oidcUrls": [service],
            "rekorTlogUrls": [service],
            "rekorTlogConfig": {"selector": "ANY"},
            "tsaUrls": [],
            "tsaConfig": {"selector": "ANY"},
        }
        root = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self._log(self.log.key, valid)],
            "ctlogs": [self._log(self.authority.log, valid)],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "tests", "commonName": "an authority of tests"},
                    "uri": self.url,
                    "certChain": {"certificates": [{"rawBytes": _text(self._root())}]},
                    "validFor": valid,
                }
            ],
        }
        media = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
        return {"mediaType": media, "trustedRoot": root, "signingConfig": signing}

    def _root(self) -> bytes:
        return self.authority.root.public_bytes(serialization.Encoding.DER)

    def _log(self, key: ec.EllipticCurvePrivateKey, valid: dict[str, str]) -> dict[str, Any]:
        public = {"rawBytes": _text(_der(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": valid}
        named = {"baseUrl": self.url, "hashAlgorithm": "SHA2_256", "logId": {"keyId": _text(_id(key))}}
        return {**named, "publicKey": public}

    def job_token(self, authorization: str | None, path: str) -> dict[str, Any]:
        """What a job gets that asks with its secret."""
        assert authorization == "bearer job-secret", authorization
        assert f"audience={AUDIENCE}" in path, path
        return {"value": self.token()}

    def certified(self, authorization: str | None, request: dict[str, Any]) -> dict[str, Any]:
        """A certificate for the bearer of a token of ours, over the key that signed the request."""
        raw = (authorization or "").removeprefix("Bearer ")
        claims = jwt.decode(raw, self._tokens.public_key(), algorithms=["ES256"], audience=AUDIENCE, issuer=self.url)
        asked = x509.load_pem_x509_csr(base64.b64decode(request["certificateSigningRequest"]))
        assert asked.is_signature_valid
        made = self.authority.certificate(asked.public_key(), claims["sub"], claims["iss"])
        chain = [each.public_bytes(serialization.Encoding.PEM).decode() for each in (made, self.authority.root)]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}

    def logged(self, request: dict[str, Any]) -> dict[str, Any]:
        """An entry of the log for an envelope whose one signature is that of the certificate beside it."""
        proposed = request["spec"]["proposedContent"]
        envelope, (certificate,) = json.loads(proposed["envelope"]), proposed["verifiers"]
        public = x509.load_pem_x509_certificate(base64.b64decode(certificate)).public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
        signed = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
        public.verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed, ec.ECDSA(_SHA))
        return self.log.added(envelope, certificate)


def _handler(instance: Instance) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(lambda: instance.job_token(self.headers["Authorization"], self.path), 200)

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/api/v2/signingCert":
                self._answer(lambda: instance.certified(self.headers["Authorization"], request), 201)
            else:
                assert self.path == "/api/v1/log/entries", self.path
                self._answer(lambda: instance.logged(request), 201)

        def _answer(self, make: Any, status: int) -> None:
            try:
                if instance.failing and self.path.startswith(instance.failing):
                    raise ValueError("out of service")
                content = json.dumps(make()).encode()
            except Exception as error:
                status, content = 400, json.dumps({"code": 400, "message": str(error)}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
