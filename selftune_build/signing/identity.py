"""Identities that vouch without a key: whom an issuer of OpenID Connect names, spelt `sigstore:ISSUER#SUBJECT`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from selftune_build.errors import UsageError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

SCHEME = "sigstore:"
_SPELT = re.compile(r"sigstore:(https?://[^\s#]+)#(\S+)")
_ISSUER = "1.3.6.1.4.1.57264.1.1"
_OTHER_NAME = "1.3.6.1.4.1.57264.1.7"
"""Extensions of Fulcio's certificates (its `docs/oid-info.md`)."""


class Identity(Struct, frozen=True):
    """An issuer of tokens, by its address, and whom it names: a mail address, or the address of a workflow."""

    issuer: str
    subject: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.issuer}#{self.subject}"


def read_identity(word: str) -> Identity:
    """The identity in its spelling; the address of an issuer has no fragment, so it reads in one way. Raises UsageError."""
    found = _SPELT.fullmatch(word)
    if found is None or not word.isprintable():
        raise UsageError(f"{word!r} names no identity", hint="write sigstore:ISSUER#SUBJECT, the issuer with https://")
    return Identity(found[1], found[2])


def identity_of(certificate: Certificate) -> Identity:
    """Whom a certificate of Fulcio was given to, on whose word. Raises ValueError where it does not name exactly one."""
    from cryptography import x509

    extensions = certificate.extensions
    try:
        issuer = extensions.get_extension_for_oid(x509.ObjectIdentifier(_ISSUER)).value
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise ValueError("the certificate names no issuer or no subject") from error
    subjects = [name for each in names if (name := _subject(each)) is not None]
    if len(subjects) != 1 or not isinstance(issuer, x509.UnrecognizedExtension):
        raise ValueError("the certificate does not name exactly one subject")
    return Identity(issuer.value.decode(), subjects[0])


def _subject(name: object) -> str | None:
    from cryptography import x509

    if isinstance(name, x509.RFC822Name | x509.UniformResourceIdentifier):
        return name.value
    if isinstance(name, x509.OtherName) and name.type_id.dotted_string == _OTHER_NAME:
        return name.value.decode()
    return None
