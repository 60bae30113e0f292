"""How gates name cases in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from selftune_build.gates.outcomes import CaseOutcome
from selftune_build.limits import GATE_MESSAGE_CHARACTERS, GATE_NAME_CHARACTERS, GATE_NAMES_SHOWN
from selftune_build.model.case import Arm


def plain(text: str, most: int = GATE_MESSAGE_CHARACTERS) -> str:
    """One line without control characters, cut where it is too long."""
    line = "".join(character if character.isprintable() else " " for character in text[: most + 1])
    return line if len(line) <= most else line[: most - 1] + "…"


def named(ids: Sequence[str]) -> str:
    """The first few ids, and how many more there are."""
    shown = ", ".join(plain(each, GATE_NAME_CHARACTERS) for each in ids[:GATE_NAMES_SHOWN])
    more = len(ids) - GATE_NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def without_evidence(cases: Iterable[CaseOutcome], *arms: Arm) -> str:
    """A clause that names the cases that have no row in one of the arms; empty where all have."""
    ids = [case.id for case in cases if any(arm in case.missing for arm in arms)]
    return f"; no evidence for {named(ids)}" if ids else ""


def counted(number: int, noun: str) -> str:
    """A number with its noun in the right form."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
