"""What selftune is asked to do while something fails, how it is asked again, and what may stand there in between."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cli.storing import keys
from tests.fault.faulty import Faulty, Ran
from tests.fault.workspace import Workspace

ONE_CASE = 'format: selftune.evals/1\ncases:\n  - {id: cabbage, prompt: "When do I sow cabbage?", should_trigger: true}\n'
TWO_CASES = ONE_CASE + '  - {id: leek, prompt: "Where do I plant leeks, and cabbage?", should_trigger: true}\n'
ROW = "gardening:replay[cabbage]"
PASSING = "gates: {trigger-recall: {min: 0.3}}\n"


class Spot:
    """A workspace with all that an errand needs, below one folder; copies of it are as good."""

    def __init__(self, folder: Path, faulty: Faulty) -> None:
        self.folder, self.faulty = folder, faulty
        self.workspace = Workspace(folder, samples=1, extra=PASSING)
        self.keys = folder / "keys"

    def selftune(self, *words: str, **fault: Any) -> Ran:
        """Any command; without a fault in a fork, which is faster."""
        where = [] if "-C" in words else ["-C", str(self.workspace.root)]
        fault = fault or {"fresh": False}
        return self.faulty.run([*words, *where], self.workspace.environment(), self.folder, **fault)

    def build(self, *words: str, **fault: Any) -> Ran:
        return self.selftune("build", "-y", "-j", "1", *words, **fault)

    def done(self, *words: str) -> dict[str, Any]:
        """A command that succeeds, and its document."""
        ran = self.selftune(*words, "--json")
        assert ran.status == 0, ran
        return dict(json.loads(ran.stdout))

    def edit(self, old: str, new: str) -> None:
        skill = self.workspace.root / "SKILL.md"
        text = skill.read_text()
        assert old in text
        skill.write_text(text.replace(old, new))

    def answers(self) -> set[bytes]:
        """Everything in the store that was paid for, under whatever name."""
        return {path.read_bytes() for path in self.workspace.store.rglob("*.zst*") if path.is_file() and path.name[0] != "."}


Unit = Callable[[Spot], object]
"""Something that is either as it was or as it shall be, never anything else."""


@dataclass(frozen=True)
class Errand:
    """`prepare` makes a spot ready, `words` is the command, `again` what is typed after a fault (None: the same)."""

    prepare: Callable[[Spot], None]
    words: Callable[[Spot], list[str]]
    units: dict[str, Unit]
    again: Callable[[Spot], list[str]] | None = None
    ends: dict[str, Unit] = field(default_factory=dict)
    """What only in the end is as it shall be."""
    gives_up: bool = False
    """Whether it is there to delete answers."""

    @property
    def name(self) -> str:
        return self.prepare.__name__


def file(name: str) -> Unit:
    """The bytes of a file, None where there is none."""

    def content(spot: Spot) -> object:
        path = spot.folder / name
        return path.read_bytes() if path.exists() else None

    return content


def tree(name: str) -> Unit:
    """The files of a folder with their content; hidden ones are being written, or were."""

    def content(spot: Spot) -> object:
        folder = spot.folder / name
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("[!.]*")) if path.is_file()}

    return content


def lock(spot: Spot) -> object:
    return file("gardening/selftune.lock")(spot)


def build(spot: Spot) -> None:
    """Two samples are missing."""
    (spot.workspace.root / "evals/cases.yaml").write_text(ONE_CASE)
    manifest = spot.workspace.root / "selftune.yaml"
    manifest.write_text(manifest.read_text().replace("{min: 1}", "{min: 1, confidence: 0.6}"))


def built(spot: Spot) -> None:
    """Everything is measured, and passes."""
    build(spot)
    spot.done("build", "-y")


def recover(spot: Spot) -> None:
    """A build was killed when its agent had answered and nobody had looked."""
    build(spot)
    trial = Spot(spot.folder.with_name("trial"), spot.faulty)
    build(trial)
    own = [step for step in trial.build(fault="KILL", trace=True).trace if step["own"]]
    syncs = [at for at, step in enumerate(own, 1) if step["name"] == "fsync" and step["paths"][0].endswith(".wip")]
    shutil.rmtree(trial.folder)
    assert spot.build(fault="KILL", number=syncs[1]).status == -9
    assert len(spot.workspace.ledger()) == len(spot.workspace.in_flight()) == 1


def fail(spot: Spot) -> None:
    """An agent that fails once, then answers."""
    build(spot)
    spot.workspace.behave({"mode": "report-error", "attempt": 0})


def publish_words(spot: Spot) -> list[str]:
    out, skills, key = (str(spot.folder / name) for name in ("out", "skills", "keys/k.pem"))
    return ["publish", "--out", out, "--to", skills, "--key", key]


def publish(spot: Spot) -> None:
    """A version is installed, and another is ready to be."""
    built(spot)
    keys(spot.keys)
    spot.done(*publish_words(spot))
    spot.edit("Read [soil]", "Always read [soil]")
    spot.done("build", "-y")


def publish_first(spot: Spot) -> None:
    """Nothing is installed yet."""
    built(spot)
    keys(spot.keys)


def roll_back(spot: Spot) -> None:
    publish(spot)
    spot.done(*publish_words(spot))


def roll_back_words(spot: Spot) -> list[str]:
    return ["publish", "--rollback", "--to", str(spot.folder / "skills")]


def force(spot: Spot) -> None:
    """Somebody else's skill stands in the place."""
    publish_first(spot)
    (spot.folder / "skills/gardening").mkdir(parents=True)
    (spot.folder / "skills/gardening/SKILL.md").write_text("mine\n")


