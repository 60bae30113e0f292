"""What publishing a package left behind."""

from __future__ import annotations

from msgspec import Struct


class Published(Struct, frozen=True):
    """One published package: digests are sha256 in hexadecimal digits, paths as they were given."""

    skill: str
    skill_path: str
    archive: str
    archive_sha256: str
    tree_sha256: str
    lock_sha256: str
    attestation: str
    signed_by: tuple[str, ...]
    """Ids of the keys, or identities, that signed; empty: nobody did."""
    origins: tuple[str, ...]
    next_command: str
    """The hand-off to `watch`, which no version has yet."""
    until_then: str
    """What does some of it today."""
    installed: str | None = None
    previous: str | None = None
    """The archive that was installed before: what a rollback brings back."""
    aside: str | None = None
    """Where that was kept which `--force` replaced."""
    signed_before: bool = False
    """Whether the attestation is one that lay there and states the same; nobody looked at its signatures."""
    check_options: tuple[str, ...] = ()
    """What `publish --check` has to be given to look at the signature."""
