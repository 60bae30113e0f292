"""The files that are published together, and whether three such files still belong together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from selftune_build.errors import InputError, SelftuneError, UsageError
from selftune_build.limits import ARCHIVE_BYTES, ENVELOPE_BYTES, LOCK_BYTES
from selftune_build.lock.parsing import read_lock
from selftune_build.model.location import Location
from selftune_build.model.lock import Lock
from selftune_build.publish import statement
from selftune_build.publish.archive import SUFFIX, unpack
from selftune_build.publish.attestation import Attestation, read_attestation, signature_flaw
from selftune_build.store.reading import read_regular

if TYPE_CHECKING:
    from selftune_build.signing.signatory import Signatory

ATTESTATION_SUFFIX = ".intoto.jsonl"
LOCK_SUFFIX = ".lock"


class Bundle(Struct, frozen=True):
    """An archive with its attestation and its lock, as bytes."""

    name: str
    archive: bytes
    attestation: bytes
    lock: bytes

    def files(self) -> Iterator[tuple[str, bytes]]:
        """File name and content of each, the archive last: it is there only when the others are."""
        yield self.name + SUFFIX + LOCK_SUFFIX, self.lock
        yield self.name + SUFFIX + ATTESTATION_SUFFIX, self.attestation
        yield self.name + SUFFIX, self.archive


class Flaw(Struct, frozen=True):
    """Something that does not hold, and of which file."""

    code: str
    message: str
    path: str


class Checked(Struct, frozen=True):
    """What a check found: the statement where it could be read, who signed, what does not hold."""

    flaws: tuple[Flaw, ...]
    signers: tuple[str, ...] = ()
    skill: str = ""
    tree: str = ""
    origins: tuple[str, ...] = ()


def read_bundle(path: Path) -> Bundle:
    """The three files of an archive, from where it lies. Raises UsageError where one is missing."""
    if not path.name.endswith(SUFFIX):
        raise UsageError(f"{path} is no {SUFFIX} archive", hint=f"name the {SUFFIX} file; the others lie beside it")
    archive = _content(path, ARCHIVE_BYTES)
    attestation = _content(path.with_name(path.name + ATTESTATION_SUFFIX), ENVELOPE_BYTES)
    lock = _content(path.with_name(path.name + LOCK_SUFFIX), LOCK_BYTES)
    return Bundle(path.name.removesuffix(SUFFIX), archive, attestation, lock)


def check_bundle(bundle: Bundle, signatories: Sequence[Signatory] = ()) -> Checked:
    """Whether archive, attestation and lock belong together, and whether one of these signed, where there are some.

    Total: every input ends here.
    """
    archive, attestation, lock = (
        bundle.name + SUFFIX,
        bundle.name + SUFFIX + ATTESTATION_SUFFIX,
        bundle.name + SUFFIX + LOCK_SUFFIX,
    )
    try:
        sealed = read_attestation(bundle.attestation)
        stated = statement.read(sealed.payload)
    except SelftuneError as error:
        return Checked((Flaw("attestation-damaged", error.message, attestation),))
    flaws = [
        *_archive_flaws(bundle.archive, stated, archive),
        *_lock_flaws(bundle.lock, stated, lock, attestation),
        *_signature_flaws(sealed, signatories, attestation),
    ]
    said: statement.Stated = stated["stated"]
    return Checked(
        flaws=tuple(flaws),
        signers=tuple(sorted(sealed.signatures)),
        skill=said.skill,
        tree=stated["subjects"][statement.TREE],
        origins=tuple(sorted({agent.origin for agent in said.agents})),
    )


def _archive_flaws(content: bytes, stated: dict[str, Any], path: str) -> Iterator[Flaw]:
    try:
        name, files = unpack(content)
    except InputError as error:
        yield Flaw("archive-damaged", error.message, path)
        return
    if statement.sha256(content) != stated["subjects"][statement.ARCHIVE] or name != stated["stated"].skill:
        yield Flaw("archive-changed", "the archive is not the one that was attested", path)
    if statement.bill(files) != [*stated["stated"].contents]:
        yield Flaw("contents-changed", "the files in the archive are not those that were attested", path)


def _lock_flaws(content: bytes, stated: dict[str, Any], path: str, attestation: str) -> Iterator[Flaw]:
    reading = read_lock(content)
    if reading.problems or len(reading.locks) != 1:
        problem = reading.problems[0].message if reading.problems else "it holds no lock"
        yield Flaw("lock-damaged", f"the lock cannot be believed: {problem}", path)
        return
    lock, said = reading.locks[0], stated["stated"]
    if statement.sha256(content) != stated["subjects"][statement.LOCK]:
        yield Flaw("lock-changed", "the lock is not the one that was attested", path)
    elif any(_says_otherwise(agent, lock) for agent in said.agents):
        yield Flaw("attestation-damaged", "the attestation says of an agent what the lock does not say", attestation)
    if (lock.tree.removeprefix("sha256:"), lock.package) != (stated["subjects"][statement.TREE], said.skill):
        yield Flaw("tree-changed", "the lock is that of another package tree than the one attested", path)


def _says_otherwise(agent: statement.StatedAgent, lock: Lock) -> bool:
    """Whether a statement gives an agent other evidence, or gates other verdicts, than the lock that it is about."""
    entry = lock.agents.get(agent.name)
    return (
        entry is None
        or entry.origin != agent.origin
        or any(agent.gates.get(gate, noted) != noted for gate, noted in entry.gates.items())
    )


def _signature_flaws(sealed: Attestation, signatories: Sequence[Signatory], path: str) -> Iterator[Flaw]:
    if sealed.type != statement.PAYLOAD_TYPE:
        yield Flaw("attestation-damaged", "the envelope holds something else than a statement", path)
    flaw = signature_flaw(sealed, signatories) if signatories else None
    if flaw is not None:
        yield Flaw("signature-missing", flaw, path)


def _content(path: Path, limit: int) -> bytes:
    """Of a regular file only: a pipe would make whoever checks wait for ever."""
    try:
        content = read_regular(path.resolve(), limit)
    except (OSError, RuntimeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it leads to itself"
        raise UsageError(f"{path} cannot be read: {why}", hint="the three files lie beside each other") from None
    if len(content) > limit:
        raise InputError(f"the file is larger than {limit} bytes", at=Location(str(path)))
    return content
