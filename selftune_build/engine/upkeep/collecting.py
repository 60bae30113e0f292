"""What of a store nobody needs: everything that no lock can speak of, told apart by whether it was paid for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from selftune_build.agents.builtin import AGENTS
from selftune_build.agents.protocol import Agent, AgentSettings
from selftune_build.engine.registry import Registry
from selftune_build.engine.upkeep.caring import runs_today
from selftune_build.engine.upkeep.holding import Held, Question, Rows, behind, could_be_behind, held, rows_by_agent
from selftune_build.engine.upkeep.needs import Needs, needs
from selftune_build.errors import SelftuneError
from selftune_build.limits import KEY_JSON_BYTES
from selftune_build.model.manifest import AgentDefinition
from selftune_build.store.archive import Archive, DamagedRecord, NewerRecord
from selftune_build.store.asked import KEY_NAME, is_asked, is_free, read_asked
from selftune_build.store.leavings import age_s, leavings, price_of, unanswered
from selftune_build.store.reading import read_bounded, read_packed
from selftune_build.store.records import RecordStore
from selftune_build.store.survey import Entry, Kind, survey
from selftune_build.store.sweeping import Garbage, garbage

NOT_NEEDED = "no lock needs it"
_DAY_S = 86_400


class Collection(Struct, frozen=True):
    """What may go, what would go if paid samples were given up, and why the other samples stay."""

    garbage: tuple[Garbage, ...]
    spared: tuple[Garbage, ...]
    """Paid for, and no lock needs it: goes only when that is said."""
    kept: dict[str, int]
    """Reason → samples."""
    locks: int
    opaque: tuple[str, ...]


class _Sample(Struct, frozen=True):
    entry: Entry
    held: Held
    usd: Decimal | None
    about: str


class _Group(Struct, frozen=True):
    """The samples of one static key that can be read."""

    question: Question
    samples: tuple[_Sample, ...]


def collect(root: Path, store: Path, registry: Registry, also: Iterable[Path], paid_days: int | None) -> Collection:
    """Sort a store into what is needed and what is not; nothing is changed. `paid_days`: give up what was paid for, no lock
    needs, and is older than that. Raises SelftuneError, and then nothing may be deleted."""
    demand = needs([root, *also])
    entries = survey(store)
    readers = _Readers(root, store, registry)
    groups = [_group(store, folder, found, readers) for folder, found in _by_key(entries).items()]
    reasons = _reasons(groups, demand, readers, RecordStore(store))
    idle = [sample for group in groups for sample in group.samples if sample.entry.path not in reasons]
    spare = [garbage(each.entry, "sample", each.usd, NOT_NEEDED, each.about) for each in idle]
    free = [each for each in spare if each.usd == 0]
    ages = {each.entry.path: _recorded_ns(each.held.recorded) for each in idle}
    costly = [*(each for each in spare if each.usd != 0), *unanswered(store, entries)]
    given_up = [each for each in costly if paid_days is not None and _is_older(each, ages, paid_days)]
    gone = {each.path for each in (*free, *given_up)}
    tidy = leavings(store, entries, gone)
    unread = sum(entry.kind is Kind.ARCHIVE for entry in entries) - sum(len(group.samples) for group in groups)
    return Collection(
        garbage=(*free, *given_up, *tidy),
        spared=tuple(each for each in costly if each.path not in gone),
        kept=dict(Counter(reasons.values()) + Counter({"cannot be read: `selftune store fsck` says why": unread})),
        locks=demand.locks,
        opaque=demand.opaque,
    )


class _Readers:
    """Whoever can read the answers of an agent, by its plugin; and which trees stand today under which keys."""

    def __init__(self, root: Path, store: Path, registry: Registry) -> None:
        self._root = root
        self._registry = registry
        self._made: dict[str, Agent | None] = {}
        self.today: set[tuple[str, str]] = set()
        try:
            runs = runs_today(root, store, registry)
        except SelftuneError:
            runs = []
        for run in runs:
            self._made.setdefault(str(run.agent.identity.get("plugin")), run.agent)
            self.today.update((spec.key, spec.staged.tree) for spec in run.specs)

    def of(self, plugin: str) -> Agent | None:
        """The agent that reads the answers of this plugin; None where it is not installed."""
        if plugin not in self._made:
            self._made[plugin] = self._make(plugin)
        return self._made[plugin]

    def _make(self, plugin: str) -> Agent | None:
        kind = AGENTS.get(plugin) or self._registry.agents.get(plugin)
        definition = AgentDefinition(type=plugin, argv=("true",)) if plugin == "command" else None
        try:
            return kind.make(AgentSettings(plugin, definition, None, self._root)) if kind is not None else None
        except SelftuneError:
            return None


def _by_key(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.kind is Kind.ARCHIVE:
            found.setdefault(entry.folder, []).append(entry)
    return found


def _group(store: Path, folder: str, entries: Iterable[Entry], readers: _Readers) -> _Group:
    key = f"sha256:{folder[-64:]}"
    read = read_asked(read_bounded(store / folder / KEY_NAME, KEY_JSON_BYTES) or b"")
    inputs = read if read is not None and is_asked(read, key) else None
    samples: list[_Sample] = []
    for entry in entries:
        try:
            archive = read_packed(store / entry.path, Archive)
        except (OSError, DamagedRecord, NewerRecord):
            continue
        one = held(entry.path, archive, inputs or {}, readers.of(str((inputs or {}).get("agent plugin"))))
        price = Decimal(0) if is_free(inputs or {}) else price_of(archive.cost)
        samples.append(_Sample(entry, one, price, _about(archive)))
    return _Group(Question(key, inputs, tuple(each.held for each in samples)), tuple(samples))


def _about(archive: Archive) -> str:
    return str(archive.request.get("prompt") or archive.request.get("run") or "")


def _reasons(groups: Sequence[_Group], demand: Needs, readers: _Readers, records: RecordStore) -> dict[str, str]:
    """Path of a sample → why it stays."""
    rows = rows_by_agent(demand.rows)
    found: dict[str, str] = {}
    matched: set[str] = set()
    for group in groups:
        for path, reason in _certain(group.question, demand, readers):
            found.setdefault(path, reason)
        if group.question.is_plain and group.question.agent in rows:
            for evidence, paths in behind(group.question, rows[group.question.agent]).items():
                matched.add(evidence)
                found.update(dict.fromkeys(paths, "a lock needs it"))
    for group in groups:
        question = group.question
        if question.is_plain and question.agent in rows and _may_be(question, rows[question.agent], matched, records):
            for sample in question.samples:
                found.setdefault(sample.path, "a lock may need it: the evidence of its row could not be formed again")
    return found


def _certain(question: Question, demand: Needs, readers: _Readers) -> Iterator[tuple[str, str]]:
    for sample in question.samples:
        if (question.key, sample.staged) in readers.today:
            yield sample.path, "the workspace stands as it was staged"
        elif demand.opaque:
            yield sample.path, "a lock cannot be read, and may need it"
        elif not question.is_plain:
            yield sample.path, "what was asked is not a question that rows ask"
        elif sample.digest is None:
            yield sample.path, "its answer cannot be read here: the plugin of its agent is missing"


def _may_be(question: Question, rows: Rows, matched: set[str], records: RecordStore) -> bool:
    def names_in(tree: str) -> frozenset[str] | None:
        record = records.read(tree)
        return None if record is None else frozenset(record)

    askers = {asker for evidence, those in rows.askers.items() if evidence not in matched for asker in those}
    return any(could_be_behind(question, package, arm, names_in) for package, arm in askers)


def _is_older(each: Garbage, recorded: dict[str, int], days: int) -> bool:
    """By what it says and by its file, whichever is later: a sample that came from elsewhere is as old as it is here."""
    return age_s(max(each.changed_ns, recorded.get(each.path, 0))) > days * _DAY_S


def _recorded_ns(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text).astimezone(UTC).timestamp()) * 10**9
    except (ValueError, OverflowError):
        return 0
