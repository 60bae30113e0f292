"""Keys and tokens of well-known forms: how they are told from placeholders, and how text is shown without them."""

from __future__ import annotations

import math
import re
import string
import zlib
from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from selftune_build.late import late

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECKED_BODY = 30
LEAST_TOKEN = 20
TOKEN_CHARACTERS = f"{_BASE62}+/_.-"
LEAST_ENTROPY = 3.2
"""Bits a character: random tokens of these lengths have more than 4, words and repeats less than 3."""
PLACEHOLDER = late(
    r"example|sample|placeholder|your|xxxx|dummy|redacted|insert|changeme|test[-_]?(?:key|token)|fake|1234567|abcdef|a1b2c3|0{6}|\.\.\.",
    re.IGNORECASE,
)


class _Form(Struct, frozen=True):
    """One form of token: who issues it, the text that every one of them starts with, the whole, and whether it has a checksum."""

    issuer: str
    start: str
    pattern: re.Pattern[str]
    checked: bool = False


def _form(issuer: str, start: str, rest: str, checked: bool = False) -> _Form:
    return _Form(issuer, start, late(rf"(?<![A-Za-z0-9_-]){re.escape(start)}{rest}(?![A-Za-z0-9_-])"), checked)


_FORMS = (
    *(_form("GitHub", start, "[A-Za-z0-9]{36}", checked=True) for start in ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    _form("GitHub", "github_pat_", "[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _form("npm", "npm_", "[A-Za-z0-9]{36}"),
    _form("AWS", "AKIA", "[A-Z2-7]{16}"),
    _form("AWS", "ASIA", "[A-Z2-7]{16}"),
    _form("Anthropic", "sk-ant-", "[a-z]{3,10}[0-9]{2}-[A-Za-z0-9_-]{80,120}"),
    _form("OpenAI", "sk-", "(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,100}T3BlbkFJ[A-Za-z0-9_-]{20,100}"),
    _form("Google", "AIza", "[A-Za-z0-9_-]{35}"),
    _form("Slack", "xox", "[abeoprs]-(?:[0-9]{8,14}-){1,3}[A-Za-z0-9-]{16,60}"),
    _form("Stripe", "sk_live_", "[A-Za-z0-9]{24,120}"),
    _form("Stripe", "rk_live_", "[A-Za-z0-9]{24,120}"),
    _form("GitLab", "glpat-", "[A-Za-z0-9_-]{20,60}"),
    _form("Hugging Face", "hf_", "[A-Za-z]{34}"),
    _form("SendGrid", "SG.", r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    _form("PyPI", "pypi-AgE", "[A-Za-z0-9_-]{60,400}"),
    _form("DigitalOcean", "dop_v1_", "[0-9a-f]{64}"),
    _form("Databricks", "dapi", "[0-9a-f]{32}"),
)
_START = late("|".join(re.escape(form.start) for form in _FORMS))
TOKEN = late(rf"(?<![A-Za-z0-9+/_.-])[A-Za-z0-9+/_.-]{{{LEAST_TOKEN},}}+={{0,2}}")
"""Runs that keys, digests and encoded text are made of; tried only where a run begins."""


def tokens(run: str) -> Iterator[tuple[int, str, str]]:
    """Place, issuer and text of each token in a run of `TOKEN` that is no placeholder."""
    for form in _FORMS if _START.search(run) else ():
        for hit in form.pattern.finditer(run) if form.start in run else ():
            if _is_real(hit[0], form):
                yield hit.start(), form.issuer, hit[0]


def masked(text: str) -> str:
    """The text with no more of each token than tells which one it is."""
    for run in TOKEN.finditer(text) if len(text) >= LEAST_TOKEN else ():
        for _, _, token in tokens(run[0]):
            text = text.replace(token, brief(token))
    return text


def brief(token: str) -> str:
    """Its first eight characters and its length."""
    return f"{token[:8]}… ({len(token)} characters)"


def _is_real(token: str, form: _Form) -> bool:
    body = token[len(form.start) :]
    if form.checked:
        return has_checksum(body)
    return not PLACEHOLDER.search(body) and entropy(body) >= LEAST_ENTROPY


def has_checksum(body: str) -> bool:
    """Whether the last six characters are CRC-32 of the thirty before in base 62, as GitHub makes its tokens."""
    rest, digits = zlib.crc32(body[:_CHECKED_BODY].encode()), ""
    while rest:
        rest, digit = divmod(rest, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(6, "0") == body[_CHECKED_BODY:]


def entropy(text: str) -> float:
    """Bits a character, by how often each character occurs in the text."""
    counts, length = Counter(text), len(text)
    return -sum(count / length * math.log2(count / length) for count in counts.values())
