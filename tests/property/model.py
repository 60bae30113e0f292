"""What has to be asked after an edit, from the tree and the agent's own ledger alone.

Written from the promises, not from the product: a sample belongs to a question (prompt, and name and description of every
skill on offer); samples of one question that were staged from one tree are a cohort; a cohort fits while all that any of its
samples saw is as it was; what the fitting cohorts saw together is U, and the samples that count are those that were staged with
today's U. A row of the lock that is still about today stays as it is and needs no sample, unless the store shows that it rests
on a cohort which does not count any more because an older one, which saw more, fits again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.property.skills import Case, Skill, Tree

Facets = Mapping[str, str]
Question = tuple[str, tuple[tuple[str, str], ...]]
Address = tuple[str, str, str]
"""Package, case, arm."""


def facets(tree: Tree, names: Iterable[str]) -> dict[str, str]:
    """What there is to see of these packages once one is active: text by name, white space at line ends left out."""
    found = {}
    for name in names:
        found[f"{name}:body"] = tree[name].body
        found.update({f"{name}:file:{path}": text for path, text in tree[name].files().items()})
    return found


@dataclass(frozen=True)
class Sample:
    """One line of the ledger and the tree that it was staged from."""

    staged: tuple[tuple[str, str], ...]
    observed: frozenset[str]
    used: tuple[str, ...]
    answer: str


@dataclass(frozen=True)
class Wanted:
    """One row as it should stand today: what it asks, what is staged, how it is judged."""

    address: Address
    question: Question
    staged: tuple[tuple[str, str], ...]
    case: Case

    @property
    def judged_by(self) -> tuple[str | None, bool | None]:
        """The check, and the polarity where it matters."""
        return self.case.expected, self.case.should_trigger if self.address[2] == "with_skill" else None


@dataclass(frozen=True)
class Row:
    """One row of the lock: what it is about, and its counts."""

    question: Question
    judged_by: tuple[str | None, bool | None]
    observed: tuple[tuple[str, str | None], ...]
    samples: tuple[Sample, ...]

    def holds(self, wanted: Wanted) -> bool:
        """Whether it is about exactly what is wanted today."""
        today = dict(wanted.staged)
        same = (self.question, self.judged_by) == (wanted.question, wanted.judged_by)
        return same and all(today.get(name) == then for name, then in self.observed)


def wanted_rows(tree: Tree) -> Iterator[Wanted]:
    """Each case with its skill, and where it has a check also without."""
    for name, skill in tree.items():
        for case in skill.cases:
            yield _wanted(tree, name, case, "with_skill", list(tree))
            if case.expected is not None:
                yield _wanted(tree, name, case, "without_skill", [other for other in tree if other != name])


def _wanted(tree: Tree, package: str, case: Case, arm: str, offered: list[str]) -> Wanted:
    shown = tuple(sorted((name, tree[name].description) for name in offered))
    staged = tuple(sorted(facets(tree, offered).items()))
    return Wanted((package, case.id, arm), (case.prompt, shown), staged, case)


@dataclass
class Model:
    """Every sample that was paid for, and the rows that the locks hold."""

    needed: int
    samples: dict[Question, list[Sample]] = field(default_factory=dict)
    rows: dict[Address, Row] = field(default_factory=dict)

    def forget_locks(self, package: str) -> None:
        """The lock of a package is gone."""
        self.rows = {address: row for address, row in self.rows.items() if address[0] != package}

    def forget_samples(self, prompt: str) -> None:
        """The store no longer has what was answered to a prompt."""
        self.samples = {question: found for question, found in self.samples.items() if question[0] != prompt}

    def build(self, tree: Mapping[str, Skill], calls: Iterable[Mapping[str, Any]]) -> list[str]:
        """Follow one build by the calls that it made; what was wrong with them, in words, and nothing where all was right."""
        wanted = list(wanted_rows(tree))
        held = {row.address: self.rows[row.address] for row in wanted if self._held(row)}
        open_rows = [row for row in wanted if row.address not in held]
        faults = []
        for call in calls:
            question = (call["prompt"], tuple(sorted(call["shown"].items())))
            if not any(row.question == question and self._short(row) for row in open_rows):
                faults.append(f"asked for nothing: {question}")
            staged = tuple(sorted(facets(tree, call["shown"]).items()))
            self.samples.setdefault(question, []).append(_sample(call, staged))
        faults += [f"not asked: {row.address} {row.question}" for row in open_rows if self._short(row)]
        self.rows = held | {row.address: self._row(row) for row in open_rows}
        return faults

    def _held(self, wanted: Wanted) -> bool:
        row = self.rows.get(wanted.address)
        return row is not None and row.holds(wanted) and not self._overruled(row, wanted)

    def _overruled(self, row: Row, wanted: Wanted) -> bool:
        _, counted = self._counted(wanted)
        known = tuple(one for one in self.samples.get(row.question, []) if row.samples and one.staged == row.samples[0].staged)
        return len(counted) >= self.needed and counted != row.samples == known

    def _short(self, wanted: Wanted) -> bool:
        return len(self._counted(wanted)[1]) < self.needed

    def _row(self, wanted: Wanted) -> Row:
        observed, samples = self._counted(wanted)
        today = dict(wanted.staged)
        return Row(wanted.question, wanted.judged_by, tuple((name, today.get(name)) for name in observed), samples)

    def _counted(self, wanted: Wanted) -> tuple[list[str], tuple[Sample, ...]]:
        """U and the samples that count."""
        today = dict(wanted.staged)
        cohorts: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
        for sample in self.samples.get(wanted.question, []):
            cohorts.setdefault(sample.staged, []).append(sample)
        fitting = [found for staged, found in cohorts.items() if all(_same(staged, today, one.observed) for one in found)]
        union = sorted({name for cohort in fitting for sample in cohort for name in sample.observed})
        counted = [sample for cohort in fitting for sample in cohort if _same(sample.staged, today, union)]
        return union, tuple(counted)

    def lock(self, package: str) -> dict[str, dict[str, dict[str, Any]]]:
        """The counts that the lock of a package should hold: case, arm, row."""
        cases: dict[str, dict[str, dict[str, Any]]] = {}
        for (owner, case, arm), row in self.rows.items():
            if owner == package:
                cases.setdefault(case, {})[arm] = _counts(package, arm, row)
        return cases


def _sample(call: Mapping[str, Any], staged: tuple[tuple[str, str], ...]) -> Sample:
    bodies = {f"{name}:body" for name in call["used"]}
    read = {path.partition("/")[::2] for path in call["read"]}
    files = {f"{name}:file:{path}" for name, path in read if path != "SKILL.md"}
    return Sample(staged, frozenset(bodies | files), tuple(call["used"]), call["answer"])


def _same(staged: tuple[tuple[str, str], ...], today: Facets, names: Iterable[str]) -> bool:
    then = dict(staged)
    return all(then.get(name) == today.get(name) for name in names)


def _counts(package: str, arm: str, row: Row) -> dict[str, Any]:
    counts: dict[str, Any] = {"n": len(row.samples), "observed": [name for name, _ in row.observed]}
    if arm == "with_skill":
        counts["triggered"] = sum(package in sample.used for sample in row.samples)
    if row.judged_by[0] is not None:
        counts["passed"] = sum(row.judged_by[0] in sample.answer for sample in row.samples)
    return counts
