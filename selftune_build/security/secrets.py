"""Keys and tokens of well-known forms. What is found is never shown whole; what is a placeholder is not found."""

from __future__ import annotations

from collections.abc import Iterator

from selftune_build.late import late
from selftune_build.model.finding import Finding
from selftune_build.security.subject import Subject, Text, found
from selftune_build.security.tokens import LEAST_ENTROPY, PLACEHOLDER, brief, entropy, tokens

_HINT = "revoke it, then read it from the environment"


_PRIVATE_KEY = late(
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:\\n|\s){1,8}"
    r"((?:[A-Za-z0-9+/=:,-]{1,100}(?:\\n|\s){1,8}){2,200})"
)
_LEAST_KEY_CHARACTERS = 200


def check_secrets(subject: Subject) -> Iterator[Finding]:
    """Findings in every file of the package, evals and manifest among them: all of it is published."""
    for text in subject.texts:
        for place, issuer, secret in (*_tokens(text), *_private_keys(text)):
            said = f"a token of {issuer}" if issuer else "a private key"
            show = brief(secret) if issuer else f"{len(secret)} characters"
            yield found("security-secret", text.path, text.line_of(place), said, secret, show=show, hint=_HINT)


def _tokens(text: Text) -> Iterator[tuple[int, str, str]]:
    for place, run in text.tokens:
        for inside, issuer, token in tokens(run):
            yield place + inside, issuer, token


def _private_keys(text: Text) -> Iterator[tuple[int, str, str]]:
    for hit in _PRIVATE_KEY.finditer(text.content) if "PRIVATE KEY" in text.content else ():
        body = "".join(hit[1].replace("\\n", "").split())
        if len(body) >= _LEAST_KEY_CHARACTERS and entropy(body) > LEAST_ENTROPY and not PLACEHOLDER.search(body[:40]):
            yield hit.start(), "", hit[0]
