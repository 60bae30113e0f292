"""How gates name cases in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selftune_build.gates.outcomes import CaseOutcome
from selftune_build.limits import GATE_MESSAGE_CHARACTERS, GATE_NAME_CHARACTERS, GATE_NAMES_SHOWN
from selftune_build.model.case import Arm
from selftune_build.wording import listed


def plain(text: str, most: int = GATE_MESSAGE_CHARACTERS) -> str:
    """One line without control characters, cut where it is too long."""
    line = "".join(character if character.isprintable() else " " for character in text[: most + 1])
    return line if len(line) <= most else line[: most - 1] + "…"


def named(ids: Sequence[str]) -> str:
    """The first few ids, and how many more there are."""
    return listed([plain(each, GATE_NAME_CHARACTERS) for each in ids], GATE_NAMES_SHOWN)


def without_evidence(cases: Iterable[CaseOutcome], *arms: Arm) -> str:
    """A clause that names the cases that have no row in one of the arms; empty where all have."""
    ids = [case.id for case in cases if any(arm in case.missing for arm in arms)]
    return f"; no evidence for {named(ids)}" if ids else ""