def push(spot: Spot) -> None:
    built(spot)
    keys(spot.keys)
    (spot.folder / "remote").mkdir()


def push_words(spot: Spot) -> list[str]:
    return ["store", "push", str(spot.folder / "remote"), "--key", str(spot.keys / "k.pem")]


def pull(spot: Spot) -> None:
    push(spot)
    spot.done(*push_words(spot))
    shutil.rmtree(spot.workspace.store)


def pull_words(spot: Spot) -> list[str]:
    return ["store", "pull", str(spot.folder / "remote"), "--trust", str(spot.keys / "k.pub")]


def collect(spot: Spot) -> None:
    """Samples of a case that is gone, and of one that stands."""
    build(spot)
    (spot.workspace.root / "evals/cases.yaml").write_text(TWO_CASES)
    spot.done("build", "-y")
    (spot.workspace.root / "evals/cases.yaml").write_text(ONE_CASE)
    spot.done("build", "-y")


def repair(spot: Spot) -> None:
    """An archive in the wrong place, one that is damaged, a torn key, a torn record."""
    built(spot)
    spot.edit("Read [soil]", "Always read [soil]")
    spot.done("build", "-y")
    one, other = sorted(spot.workspace.store.glob("samples/*/*/*.zst"))
    other.write_bytes(other.read_bytes()[:99])
    astray = spot.workspace.store / "samples/00" / ("0" * 64)
    astray.mkdir(parents=True)
    one.rename(astray / one.name)
    one.with_name("key.json").write_text("{}")
    next(spot.workspace.store.glob("records/*/*.json")).write_bytes(b"x")


def heal(spot: Spot) -> None:
    """A lock with conflict markers."""
    built(spot)
    path = spot.workspace.root / "selftune.lock"
    text = path.read_text()
    gone = text.replace('"n": 1', '"n": 2')
    path.write_text(f"<<<<<<< ours\n{text}=======\n{gone}>>>>>>> theirs\n")


def merge(spot: Spot) -> None:
    built(spot)
    for name in ("base", "ours", "theirs"):
        shutil.copy(spot.workspace.root / "selftune.lock", spot.folder / name)
    spot.edit("Read [soil]", "Always read [soil]")
    spot.done("build", "-y")
    shutil.copy(spot.workspace.root / "selftune.lock", spot.folder / "theirs")


def accept(spot: Spot) -> None:
    built(spot)
    spot.edit("Read [soil]", "Always read [soil]")


def sign(spot: Spot) -> None:
    built(spot)
    keys(spot.keys)


PUBLISHED: dict[str, Unit] = {
    "skill": tree("skills/gardening"),
    "archive": file("out/gardening.skill"),
    "attestation": file("out/gardening.skill.intoto.jsonl"),
    "lock": file("out/gardening.skill.lock"),
}
_BUILT = {"lock": lock}


def merge_words(spot: Spot) -> list[str]:
    return ["lock", "merge", *(str(spot.folder / name) for name in ("base", "ours", "theirs"))]


ERRANDS = [
    Errand(build, lambda _: ["build", "-y", "-j", "1"], _BUILT),
    Errand(recover, lambda _: ["build", "-y", "-j", "1"], _BUILT),
    Errand(fail, lambda _: ["build", "-y", "-j", "1"], _BUILT),
    Errand(publish, publish_words, PUBLISHED),
    Errand(publish_first, publish_words, PUBLISHED),
    Errand(roll_back, roll_back_words, PUBLISHED, again=publish_words),
    Errand(force, lambda spot: [*publish_words(spot), "--force"], PUBLISHED),
    Errand(push, push_words, {}, ends={"remote": tree("remote")}),
    Errand(pull, pull_words, _BUILT),
    Errand(collect, lambda _: ["store", "gc", "--delete", "--paid", "--older-than", "0", "--alone"], _BUILT, gives_up=True),
    Errand(repair, lambda _: ["store", "fsck", "--repair"], _BUILT),
    Errand(heal, lambda _: ["lock", "merge"], _BUILT),
    Errand(merge, merge_words, {"ours": file("ours")}),
    Errand(accept, lambda _: ["lock", "accept", ROW, "--reason", "known"], {"manifest": file("gardening/selftune.yaml")}),
    Errand(sign, lambda spot: ["lock", "sign", "--key", str(spot.keys / "k.pem")], _BUILT),
]  # fmt: skip


def findings(spot: Spot) -> Iterator[dict[str, Any]]:
    """What is wrong in the store and not only worth a note."""
    yield from (each for each in spot.done("store", "fsck")["findings"] if each["severity"] != "note")
