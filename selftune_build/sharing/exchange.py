"""One invocation and its remote: what others paid for is taken before anything is paid, what was paid is given afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from selftune_build.errors import StoreError
from selftune_build.model.remote import RemoteReport
from selftune_build.sharing import unsent
from selftune_build.sharing.identity import believed, own_signer
from selftune_build.sharing.named import Named
from selftune_build.sharing.opening import open_remote
from selftune_build.sharing.places import key_folder
from selftune_build.sharing.pulling import Pulled, pull, reasons
from selftune_build.sharing.pushing import Pushed, archives_in, archives_of, own, push
from selftune_build.sharing.remote import Remote
from selftune_build.sharing.sink import Kept, Lent, LentRecords, LentSamples, Sink
from selftune_build.sharing.trust import Trusted
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner


class Voice(Struct, frozen=True):
    """Who hears what happens, and who may end it."""

    warning: Callable[[str], None]
    waiting: Callable[[str], None]
    stop: threading.Event


class Exchange:
    """Everything that an invocation takes from and gives to the remote that its user has named.

    `looks`: it only looks at what would be taken, and writes nothing. `required`: without the remote nothing is paid.
    """

    def __init__(self, named: Named, store: Path, voice: Voice, *, required: bool = False, looks: bool = False) -> None:
        self._named, self._store, self._voice, self._required = named, store, voice, required
        self._sink: Sink = Lent(store) if looks else Kept(store, voice.waiting, voice.stop)
        self._pulled, self._pushed = Pulled(), Pushed()
        self._used = False
        self._note: Path | None = None

    @cached_property
    def _remote(self) -> Remote:
        return open_remote(self._named.url, self._voice.stop.wait)

    @cached_property
    def _trusted(self) -> list[Trusted]:
        return believed()

    @cached_property
    def _signer(self) -> CryptoSigner:
        return own_signer()

    @property
    def taken(self) -> frozenset[str]:
        """The places of the samples that came from the remote, as `place_of` has them without the end of the file name."""
        return frozenset(self._pulled.calls)

    def stores(self, root: Path, warn: Callable[[str], None]) -> tuple[SampleStore, RecordStore]:
        """The store as the invocation sees it: with what is only looked at."""
        if isinstance(self._sink, Lent):
            return LentSamples(root, self._sink, warn), LentRecords(root, self._sink)
        return SampleStore(root, warn), RecordStore(root)

    def fetch(self, keys: Collection[str]) -> frozenset[str]:
        """Take what is there of these static keys; those that gained samples by it.

        Raises UsageError and InputError where keys to believe or to sign with are missing, before anything is spent; StoreError
        where the remote is required and cannot be read.
        """
        self._prepare()
        if self._pulled.down or not self._named.read:
            return frozenset()
        folders = {key_folder(key): key for key in keys}
        done = pull(self._sink, self._remote, self._named.read, self._trusted, folders, self._voice.stop)
        self._pulled.taken += done.taken
        self._pulled.refused += done.refused
        self._pulled.calls |= done.calls
        self._pulled.trouble, self._pulled.down = done.trouble or self._pulled.trouble, done.down
        if done.trouble and not self._voice.stop.is_set():
            self._complain(f"{self._named.shown} could not be read whole: {done.trouble}", "what it has would be paid for again")
        return frozenset(folders[call.rpartition("/")[0]] for call in done.calls)

    def _prepare(self) -> None:
        """Whatever is missing here is told before anything is paid."""
        self._used = True
        _ = self._remote
        if self._named.read:
            _ = self._trusted
        if self._named.write is not None and isinstance(self._sink, Kept):
            _ = self._signer

    def _complain(self, what: str, therefore: str) -> None:
        if self._required:
            hint = "the remote is required: try again later, or build without --remote-required"
            raise StoreError(f"{what}; nothing was paid for", hint=hint)
        self._voice.warning(f"{what}; {therefore}")

    def note(self) -> None:
        """Something is about to be paid for: where this process ends before it is sent, the next build sends it.

        Raises StoreError.
        """
        if self._named.write is not None and self._note is None:
            self._note = unsent.note(self._store, self._named)

    def send(self, keys: Iterable[str]) -> None:
        """Give what was paid for under these static keys, and what earlier builds could not give. Raises StoreError."""
        if self._named.write is None:
            return
        notes = unsent.noted(self._store, self._named)
        found = archives_of(self._store, map(key_folder, keys))
        others = [path for path in notes if path != self._note]
        if others:
            found += archives_in(self._store, unsent.since(others))
        paths = own(self._store, dict.fromkeys(found))
        if paths:
            self._used = True
            done = push(self._store, self._remote, self._named.write, self._signer, paths, self._voice.stop)
            self._pushed = _sum(self._pushed, done)
        if self._pushed.trouble:
            self._voice.warning(
                f"{self._named.shown} did not take everything: {self._pushed.trouble}; the next build tries again"
            )
        else:
            unsent.forget(notes)
            self._note = None

    def report(self) -> RemoteReport | None:
        """What came of it; None where there was nothing to ask for."""
        if not self._used:
            return None
        trouble = "; ".join(dict.fromkeys(filter(None, (self._pulled.trouble, self._pushed.trouble))))
        return RemoteReport(
            url=self._named.shown,
            read=self._named.read,
            write=self._named.write,
            taken=self._pulled.taken,
            refused=reasons(self._pulled.refused),
            sent=self._pushed.sent,
            unsent=self._pushed.failed,
            trouble=trouble,
        )

    @property
    def failed(self) -> bool:
        """Whether the remote was required and did not take everything."""
        return self._required and bool(self._pushed.trouble)


def _sum(before: Pushed, after: Pushed) -> Pushed:
    """What was sent in several rounds; what could not be sent is what the last one could not send."""
    return Pushed(
        sent=before.sent + after.sent,
        there=before.there + after.there,
        free=before.free + after.free,
        unsound=before.unsound + after.unsound,
        failed=after.failed,
        trouble=after.trouble,
    )
