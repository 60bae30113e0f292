"""`selftune build` with an agent that answers now this, now that: what counts is decided by text, never by outcome."""

from __future__ import annotations

from pathlib import Path

from tests.property.kitchen import BREW, kitchen
from tests.property.workspace import Workspace

LATTE = BREW[1]["prompt"]
FORGETFUL = {"TEST_FORGETFUL": "1"}


def sampled_kitchen(folder: Path) -> Workspace:
    """Three samples of each case; with TEST_FORGETFUL the agent reads no reference."""
    workspace = kitchen(folder / "workspace", folder / "ledger", deterministic=False, env=["TEST_LEDGER", "TEST_FORGETFUL"])
    workspace.evals("bake", [])
    workspace.evals("brew", BREW[1:2])
    return workspace


def test_given_an_earlier_state_then_the_samples_it_was_measured_with_count_again_and_not_luckier_ones(tmp_path: Path) -> None:
    workspace = sampled_kitchen(tmp_path)
    workspace.build()
    before = workspace.locks()
    workspace.write("brew/references/milk.md", "Steam another milk.\n")
    assert workspace.build(environment=FORGETFUL).prompts == [LATTE] * 3
    # What was sampled now saw no reference, so it would speak for the earlier text as well; it must not take its place.
    workspace.write("brew/references/milk.md", "Steam the milk.\n")
    assert workspace.build().calls == []
    assert workspace.locks() == before
