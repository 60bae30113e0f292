"""A package of three files, rows of it and samples that speak for them: everything in memory but an empty store."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from selftune_build.agents.embedded import EmbeddedAgent
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.graph.targets import Stage
from selftune_build.model.case import Arm, Case, Check
from selftune_build.model.manifest import Manifest
from selftune_build.model.package import Facets, Package, Skill
from selftune_build.model.sample import Reply, Sample, Transcript
from selftune_build.stages.row import Asking, RowSpec, StagedSet, sampled_row
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore

CONTAINS = Check("contains", {"text": "beans"})
CASE = Case("black", prompt="Make coffee", should_trigger=True, checks=(CONTAINS,))
_serial = itertools.count()


def package(**texts: str) -> Package:
    """The package `brew`; `body`, `milk` and `metadata` can be given other texts."""
    now = {name: digest_bytes(texts.get(name, name).encode()) for name in ("metadata", "body", "milk")}
    whole = digest_bytes("".join(now.values()).encode())
    facets = Facets(now["metadata"], now["body"], "sha256:listing", whole, {"references/milk.md": now["milk"]})
    skill = Skill("brew", "Makes coffee")
    return Package("brew", "brew", "/nowhere/brew", skill, Manifest(), (), whole, (), facets, handle="brew")


def spec(case: Case = CASE, arm: Arm = Arm.WITH_SKILL, needed: int = 2, **texts: str) -> RowSpec:
    """The row of a case that an agent answers."""
    brew = package(**texts)
    alone, nobody = StagedSet([brew]), StagedSet([])
    asking = Asking(brew, {"plugin": "house"}, None, needed, alone, nobody, alone)
    return sampled_row(asking, Stage.BASELINE if arm is Arm.WITHOUT_SKILL else Stage.REPLAY, case, arm)


def sample(
    output: str = "Grind the beans", observed: Iterable[str] = ("brew:body",), tree: str = "then", **fields: Any
) -> Sample:
    """One answer that activated brew, staged from `tree`."""
    number = next(_serial)
    used = fields.pop("used", ("brew",))
    transcript = Transcript(Reply(output, skills_used=used, files_read=(), tool_calls=()), **fields)
    return Sample("sha256:asked", f"sha256:call {number:06}", number, tree, frozenset(observed), transcript, f"sha256:{output}")


class Known(Evidence):
    """The evidence of samples at hand, each tree with the digests of its facets; the store below is real and empty."""

    def __init__(
        self, folder: Path, samples: Iterable[Sample] = (), trees: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        super().__init__(SampleStore(folder), RecordStore(folder), EmbeddedAgent())
        self._at_hand = tuple(samples)
        self._trees = {"then": spec().staged.today, **(trees or {})}

    def samples(self, spec: RowSpec) -> tuple[Sample, ...]:
        """The same for every row."""
        return self._at_hand

    def staged(self, sample: Sample) -> Mapping[str, str]:
        """What its tree held."""
        return self._trees.get(sample.staged_tree, {})
