"""The candidates of one mutator, as text and as JSON."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from selftune_build.advice import command
from selftune_build.engine.mutating.proposing import Proposed
from selftune_build.escape import one_line
from selftune_build.exits import UNDECIDED, VERIFIED
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.model.package import Package
from selftune_build.mutators.protocol import CaseEvidence, Mutator
from selftune_build.report.document import envelope
from selftune_build.wording import counted

SCHEMA = "selftune.mutate/1"
_DIGITS = 12


class Mutation(Struct, frozen=True):
    """What came of asking one mutator about one package."""

    package: Package
    mutator: Mutator
    seed: int
    evidence: tuple[CaseEvidence, ...]
    proposed: tuple[Proposed, ...]
    paths: Mapping[bytes, Path]
    """Document of a candidate → where it was kept; nothing in a dry run."""
    here: Path
    place: str
    dry_run: bool = False
    questions: int = 0
    """Those that had no answer in the store."""
    price: str | None = None
    agents: tuple[str, ...] = ()
    calls: int = 0
    reused: int = 0

    @property
    def measured(self) -> bool:
        """Whether there is anything to go by."""
        return any(case.n for case in self.evidence)

    @property
    def exit_code(self) -> int:
        """3 where nothing was measured and so nothing proposed."""
        return VERIFIED if self.measured or self.proposed else UNDECIDED

    def measure(self, proposed: Proposed) -> str | None:
        """The command that measures a candidate; None where it was not kept."""
        path = self.paths.get(proposed.content) if not proposed.refusal else None
        if path is None:
            return None
        word = os.path.relpath(path, self.here)
        return command("build", "verify", self.package.handle, "--overlay", word, place=self.place)

    def next_command(self) -> str | None:
        """What to type where there is nothing to go by."""
        return None if self.measured else command("build", self.package.handle, place=self.place)


def text(result: Mutation) -> str:
    """Lines for people."""
    return "\n".join(one_line(line, MESSAGE_CHARACTERS) for line in _lines(result))


def document(result: Mutation) -> str:
    """One JSON document."""
    wrong = [case.id for case in result.evidence if case.missed or case.intruded or case.failed]
    return envelope(
        SCHEMA,
        result.exit_code,
        package={"name": result.package.name, "path": result.package.path, "tree": result.package.tree_digest},
        mutator={"id": result.mutator.id, "version": result.mutator.version},
        seed=result.seed,
        evidence={"cases": len(result.evidence), "measured": sum(case.n > 0 for case in result.evidence), "wrong": wrong},
        model_asked=bool(result.agents),
        agents=list(result.agents),
        spend={"calls": result.calls, "reused": result.reused, "missing": result.questions, "price": result.price},
        candidates=[_candidate(result, each) for each in result.proposed if not each.refusal],
        refused=[{"reason": each.candidate.reason, "refusal": each.refusal} for each in result.proposed if each.refusal],
        next_command=result.next_command(),
    )


def _candidate(result: Mutation, each: Proposed) -> dict[str, Any]:
    candidate, path = each.candidate, result.paths.get(each.content)
    return {
        "digest": candidate.digest,
        "parent": candidate.parent,
        "reason": candidate.reason,
        "surface": list(candidate.surface),
        "patch": each.content.partition(b"\n")[2].decode(),
        "path": str(path) if path is not None else None,
        "command": result.measure(each),
    }


def _lines(result: Mutation) -> Iterator[str]:
    wrong = sum(case.missed or case.intruded or case.failed for case in result.evidence)
    about = f"{counted(len(result.evidence), 'case')} that may be looked at, of which {wrong} went wrong"
    yield f"{result.package.handle}, mutator {result.mutator.id} {result.mutator.version}: {about}"
    if result.agents:
        yield _spent(result)
    for number, each in enumerate((each for each in result.proposed if not each.refusal), 1):
        yield f"{number}. {each.candidate.digest.rpartition(':')[2][:_DIGITS]} ({', '.join(each.candidate.surface)})"
        yield f"   {each.candidate.reason}"
        if (measure := result.measure(each)) is not None:
            yield f"   {measure}"
    for each in (each for each in result.proposed if each.refusal):
        yield f"refused: {each.refusal} ({each.candidate.reason})"
    if not result.measured:
        yield f"nothing was measured yet; next: {result.next_command()}"
    elif not result.proposed and not (result.dry_run and result.questions):
        yield "nothing to propose: no case went wrong in a way that this mutator mends"
    elif result.dry_run:
        yield "a dry run: no candidate was kept"


def _spent(result: Mutation) -> str:
    whom = ", ".join(result.agents)
    if result.dry_run:
        price = f", {result.price}" if result.price else ""
        return f"would ask {whom} {counted(result.questions, 'question')}{price}; nothing was asked or written"
    return f"asked {whom}: {counted(result.calls, 'call')}, {counted(result.reused, 'answer')} there already"
