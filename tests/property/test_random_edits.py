"""Random edits of a workspace: exactly the calls that a small model derives happen, and locks depend on nothing but the tree."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.property import skills
from tests.property.kitchen import manifest
from tests.property.model import Model
from tests.property.skills import KINDS, PROMPTS, Edit, Skill
from tests.property.workspace import Run, Workspace, command

OFTEN = ("body", "body", "body", "page", "page", "page", "page", "revert", "revert", "revert", "description")
WEIGHTED = (*KINDS, *OFTEN)
"""Kinds of edits, those more often that meet the rules about which samples count."""
NUMBERS = st.integers(0, 59)
EDITS = st.builds(Edit, st.sampled_from(WEIGHTED), NUMBERS, NUMBERS, NUMBERS)


@contextmanager
def one_process(*options: str) -> Iterator[Run]:
    """The product in one process for many command lines: most of a short build is the start of the interpreter."""
    driver = [sys.executable, str(Path(__file__).with_name("driver.py")), *options]
    with subprocess.Popen(driver, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def run(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps({"arguments": list(arguments), "environment": dict(environment)}), file=process.stdin, flush=True)
            status, out, err = json.loads(process.stdout.readline())
            return status, out, err

        yield run
        process.stdin.close()


class History:
    """A workspace under edits, followed by the model."""

    def __init__(self, folder: Path, run: Run, tree: dict[str, Skill], *options: str, needed: int) -> None:
        self.workspace = Workspace(folder / "workspace", folder / "ledger", run)
        self.workspace.install_agent()
        declared = manifest(deterministic=needed == 1)
        declared["defaults"]["agents"]["house"]["argv"] += options
        declared["defaults"]["samples"] = {"min": 3}
        self.workspace.write("selftune.yaml", json.dumps(declared))
        self.model = Model(needed)
        self.tree = tree
        self.past: list[dict[str, Skill]] = []
        self.locks: dict[object, dict[str, bytes]] = {}
        self.forgot = False

    @property
    def repeatable(self) -> bool:
        """Whether equal trees must have equal locks: unless an agent that varies was asked again for what was lost."""
        return self.model.needed == 1 or not self.forgot

    def apply(self, edit: Edit) -> None:
        """Edit the workspace, and tell the model what only the disk knows."""
        if edit.kind == "revert":
            others = [tree for tree in self.past if tree != self.tree] or [self.tree]
            self.tree = others[edit.place % len(others)]
        elif edit.kind == "touch":
            skills.touch(self.workspace)
        elif edit.kind == "delete lock":
            name = sorted(self.tree)[edit.package % len(self.tree)]
            self.workspace.lock_path(name).unlink()
            self.model.forget_locks(name)
        elif edit.kind == "delete samples":
            skills.delete_samples(self.workspace, PROMPTS[edit.place % len(PROMPTS)])
            self.model.forget_samples(PROMPTS[edit.place % len(PROMPTS)])
            self.forgot = True
        else:
            self.tree = skills.edited(self.tree, edit)

    def build(self) -> list[dict[str, Any]]:
        """Build, and hold calls and locks against the model; the calls."""
        skills.write(self.workspace, self.tree)
        built = self.workspace.build("--keep-going", "-j", "2")
        assert built.status in (0, 1, 3), built.stderr
        assert self.model.build(self.tree, built.calls) == []
        assert built.report["spend"]["agent_calls"] == len(built.calls)
        for name in self.tree:
            assert self.counts(name) == self.model.lock(name)
        self.past.append(self.tree)
        return built.calls

    def counts(self, name: str) -> dict[str, Any]:
        """What the lock of a package counts, digests and seals left out."""
        return {
            case: {arm: {field: row[field] for field in row.keys() - {"key", "evidence", "seal"}} for arm, row in arms.items()}
            for case, arms in self.workspace.rows(name).items()
        }

    def same_tree_same_locks(self) -> None:
        """Whenever a tree was seen before, its locks were these."""
        tree = tuple(sorted(self.tree.items()))
        assert not self.repeatable or self.locks.setdefault(tree, self.workspace.locks()) == self.workspace.locks()

    def same_locks_from_nothing_but_the_store(self) -> None:
        """Locks that are deleted come back byte for byte."""
        before = self.workspace.locks()
        for name in self.tree:
            self.workspace.lock_path(name).unlink()
            self.model.forget_locks(name)
        self.build()
        assert not self.repeatable or self.workspace.locks() == before


def follow(edits: Sequence[Edit], run: Run, tree: dict[str, Skill], *options: str, needed: int) -> None:
    """Build after each edit; at the end once more without the locks."""
    folder = Path(tempfile.mkdtemp(prefix="selftune-test-"))
    try:
        history = History(folder, run, tree, *options, needed=needed)
        history.build()
        for edit in edits:
            history.same_tree_same_locks()
            history.apply(edit)
            history.build()
        history.same_tree_same_locks()
        history.same_locks_from_nothing_but_the_store()
    finally:
        shutil.rmtree(folder)


def drawn(seed: int, number: int, kinds: Sequence[str] = WEIGHTED) -> list[Edit]:
    """So many edits, the same for the same seed. Uniform, unlike what hypothesis draws first, so that few of them meet much."""
    chance = Random(seed)
    return [Edit(chance.choice(kinds), *(chance.randrange(60) for _ in range(3))) for _ in range(number)]


EDITS_A_SEQUENCE = 8
SEQUENCES = int(os.environ.get("SELFTUNE_EDITS", 128)) // EDITS_A_SEQUENCE


@pytest.mark.parametrize("seed", range(SEQUENCES))
def test_after_random_edits_exactly_the_calls_of_the_model_happen(seed: int) -> None:
    with one_process() as run:
        follow(drawn(seed, EDITS_A_SEQUENCE), run, skills.start(), needed=1)


@pytest.mark.parametrize("seed", range(4, 12))
def test_after_random_edits_an_agent_that_varies_is_asked_as_often_as_the_model_says(seed: int) -> None:
    back_and_forth = ("page", "page", "page", "revert", "revert", "revert", "body", "check")
    with one_process() as run:
        follow(drawn(seed, 10, back_and_forth), run, skills.readers(), "--fickle", needed=3)


@pytest.mark.parametrize("seed", [100, 101, 102])
def test_after_random_edits_the_real_command_asks_what_the_model_says(seed: int) -> None:
    follow(drawn(seed, 4), command, skills.start(), needed=1)


@pytest.mark.parametrize("seed", range(300, 304))
def test_packages_that_are_remembered_whole_are_asked_nothing_and_everything_that_an_edit_concerns(
    seed: int, tmp_path: Path
) -> None:
    with one_process("--old-files") as run:
        history = History(tmp_path, run, skills.start(), needed=1)
        history.build()
        remembered = set()
        for edit in drawn(seed, EDITS_A_SEQUENCE):
            assert history.build() == []  # had nothing to do: remembered
            remembered |= {
                (path.name, path.stat().st_mtime_ns) for path in history.workspace.root.glob(".selftune/index/*.memory")
            }
            history.apply(edit)
            history.build()
            history.same_tree_same_locks()
    assert len(remembered) > 1


LONG = settings(
    max_examples=20,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""The same sequences in every run, and the shortest one that fails; `SELFTUNE_EDITS` above is for new ones."""


@pytest.mark.slow
@LONG
@given(st.lists(EDITS, min_size=4, max_size=14))
def test_after_many_edits_exactly_the_calls_of_the_model_happen(edits: list[Edit]) -> None:
    with one_process() as run:
        follow(edits, run, skills.start(), needed=1)


@pytest.mark.slow
@LONG
@given(st.lists(EDITS, min_size=4, max_size=14))
def test_after_many_edits_an_agent_that_varies_is_asked_as_often_as_the_model_says(edits: list[Edit]) -> None:
    with one_process() as run:
        follow(edits, run, skills.readers(), "--fickle", needed=3)
