"""An errand that is run again and again with faults, and the oracle."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from tests.fault.errands import Errand, Spot, findings
from tests.fault.faulty import Faulty


class Course:
    """One errand, made ready once and run undisturbed once."""

    def __init__(self, errand: Errand, folder: Path, faulty: Faulty) -> None:
        self.errand, self.folder, self.faulty = errand, folder, faulty
        spot = Spot(folder / "spot", faulty)
        errand.prepare(spot)
        self.old, self.paid_before = self.units(spot), spot.answers()
        spot.folder.rename(folder / "template")
        plain = self.fresh()
        ran = plain.selftune(*errand.words(plain), fault="KILL", fresh=False)
        assert ran.status == 0, ran
        self.changes, self.new = ran.seen, self.units(plain)
        if errand.again is not None:
            plain.done(*errand.again(plain))
        self.last, self.calls, self.kept = self.units(plain) | self.ends(plain), plain.workspace.calls(), plain.answers()

    def fresh(self) -> Spot:
        """A copy of what was made ready, always in the same place."""
        spot = self.folder / "spot"
        shutil.rmtree(spot, ignore_errors=True)
        shutil.copytree(self.folder / "template", spot, symlinks=True)
        return Spot(spot, self.faulty)

    def units(self, spot: Spot) -> dict[str, object]:
        return {name: unit(spot) for name, unit in self.errand.units.items()}

    def ends(self, spot: Spot) -> dict[str, object]:
        return {name: unit(spot) for name, unit in self.errand.ends.items()}

    def assert_old_or_new(self, spot: Spot, context: object) -> None:
        for name, content in self.units(spot).items():
            known = content in (self.old[name], self.new[name])
            # A build that could not go on writes the rows that hold and drops the others; that must not look like a pass.
            assert known or (name == "lock" and spot.build("verify", "--locked").status in (1, 3)), (name, content, context)

    def settle(self, spot: Spot, context: object, lost: Counter[str] | None = None) -> None:
        """The oracle: the same again succeeds, nothing is asked again but what was `lost`, all is as it would have been."""
        again = spot.selftune(*(self.errand.again or self.errand.words)(spot))
        assert again.status == 0, (context, again)
        assert_same(spot, self.units(spot) | self.ends(spot), self.last, context)
        calls = spot.workspace.calls()
        assert self.calls <= calls <= self.calls + (lost or Counter()), (calls, context)
        spot.done("store", "fsck", "--repair")
        assert not list(findings(spot)), context
        if "build" in self.errand.words(spot):
            assert spot.done("build", "-y")["spend"]["agent_calls"] == 0, context


def assert_same(spot: Spot, found: dict[str, object], wanted: dict[str, object], context: object) -> None:
    """Byte for byte; but an answer that outlived the folder it was given in counts as one that read everything."""
    for name, content in found.items():
        if name == "lock" and isinstance(content, bytes) and b'"gardening:*"' in content and content != wanted[name]:
            assert spot.build("verify", "--locked").status == 0, context
        else:
            assert content == wanted[name], (name, context)
