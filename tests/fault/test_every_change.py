"""A fault at every change of a file that a command makes, and at every read: what it leaves is old or new, never a third thing.

The oracle after each fault: the same again succeeds, the store is sound or mended, nothing that was answered is asked again, and
all that was to be written is byte for byte what an undisturbed run writes.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.fault.course import Course
from tests.fault.errands import ERRANDS, Errand
from tests.fault.faulty import FULL, Ran

KILLS = ("KILL", "TEAR")
REFUSALS = ("SHORT", "ENOSPC", "EIO", "EROFS", "EACCES", "EMFILE", "EDQUOT")


def hit(track: Course, fault: str, number: int, **how: Any) -> None:
    """One fault, and the oracle."""
    spot, point = track.fresh(), (track.errand.name, fault, number, how)
    ran = spot.selftune(*track.errand.words(spot), fault=fault, number=number, **how)
    assert ran.struck, point
    context = (point, ran.struck, ran)
    if fault in KILLS:
        assert ran.status == -9, context
    elif ran.status != 0:
        assert_told(ran, fault, context)
    track.assert_old_or_new(spot, context)
    if ran.status == 0:
        assert track.units(spot) == track.new, context
    track.settle(spot, context)
    assert spot.answers() >= (track.kept if track.errand.gives_up else track.paid_before), context


def assert_told(ran: Ran, fault: str, context: object) -> None:
    """A machine that refuses is no bad input: exit status 4 with the reason, or 3 where an agent could not be asked."""
    assert ran.status in (3, 4), context
    reason = os.strerror(getattr(errno, {"SHORT": "ENOSPC"}.get(fault, fault)))
    assert reason in ran.said or "cannot be listed" in ran.said or "is missing or damaged" in ran.said, context


def numbers(last: int, seed: str, wanted: int) -> Sequence[int]:
    """Which of the changes 1 to `last` are hit: always the same ones, others for another seed."""
    return range(1, last + 1) if FULL else sorted(random.Random(seed).sample(range(1, last + 1), min(last, wanted)))


each_errand = pytest.mark.parametrize("errand", ERRANDS, ids=lambda errand: errand.name)


@pytest.mark.slow
@each_errand
@pytest.mark.parametrize("fault", KILLS)
def test_a_kill_at_any_change_leaves_old_or_new(course: Callable[[Errand], Course], errand: Errand, fault: str) -> None:
    track = course(errand)
    for number in numbers(track.changes, fault + errand.name, 8):
        hit(track, fault, number)


@pytest.mark.slow
@each_errand
@pytest.mark.parametrize("fault", REFUSALS)
@pytest.mark.parametrize("sticky", [False, True], ids=["once", "sticky"])
def test_a_refused_change_is_told_and_costs_nothing(
    course: Callable[[Errand], Course], errand: Errand, fault: str, sticky: bool
) -> None:
    track = course(errand)
    for number in numbers(track.changes, f"{fault} {sticky} {errand.name}", 1 if sticky else 2):
        hit(track, fault, number, sticky=sticky)


@pytest.mark.slow
@each_errand
def test_a_failed_read_is_told_and_never_taken_for_nothing_there(course: Callable[[Errand], Course], errand: Errand) -> None:
    track = course(errand)
    spot = track.fresh()
    reads = spot.selftune(*errand.words(spot), fault="EIO", reads=True, fresh=False).seen
    for number in numbers(reads, errand.name, 4):
        hit(track, "EIO", number, reads=True)


@pytest.mark.parametrize("name", ["build", "publish", "pull"])
def test_halfway_it_is_so_too(course: Callable[[Errand], Course], name: str) -> None:
    """The quick part of the above."""
    track = course(next(errand for errand in ERRANDS if errand.name == name))
    for fault in ("KILL", "ENOSPC"):
        hit(track, fault, track.changes // 2)
