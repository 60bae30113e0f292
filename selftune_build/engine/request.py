"""What one invocation asks for, and what it needs from the world around it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from selftune_build.engine.registry import BUILTIN, Registry
from selftune_build.model.repeated import Repeated

if TYPE_CHECKING:
    from selftune_build.engine.executing.cluster import Cluster
    from selftune_build.engine.overlay.overlaid import Overlaid
    from selftune_build.model.remote import RemoteReport
    from selftune_build.store.records import RecordStore
    from selftune_build.store.samples import SampleStore


class BuildRequest(Struct, frozen=True):
    """The words and flags of `selftune build`, free of how they were typed."""

    directory: Path
    place: str = ""
    """`-C` as it was typed; empty without."""
    targets: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    model: str | None = None
    locked: bool = False
    dry_run: bool = False
    keep_going: bool = False
    no_exec: bool = False
    failed: bool = False
    assume_yes: bool = False
    jobs: int = 1
    resample: int = 0
    max_calls: int | None = None
    max_cost: Decimal | None = None
    signers: tuple[str, ...] = ()
    """Files of public keys, or words for keys and identities: one has to vouch for every lock; none asks for no signature."""
    trust_root: Path | None = None
    """Whom identities are believed by; None: the public instance of Sigstore."""
    first_sample: int = 0
    """Index of the first sample of a cohort: an audit asks for samples that nobody has asked for before."""
    detailed: bool = False
    """Whether the report tells of every row."""
    verbose: bool = False
    """Whether people are told everything: then `-v` has nothing to add."""
    against: str | None = None
    """A revision of the repository whose lock today's is compared with."""
    groups: int = 1
    """Groups of samples that each case needs: an A/A run takes two, and writes no lock."""
    group_size: int | None = None
    """Samples in each; None: `samples.min` of the package."""
    transcripts: bool = False
    """Whether it carries transcripts and what changed in the locks as well."""
    base: str = "HEAD"
    """The revision whose locks those of today are compared with on a page."""
    among: frozenset[str] | None = None
    """Folders of the packages that `--since` leaves; None without it."""
    looks: bool = False
    """Whether gates that look at the files may do so although the lock decides: `publish` (ADR 0089)."""
    overlay: Overlaid | None = None
    """What lies over the tree: then neither a lock nor anything else of the workspace is written."""

    @property
    def repeated(self) -> Repeated:
        """For the commands to type next."""
        return Repeated(self.place, self.agents, self.model)

    def compares(self, declared: Sequence[str]) -> bool:
        """Whether a package whose manifest declares these agents is reported under several."""
        return len(self.agents or declared) > 1


class Progress(Protocol):
    """Who hears what happens while an invocation runs; nothing it does decides anything."""

    def started(self, total: int, price: str | None) -> None:
        """So many samples are about to be taken."""

    def sample(self, target: str, outcome: str) -> None:
        """One question has been put, and this came of it."""

    def waiting(self, message: str) -> None:
        """Somebody else is doing what is needed; or something else to know now."""

    def warning(self, message: str) -> None:
        """Money is about to be spent that cannot bring what was asked for."""

    def done(self) -> None:
        """No more samples will be taken."""


class Shared(Protocol):
    """The remote that the user has named for an invocation (`sharing.exchange`): everything of it that the engine knows."""

    @property
    def taken(self) -> frozenset[str]:
        """The places of the samples that came from it, without the end of the file name."""

    @property
    def failed(self) -> bool:
        """Whether it was required, and did not take everything."""

    def stores(self, root: Path, warn: Callable[[str], None]) -> tuple[SampleStore, RecordStore]:
        """The store with what is only looked at."""

    def fetch(self, keys: Collection[str]) -> frozenset[str]:
        """Take what is there of these static keys; those that gained by it."""

    def note(self) -> None:
        """Something is about to be paid for."""

    def send(self, keys: Collection[str]) -> None:
        """Give what was paid for under these static keys."""

    def report(self) -> RemoteReport | None:
        """What came of it."""


class Surroundings(Struct, frozen=True):
    """The signals, the ear and the voice of an invocation, and what it can name."""

    progress: Progress
    confirm: Callable[[str], bool | None]
    """Ask on a terminal; None where there is nobody to ask."""
    registry: Registry = BUILTIN
    stop: threading.Event = field(default_factory=threading.Event)
    """Start nothing new."""
    cancel: threading.Event = field(default_factory=threading.Event)
    """End what is running."""
    shared: Shared | None = None
    """None where no remote is named."""
    cluster: Cluster | None = None
    """Whose workers take the samples; None: this process."""
    idle: dict[str, Callable[[], bytes | None]] = field(default_factory=dict)
    """Filled by a build: folders of packages for which nothing was to be done, and how they are remembered."""
