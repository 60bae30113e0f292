"""Locks with evidence for every case, written by the library instead of by 100,000 runs of an agent.

Every row has the key that a build would give it and observed what the embedded agent observes: the body where the skill is
activated. Nothing is in the store: the evidence is invented, its digest that of the address. `--locked` accepts such locks and a
build keeps them, like those of a fresh clone.
"""

from __future__ import annotations

from pathlib import Path

from msgspec import UNSET

from selftune_build.engine.judging.row import inputs_today
from selftune_build.engine.load import Universe, load_universe
from selftune_build.engine.locks.files import write_lock
from selftune_build.engine.outcome import decided, lock_of
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.planning.invocation import stores_at, undecided
from selftune_build.engine.registry import BUILTIN
from selftune_build.engine.request import BuildRequest
from selftune_build.fingerprint.digest import digest_json
from selftune_build.fingerprint.keys import row_key
from selftune_build.model.lock import Row
from selftune_build.stages.row import RowSpec
from selftune_build.store.location import find_store


def write_locks(root: Path) -> None:
    """A passing lock for every package of a workspace whose cases only ask whether the skill triggers."""
    universe = load_universe(root)
    for run in _runs(universe):
        rows: dict[str, dict[str, Row]] = {}
        for spec in run.specs:
            rows.setdefault(spec.case.id, {})[spec.arm.value] = _row(spec)
        write_lock(run.package, lock_of(run, decided(run, rows), {}))


def _runs(universe: Universe) -> list[PackageRun]:
    stores = stores_at(find_store(universe.root), universe, lambda _message: None)
    return undecided(universe, BuildRequest(universe.root), stores, BUILTIN)


def _row(spec: RowSpec) -> Row:
    observed = (f"{spec.package.name}:body",) if spec.polarity else ()
    key, evidence = row_key(inputs_today(spec, observed)), digest_json(list(spec.place))
    return Row(key, observed, n=1, evidence=evidence, triggered=int(bool(spec.polarity)), passed=UNSET)
