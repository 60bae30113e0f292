"""Which samples of one static key the rows of locks speak of.

A row names its samples by one digest over their sorted digests, not one by one. So sets of samples that can have been counted
together are formed again, until one has that digest: unions of cohorts, and of each union what was there first. A row for which
none is found may rest on samples of another store, or on a set that cannot be formed again; then everything that it could
rest on is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from msgspec import Struct

from selftune_build.agents.protocol import Agent
from selftune_build.engine.judging.evidence import digest_of_samples, parse_script, sample_digest, transcript_of
from selftune_build.engine.upkeep.needs import Needed
from selftune_build.fingerprint.digest import digest_json
from selftune_build.limits import COHORTS_COMBINED
from selftune_build.model.case import Arm
from selftune_build.model.sample import Reply
from selftune_build.store.archive import Archive

_PLAIN = frozenset({"format", "prompt", "run", "stdin", "setup", "package", "skills", "profile", "timeout_s", "max_turns"})
_PLAIN_STARTS = ("agent ", "file ")


class Held(Struct, frozen=True):
    """A finished sample without its content. `digest` None: its answer cannot be parsed here."""

    path: str
    call_id: str
    index: int
    staged: str
    recorded: str
    digest: str | None


class Question(Struct, frozen=True):
    """The samples of one static key. `inputs` None: nothing says what was asked."""

    key: str
    inputs: dict[str, Any] | None
    samples: tuple[Held, ...]

    @property
    def identity(self) -> dict[str, Any]:
        """Of the agent that was asked, as locks carry it; empty for a script."""
        return {name[len("agent ") :]: value for name, value in (self.inputs or {}).items() if name.startswith("agent ")}

    @property
    def agent(self) -> str:
        """What `rows_by_agent` has its rows under."""
        return digest_json(self.identity) if self.identity else SCRIPTS

    @property
    def is_plain(self) -> bool:
        """Whether it is a question of a row and nothing that this module does not know, such as a question to a judge."""
        names = (self.inputs or {}).keys()
        return bool(names & {"skills", "package"}) and all(name in _PLAIN or name.startswith(_PLAIN_STARTS) for name in names)


def held(path: str, archive: Archive, inputs: Mapping[str, Any], agent: Agent | None) -> Held:
    """A sample as far as it is needed here; `agent` is whoever reads the answers of the one that was asked."""
    script = "package" in inputs
    parse: Callable[[bytes], Reply] | None = parse_script if script else agent.parse if agent is not None else None
    transcript = transcript_of(archive, parse, script=script) if parse is not None else None
    digest = None if transcript is None else sample_digest(archive.static_key, transcript)
    return Held(path, archive.call_id, archive.index, archive.staged, archive.recorded, digest)


class Rows(Struct, frozen=True):
    """The rows of all locks that asked one agent, or that ran scripts."""

    wanted: dict[str, int]
    """Evidence → how many samples it names."""
    askers: dict[str, set[tuple[str, str]]]
    """Evidence → package and arm of its rows."""


SCRIPTS = "scripts"
"""Stands for the agent that scripts have not."""


def rows_by_agent(rows: Iterable[Needed]) -> dict[str, Rows]:
    """Rows by the digest of the identity that they asked."""
    found: dict[str, Rows] = {}
    for each in rows:
        agent = SCRIPTS if each.arm == Arm.SCRIPT else digest_json(each.identity)
        group = found.setdefault(agent, Rows({}, {}))
        group.wanted[each.row.evidence] = each.row.n
        group.askers.setdefault(each.row.evidence, set()).add((each.package, each.arm))
    return found


def behind(question: Question, rows: Rows) -> dict[str, set[str]]:
    """Evidence of rows → paths of the samples it names, for those of the rows that samples of this key are behind."""
    found: dict[str, set[str]] = {}
    for samples in _sets([each for each in question.samples if each.digest is not None], set(rows.wanted.values())):
        evidence = digest_of_samples(str(each.digest) for each in samples)
        if rows.wanted.get(evidence) == len(samples):
            found.setdefault(evidence, set()).update(each.path for each in samples)
    return found


def could_be_behind(question: Question, package: str, arm: str, names_in: Callable[[str], frozenset[str] | None]) -> bool:
    """Whether a row of this package and arm could rest on some of these samples. `names_in` a tree: the skills staged."""
    if arm == Arm.SCRIPT:
        return bool((question.inputs or {}).get("package") == package)
    trees = [names_in(tree) for tree in {each.staged for each in question.samples}]
    return any(names is None or (package in names) == (arm == Arm.WITH_SKILL) for names in trees)


def _sets(samples: Sequence[Held], sizes: Iterable[int]) -> Iterator[Sequence[Held]]:
    """Sets that can have been counted together, of these sizes."""
    cohorts: dict[str, list[Held]] = {}
    for sample in samples:
        cohorts.setdefault(sample.staged, []).append(sample)
    for union in _unions(list(cohorts.values())):
        for order in (_by_index, _by_time):
            ordered = sorted(union, key=order)
            yield from (ordered[:size] for size in sizes if size <= len(ordered))


def _unions(cohorts: Sequence[list[Held]]) -> Iterator[list[Held]]:
    """Every union of some of them; where those are too many, of one, of two, and of all."""
    few = len(cohorts) <= COHORTS_COMBINED
    for count in range(1, len(cohorts) + 1) if few else sorted({1, 2, len(cohorts)}):
        for chosen in combinations(cohorts, count):
            yield [sample for cohort in chosen for sample in cohort]


def _by_index(sample: Held) -> tuple[int, str]:
    return sample.index, sample.call_id


def _by_time(sample: Held) -> tuple[str, int]:
    return sample.recorded, sample.index
