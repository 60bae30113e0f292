"""The table of cases: a case a line with both its arms, failing ones first, its transcripts folded below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from selftune_build.escape import one_line
from selftune_build.limits import EVIDENCE_CHARACTERS
from selftune_build.model.case import Arm, Case
from selftune_build.model.report import PackageReport, RowReport, RowState
from selftune_build.report.cells import name
from selftune_build.report.html.markup import Markup, joined, tag

STATES = (RowState.FAILED, RowState.UNDECIDED, RowState.MISSING, RowState.HELD)
MARKS = {RowState.HELD: "✓", RowState.FAILED: "✗", RowState.UNDECIDED: "?", RowState.MISSING: "–"}
_COLUMNS = (("case", "t"), ("state", "s"), ("triggered", "n"), ("passed", "n"), ("passed", "n"))
"""Titles, and how they are sorted: as text, by state, as numbers. The last one is without the skill."""


class Entry(Struct, frozen=True):
    """One case: the row that counts, and the one without the skill where there is one."""

    row: RowReport
    without: RowReport | None = None


def entries(rows: Iterable[RowReport]) -> list[Entry]:
    """The cases of a package, failing ones first, else in their order."""
    found: dict[tuple[str, bool], Entry] = {}
    for row in rows:
        key = (row.case, row.arm == Arm.SCRIPT)
        before = found.get(key)
        found[key] = Entry(row) if before is None else Entry(before.row, row)
    return sorted(found.values(), key=lambda entry: STATES.index(entry.row.state))


def case_table(package: PackageReport, shown: list[Entry], transcripts: Mapping[str, Markup], place: str) -> Markup:
    """The table of these cases; `transcripts` by target of the first row, `place` starts the ids of lines."""
    cases = package.detail.cases if package.detail is not None else {}
    columns = [tag("th", title, scope="col", data_sort=kind) for title, kind in _COLUMNS]
    arms = [tag("td"), tag("th", "with the skill", scope="colgroup", colspan="3"), tag("th", "without", scope="colgroup")]
    lines = [
        _lines(entry, cases.get(entry.row.target), transcripts.get(entry.row.target), f"{place}-{number}")
        for number, entry in enumerate(shown, 1)
    ]
    table = tag("table", tag("thead", tag("tr", *arms, class_="arms-head"), tag("tr", *columns)), *lines, class_="cases")
    return tag("div", table, class_="scroll")


def _lines(entry: Entry, case: Case | None, transcripts: Markup | None, place: str) -> Markup:
    row = entry.row
    first = tag("tr", _head(row), _state(row), _share(row.triggered, row), _share(row.passed, row), _other(entry.without))
    prompt = one_line(" ".join(asked_of(case).split()), EVIDENCE_CHARACTERS) if case is not None else ""
    if transcripts is not None:
        told = tag("details", tag("summary", tag("span", prompt or "transcript", class_="prompt")), transcripts)
    else:
        told = tag("span", prompt, class_="prompt") if prompt else Markup("")
    second = tag("tr", tag("td", told, colspan=str(len(_COLUMNS))), class_="more") if told else None
    return tag("tbody", first, second, id=place, data_state=row.state.value)


def asked_of(case: Case) -> str:
    """What was asked: the prompt, or the command of a script."""
    return case.prompt or " ".join(case.run)


def _head(row: RowReport) -> Markup:
    kind = "script" if row.arm == Arm.SCRIPT else _WANTED[row.should_trigger]
    return tag("th", tag("span", name(row.case), class_="id"), tag("span", kind, class_="kind") if kind else None, scope="row")


_WANTED = {True: "should trigger", False: "should not trigger", None: ""}


def _state(row: RowReport) -> Markup:
    n = tag("span", f"n {row.n}", class_="kind") if row.n else None
    taken = tag("span", "accepted", class_="kind") if row.accepted else None
    return tag("td", badge(row.state.value, MARKS[row.state]), n, taken, data_key=str(STATES.index(row.state)))


def badge(word: str, mark: str) -> Markup:
    """A word of ours with its sign; the colour goes by the word and says nothing that they do not."""
    return tag("span", tag("span", mark, aria_hidden="true"), joined([" ", word]), class_=f"badge {word}")


def _other(row: RowReport | None) -> Markup:
    """Without the skill nothing has to hold, so its state is told only where there is nothing to count."""
    if row is None or row.state is RowState.HELD:
        return _share(None if row is None else row.passed, row)
    return tag("td", badge(row.state.value, MARKS[row.state]), data_key="-1")


def _share(count: int | None, row: RowReport | None) -> Markup:
    """`2/3`, in samples."""
    if count is None or row is None or row.n == 0:
        return tag("td", "–", class_="number none", data_key="-1")
    return tag("td", f"{count}/{row.n}", class_="number", data_key=f"{count / row.n:.4f}")
