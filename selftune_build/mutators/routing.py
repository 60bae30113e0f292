"""The mutator `deterministic`: rows of the table by which a SKILL.md leads requests to its files; every column is kept."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from selftune_build.agents.embedded.vocabulary import stem_set, weight
from selftune_build.limits import DRAFTED_TEXT_CHARACTERS, MUTATED_CASES
from selftune_build.model.package import SKILL_FILE
from selftune_build.mutators.protocol import CaseEvidence, Edit, Mutator, Overlay, PackageView
from selftune_build.mutators.table import Row, Table, tables, with_rows
from selftune_build.mutators.telling import told
from selftune_build.mutators.words import telling_words
from selftune_build.reading.patch_lines import split_lines
from selftune_build.reading.skill import read_skill

WORDS = 4
BODY = frozenset({"body"})
_REQUEST = re.compile(r"\b(trigger|when|if|user|says?|ask|request|situation|task|need|intent|prompt|want|keyword)", re.IGNORECASE)
_TARGET = re.compile(r"\b(workflow|file|read|see|reference|go to|open|load|script|guide|document)", re.IGNORECASE)

Rows = tuple[Row, ...]


class Routing(Struct, frozen=True):
    """The routing table of a SKILL.md: its lines, the table, which column says when and which says where to."""

    lines: list[str]
    table: Table
    request: int
    target: int


def propose(view: PackageView, evidence: tuple[CaseEvidence, ...], seed: int) -> Iterator[Overlay]:
    """For each case that failed or was missed the row it belongs to with its words, then a row of its own; then rows that lead
    to the same as one row, and the rows of such cases first. The seed decides which case comes first."""
    routing = routing_of(view)
    if routing is None:
        return
    seen = {routing.table.rows}
    for rows, reason in _edits(view, routing, evidence, seed):
        if rows not in seen:
            seen.add(rows)
            content = "".join(with_rows(routing.lines, routing.table, rows)).encode()
            yield Overlay((Edit(SKILL_FILE, content),), view.tree, reason, BODY)


def routing_of(view: PackageView) -> Routing | None:
    """The first table of the body whose one column says when and another which file to turn to; None where there is none."""
    content = view.files[SKILL_FILE]
    try:
        lines = [line.decode() for line in split_lines(content)]
    except UnicodeDecodeError:
        return None
    if b"\r" in content.replace(b"\r\n", b""):
        return None  # a carriage return alone is a line of its own to the parser
    start = read_skill(content, SKILL_FILE, view.name).skill.body_line - 1
    for table in tables(lines[start:]):
        columns = _columns(view, table)
        if columns is not None:
            whole = Table(table.first + start, table.head, table.rows)
            return Routing(lines, whole, *columns)
    return None


def _columns(view: PackageView, table: Table) -> tuple[int, int] | None:
    """The columns of requests and of targets. A file of the package in a cell says more than the word above it."""
    width = range(len(table.head.cells))
    named = [sum(_file_of(view.files, row.text(column)) is not None for row in table.rows) for column in width]
    target = max(width, key=lambda column: (named[column], bool(_TARGET.search(table.head.text(column))), -column), default=0)
    if not table.rows or not (named[target] or _TARGET.search(table.head.text(target))):
        return None
    others = [column for column in width if column != target]
    asked = [column for column in others if _REQUEST.search(table.head.text(column))]
    found = (asked or (others if named[target] else []))[:1]
    return (found[0], target) if found and all(found[0] < len(row.cells) for row in table.rows) else None


def _file_of(files: Mapping[str, bytes], cell: str) -> str | None:
    return next(
        (path for path in sorted(files) if path != SKILL_FILE and (path in cell or posixpath.basename(path) in cell)), None
    )


def _edits(view: PackageView, routing: Routing, evidence: Sequence[CaseEvidence], seed: int) -> Iterator[tuple[Rows, str]]:
    rows = routing.table.rows
    wrong = [case for case in evidence if case.should_trigger is not False and (case.failed or case.missed)]
    first = seed % len(wrong) if wrong else 0
    placed = [(case, _home(view, routing, case)) for case in [*wrong[first:], *wrong[:first]][:MUTATED_CASES]]
    homes = [(case, home) for case, home in placed if home is not None]
    for case, home in homes:
        wider = _wider(routing, rows[home], case)
        yield (*rows[:home], wider, *rows[home + 1 :]), f"{told([case])}: its words go into the row it belongs to"
    for case, home in homes:
        added = _own(routing, rows[home], case)
        yield (*rows[: home + 1], added, *rows[home + 1 :]), f"{told([case])}: a row of its own, beside the one it belongs to"
    merged = _merged(routing)
    yield merged, f"{len(rows) - len(merged)} rows lead where another one leads: they become one"
    order = list(dict.fromkeys(home for _, home in homes))
    moved = (*(rows[home] for home in order), *(row for number, row in enumerate(rows) if number not in order))
    yield moved, f"{told([case for case, _ in homes])}: their rows come first"


def _home(view: PackageView, routing: Routing, case: CaseEvidence) -> int | None:
    """The row that has most in common with a prompt, by itself and by the file it leads to; None where none has anything."""
    asked = stem_set(case.prompt)
    scores = [weight(asked & stem_set(_about(view, routing, row))) for row in routing.table.rows]
    best = max(range(len(scores)), key=lambda number: (scores[number], -number))
    return best if scores[best] else None


def _about(view: PackageView, routing: Routing, row: Row) -> str:
    file = _file_of(view.files, row.text(routing.target))
    text = view.files[file][:DRAFTED_TEXT_CHARACTERS].decode("utf-8", "replace") if file is not None else ""
    return " ".join([*(row.text(column) for column in range(len(row.cells))), text])


def _wider(routing: Routing, row: Row, case: CaseEvidence) -> Row:
    """The row with the words of a prompt that its request does not have."""
    request = row.text(routing.request)
    words = telling_words([case.prompt], stem_set(request), WORDS)
    return row.with_text(routing.request, ", ".join([*([request] if request else []), *words])) if words else row


def _own(routing: Routing, row: Row, case: CaseEvidence) -> Row:
    """A row like this one for the words of a prompt alone."""
    words = telling_words([case.prompt], frozenset(), WORDS)
    return row.with_text(routing.request, ", ".join(words)) if words else row


def _merged(routing: Routing) -> Rows:
    """Rows that differ in the request alone become the first of them."""
    kept: dict[tuple[str, ...], Row] = {}
    for row in routing.table.rows:
        rest = tuple(row.text(column) for column in range(len(row.cells)) if column != routing.request)
        before = kept.get(rest)
        texts = [before.text(routing.request), row.text(routing.request)] if before is not None else []
        kept[rest] = row if before is None else before.with_text(routing.request, ", ".join(dict.fromkeys(filter(None, texts))))
    return tuple(kept.values())


DETERMINISTIC = Mutator("deterministic", propose, summary="rows of the routing table: widened, added, merged, reordered")
