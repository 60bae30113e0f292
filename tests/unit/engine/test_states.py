"""The states of a target: the drawing in docs/architecture.md and the function agree."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from selftune_build.engine.states import Event, advance
from selftune_build.model.report import TargetState

DRAWING = (Path(__file__).parents[3] / "docs" / "architecture.md").read_text(encoding="utf-8")


def drawn() -> dict[tuple[TargetState, Event], TargetState]:
    """Every arrow of the drawing that an event belongs to."""
    arrows = re.findall(r"^  (\w+) --> (\w+): (.+)$", DRAWING, re.MULTILINE)
    found = {}
    for before, after, label in arrows:
        for word in re.findall(r"answered|refused|broke|held back|stopped", label):
            key = (TargetState(before.replace("_", "-")), Event(word.replace(" ", "-")))
            found[key] = TargetState(after.replace("_", "-"))
    return found


def test_the_drawing_has_every_event() -> None:
    assert {event for _, event in drawn()} == set(Event)


@pytest.mark.parametrize(("state", "event"), list(product(TargetState, Event)))
def test_every_arrow_is_taken_and_no_other(state: TargetState, event: Event) -> None:
    expected = drawn().get((state, event))
    if expected is not None:
        assert advance(state, event) is expected
    else:
        with pytest.raises(ValueError, match="cannot be"):
            advance(state, event)
