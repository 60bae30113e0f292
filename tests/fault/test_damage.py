"""Files that were cut short or had a bit turned: found and told, moved aside where they were paid for, and never believed.

The readers see every byte at which a file can end and ten thousand turned bits; the real command sees some of them (every byte,
where that is asked for).
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from selftune_build.store.archive import Archive, DamagedRecord, decode
from tests.fault.errands import Spot, built, findings, publish, publish_words, pull, pull_words, recover
from tests.fault.faulty import FULL, Faulty

FLIPS = 500 if FULL else 4
CUTS = 4
"""Of each file, beside its beginning and its end, where not every byte is tried."""

NOTE_AND_RECALL = """
import contextlib, io, os, random, sys, time
from selftune_build.__main__ import main
from selftune_build.store.state import recall
place, arguments = sys.argv[1], ["-C", sys.argv[2], "-y"]
time.sleep(2.2)
with contextlib.redirect_stdout(io.StringIO()):
    main(["build", *arguments])
    (name,) = [each for each in os.listdir(place) if each.endswith(".state")]
    path = os.path.join(place, name)
    whole, times = open(path, "rb").read(), os.stat(path).st_mtime_ns
    known = recall(arguments)
    def damaged(content):
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, ns=(times, times))
        return recall(arguments)
    cuts = [damaged(whole[:size]) for size in range(len(whole))]
    chance, flips = random.Random(4), []
    for _ in range(10_000):
        at, bit = chance.randrange(len(whole)), chance.randrange(8)
        flips.append(damaged(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]))
    again = damaged(whole)
