"""What the workspace of today can give back to its store: records of what is staged, and what its keys are made of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from selftune_build.engine.load import load_universe
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.invocation import stores_at, undecided
from selftune_build.engine.registry import Registry
from selftune_build.engine.request import BuildRequest
from selftune_build.errors import SelftuneError
from selftune_build.store.ailment import Examination
from selftune_build.store.examination import examine
from selftune_build.store.repair import Mended, Sources, repair


def runs_today(folder: Path, store: Path, registry: Registry) -> list[PackageRun]:
    """The rows of every package as the workspace stands, undecided. Raises SelftuneError where it cannot be read."""
    universe = load_universe(folder, registry=registry)
    stores = stores_at(store, universe, lambda _message: None)
    return undecided(universe, BuildRequest(directory=folder, dry_run=True), stores, registry)


def sources(folder: Path, store: Path, registry: Registry) -> Sources:
    """What can be written again; nothing where the workspace cannot be read."""
    try:
        return _sources(runs_today(folder, store, registry))
    except SelftuneError:
        return Sources()


def _sources(runs: Iterable[PackageRun]) -> Sources:
    specs = [spec for run in runs for spec in run.specs]
    records = {digest: record for spec in specs for digest, record in spec.staged.records().items()}
    return Sources(records, {spec.key: spec.inputs for spec in specs})


def care(folder: Path, store: Path, registry: Registry, mend: bool) -> tuple[Examination, list[Mended]]:
    """Examine a store, and with `mend` repair it: what is left then, and what was done. Raises StoreError."""
    found = examine(store)
    if not mend or not found.ailments:
        return found, []
    mended = repair(store, found.ailments, sources(folder, store, registry))
    # What was moved to its place may name records that nobody missed before.
    again = examine(store)
    mended += repair(store, again.ailments, sources(folder, store, registry))
    return examine(store), mended
