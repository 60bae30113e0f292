"""What the workspace of today can give back to its store: records of what is staged, and what its keys are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from selftune_build.engine.load import load_universe
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.invocation import stores_at, undecided
from selftune_build.engine.registry import Registry
from selftune_build.engine.request import BuildRequest
from selftune_build.errors import SelftuneError
from selftune_build.store.ailment import Ailment, Examination
from selftune_build.store.examination import examine
from selftune_build.store.repair import Mended, Sources, repair
from selftune_build.store.survey import audits


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
    """Examine a store and those of audits in it, and with `mend` repair them: what is left then, and what was done.

    Raises StoreError.
    """
    given = cache(lambda: sources(folder, store, registry))
    ailments: list[Ailment] = []
    checked: Counter[str] = Counter()
    done: list[Mended] = []
    for part in ("", *audits(store)):
        found, mended = _care(store / part, given if mend else None, marked=not part)
        place = f"{part}/" if part else ""
        ailments += [replace(each, path=place + each.path) for each in found.ailments]
        done += [replace(each, path=place + each.path) for each in mended]
        checked.update(found.checked)
    return Examination(tuple(ailments), dict(sorted(checked.items()))), done


def _care(store: Path, given: Callable[[], Sources] | None, *, marked: bool) -> tuple[Examination, list[Mended]]:
    found = examine(store, marked=marked)
    if given is None or not found.ailments:
        return found, []
    mended = repair(store, found.ailments, given())
    # What was moved to its place may name records that nobody missed before.
    again = examine(store, marked=marked)
    mended += repair(store, again.ailments, given())
    return examine(store, marked=marked), mended