print(known is not None and known == again, len(cuts), [each for each in cuts + flips if each not in (None, known)])
"""


def damages(content: bytes, seed: str) -> Iterator[tuple[str, bytes]]:
    """A file cut short, and with a bit turned; the same ones each time."""
    chance = random.Random(seed)
    cuts = range(len(content)) if FULL else {0, 1, len(content) - 1, *(chance.randrange(len(content)) for _ in range(CUTS))}
    yield from ((f"cut at {size}", content[:size]) for size in sorted(cuts))
    for _ in range(FLIPS):
        at, bit = chance.randrange(len(content)), chance.randrange(8)
        yield f"bit {bit} of byte {at}", content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


@dataclass(frozen=True)
class Ward:
    """A spot that is damaged again and again: files by a glob below it, the command, what may be asked anew."""

    prepare: Callable[[Spot], None]
    files: str
    words: tuple[str, ...] = ("build", "-y", "-j", "1")
    forget_lock: bool = True
    asked_anew: int = 0


WARDS = {
    "archive": Ward(built, "store/samples/*/*/*.zst", asked_anew=1),
    "archive-behind-a-lock": Ward(built, "store/samples/*/*/*.zst", forget_lock=False),
    "call": Ward(recover, "store/samples/*/*/*.wip", asked_anew=1),
    "key": Ward(built, "store/samples/*/*/key.json"),
    "records": Ward(built, "store/records/*/*.json"),
    "explanations": Ward(built, "store/index/*.sqlite"),
    "marks": Ward(built, "store/.gitignore"),
    "lock": Ward(built, "gardening/selftune.lock", forget_lock=False),
}


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory, faulty: Faulty) -> Callable[[Callable[[Spot], None]], Callable[[], Spot]]:
    """Makes a spot ready once and hands out copies of it, always in the same place."""
    made: dict[str, Path] = {}

    def of(prepare: Callable[[Spot], None]) -> Callable[[], Spot]:
        if prepare.__name__ not in made:
            folder = tmp_path_factory.mktemp(prepare.__name__)
            prepare(Spot(folder / "spot", faulty))
            (folder / "spot").rename(folder / "template")
            made[prepare.__name__] = folder
        folder = made[prepare.__name__]

        def fresh() -> Spot:
            shutil.rmtree(folder / "spot", ignore_errors=True)
            shutil.copytree(folder / "template", folder / "spot", symlinks=True)
            return Spot(folder / "spot", faulty)

        return fresh

    return of


def test_no_cut_and_no_turned_bit_makes_a_state_say_something_else(tmp_path: Path, faulty: Faulty) -> None:
    spot = Spot(tmp_path / "spot", faulty)
    built(spot)
    shutil.rmtree(spot.workspace.store / "index")
    words = [sys.executable, "-c", NOTE_AND_RECALL, str(spot.workspace.store / "index"), str(spot.workspace.root)]
    done = subprocess.run(words, env=spot.workspace.environment(), capture_output=True, text=True, check=True, cwd=tmp_path)
    recalled, cuts, others = done.stdout.split(maxsplit=2)
    assert (recalled, int(cuts) > 1000, others.strip()) == ("True", True, "[]")


def test_no_cut_and_no_turned_bit_makes_another_sample_of_an_archive(tmp_path: Path, faulty: Faulty) -> None:
    spot = Spot(tmp_path / "spot", faulty)
    built(spot)
    (path,) = spot.workspace.store.glob("samples/*/*/*.zst")
    content = path.read_bytes()
    whole = decode(content, Archive)
    turned = (
        content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :] for at in range(len(content)) for bit in range(8)
    )
    for damaged in (*(content[:size] for size in range(len(content))), *turned):
        try:
            assert decode(damaged, Archive) == whole
        except DamagedRecord:
            continue


@pytest.mark.slow
@pytest.mark.parametrize("name", WARDS)
def test_a_damaged_file_is_healed_or_moved_aside_and_costs_at_most_itself(
    ready: Callable[[Callable[[Spot], None]], Callable[[], Spot]], name: str
) -> None:
    ward = WARDS[name]
    fresh = ready(ward.prepare)
    sound = fresh()
    sound.done(*ward.words)
    lock, calls = sound.workspace.lock(), sound.workspace.calls()
    (first, *_) = sorted(fresh().folder.glob(ward.files))
    for what, content in damages(first.read_bytes(), name):
        spot, context = fresh(), (name, what)
        if ward.forget_lock:
            (spot.workspace.root / "selftune.lock").unlink(missing_ok=True)
        first.write_bytes(content)
        if name == "lock":
            assert spot.build("verify", "--locked").status in (1, 2, 3), context
        ran = spot.selftune(*ward.words)
        if name == "call":  # nothing tells a turned bit of an answer that is on its way from another answer
            assert ran.status in (0, 1, 3), (context, ran)
        else:
            assert (ran.status, spot.workspace.lock() == lock) == (0, True), (context, ran)
        anew = spot.workspace.calls() - calls
        assert sum(anew.values()) <= ward.asked_anew, context
        if anew and name == "archive":
            aside = [path.read_bytes() for path in spot.folder.glob(f"{ward.files}.corrupt-*")]
            assert aside == [content], context
        if anew and name == "call":
            assert_kept(spot, content, context)
        spot.done("store", "fsck", "--repair")
        assert not list(findings(spot)), context


def assert_kept(spot: Spot, content: bytes, context: object) -> None:
    """What came back and was not used is not gone: aside, or in the record of a failed attempt. A torn question has no answer."""
    answered = b"\n" in content or b'"output"' in content
    kept = [*spot.workspace.store.glob("samples/*/*/*.corrupt-*"), *spot.workspace.store.glob("samples/*/*/*.err.zst")]
    assert not answered or kept, context


@pytest.mark.slow
@pytest.mark.parametrize("files", ["skills/.selftune/receipts/*.json", "skills/.selftune/archives/*.skill", "out/*"])
def test_what_is_installed_stays_whole_whatever_happens_to_what_is_known_of_it(
    ready: Callable[[Callable[[Spot], None]], Callable[[], Spot]], files: str
) -> None:
    fresh = ready(publish)
    sound = fresh()
    old = (sound.folder / "skills/gardening/SKILL.md").read_bytes()
    words = publish_words(sound)
    sound.done(*words)
    new = (sound.folder / "skills/gardening/SKILL.md").read_bytes()
    for path in sorted(fresh().folder.glob(files)):
        for what, content in damages(path.read_bytes(), path.name):
            spot, context = fresh(), (path.name, what)
            path.write_bytes(content)
            ran = spot.selftune(*words)
            assert ran.status in (0, 2, 4), (context, ran)
            there = (spot.folder / "skills/gardening/SKILL.md").read_bytes()
            assert there == (new if ran.status == 0 else old), (context, ran)
            if ran.status:
                assert str(spot.folder / "skills") in ran.said, (context, ran)
                spot.done(*words, "--force")
                assert (spot.folder / "skills/gardening/SKILL.md").read_bytes() == new, context
            assert (
                spot.selftune(
                    "publish", "--check", str(spot.folder / "out/gardening.skill"), "--key", str(spot.keys / "k.pub")
                ).status
                == 0
            )


@pytest.mark.slow
def test_an_envelope_of_a_pulled_sample_that_was_cut_costs_no_sample(tmp_path: Path, faulty: Faulty) -> None:
    spot = Spot(tmp_path / "spot", faulty)
    pull(spot)
    spot.done(*pull_words(spot))
    (path,) = spot.workspace.store.glob("samples/*/*/*.dsse")
    whole = path.read_bytes()
    for what, content in damages(whole, "envelope"):
        path.write_bytes(content)
        spot.done("store", "fsck", "--repair")
        assert not list(findings(spot)), what
        assert spot.done("build", "-y")["spend"]["agent_calls"] == 0, what
    assert Counter(spot.workspace.calls()) == Counter({call: 1 for call in spot.workspace.calls()})
    assert json.loads(whole)
