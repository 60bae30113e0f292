"""Real eval files of public repositories are read with exactly the cases, prompts, polarity and checks that they hold.

None of them is part of this repository. `SELFTUNE_PUBLIC_EVALS` names a folder with one checkout for each repository, called
`OWNER+NAME`; without it these tests are skipped.
"""

from __future__ import annotations

import os
from collections import Counter as Multiset
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec import Struct

from selftune_build.errors import InputError
from selftune_build.reading.evals import read_eval_files
from tests.public import counting
from tests.public.counting import Counted, Counter

ROOT = os.environ.get("SELFTUNE_PUBLIC_EVALS")
NEEDED = "SELFTUNE_PUBLIC_EVALS does not name a folder with checkouts of public repositories (OWNER+NAME)"
pytestmark = pytest.mark.skipif(not ROOT, reason=NEEDED)


class Suites(Struct, frozen=True):
    """Suites of one format in one repository: their glob, how they are counted, and for which skill they are read."""

    repository: str
    glob: str
    count: Counter
    skill: str = ""
    """The skill that is meant where a case names one; empty: that of the folder around the suite."""


PUBLIC = (
    Suites("NVIDIA+skills", "skills/*/evals/evals.json", counting.evals_json),
    Suites("darkrishabh+agent-skills-eval", "**/evals/evals.json", counting.evals_json),
    Suites("adewale+good-pr", "**/evals.json", counting.evals_json),
    Suites("richfrem+agent-plugins-skills", "plugins/**/evals/evals.json", counting.evals_json),
    Suites("kouko+monkey-skills", "**/trigger-eval.json", counting.trigger_set),
    Suites("trailofbits+skills", "plugins/*/evals/**/prompt.md", counting.claude_plugin, "spec-to-code-compliance"),
    Suites("trailofbits+skills", "plugins/*/evals/**/case.yaml", counting.claude_plugin, "spec-to-code-compliance"),
    Suites("microsoft+waza", "examples/*/eval.yaml", counting.waza, "code-explainer"),
    Suites("microsoft+waza", "skills/*/tests/eval.yaml", counting.waza, "waza-interactive"),
    Suites("microsoft+waza", "examples/*/trigger_tests.yaml", counting.waza_triggers, "code-explainer"),
    Suites("microsoft+hve-core", "evals/**/*eval.yaml", counting.vally, "hve-core"),
    Suites("microsoft+GitHub-Copilot-for-Azure", "evals/**/*eval.yaml", counting.vally, "azure-prepare"),
    Suites("dotnet+skills", "tests/*/*/eval.yaml", counting.dotnet),
    Suites("mgechev+skill-eval", "**/eval.yaml", counting.skillgrade, "skillgrade"),
    Suites("Sxuan-Coder+alibaba-java-development-guide", "evals/eval.yaml", counting.skill_up, "alibaba"),
    Suites("opendatahub-io+agent-eval-harness", "eval/*/eval.yaml", counting.harness, "opencode-smoke"),
    Suites("igmarin+rails-agent-skills", "evals/*/criteria.json", counting.tessl, "rails"),
    Suites("jbaruch+speaker-toolkit", "evals/*/criteria.json", counting.tessl, "speaker"),
    Suites("adewale+audit-skill", "evals/shared-benchmark.json", counting.shared_benchmark, "audit-skill"),
)


def checkout(suites: Suites) -> Path:
    folder = Path(ROOT or "") / suites.repository
    if not folder.is_dir():
        pytest.skip(f"there is no checkout {suites.repository} in SELFTUNE_PUBLIC_EVALS")
    return folder


def found(suites: Suites, folder: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.glob(suites.glob)):
        around = path.parent.name if suites.count is counting.dotnet else path.parent.parent.name
        yield path, suites.skill or around


def home(suites: Suites, path: Path, folder: Path) -> str:
    """Where paths of the suite start: the nearest folder with a skill; dotnet keeps its suites in a tree of their own."""
    if suites.count is counting.dotnet:
        return f"plugins/{path.parents[1].name}/skills/{path.parent.name}"
    if suites.count is counting.skill_up:
        return ""
    return path.parent.parent.relative_to(folder).as_posix().removeprefix(".") if path.parent != folder else ""


def read(suites: Suites, path: Path, skill: str, folder: Path, tree: list[str]) -> list[Counted]:
    suite = path.relative_to(folder).as_posix()
    reading = read_eval_files(
        [suite], lambda name: (folder / name).read_bytes(), True, package_name=skill, tree=tree, home=home(suites, path, folder)
    )
    signs = {True: "+", False: "-", None: ""}
    return [Counted(case.prompt, signs[case.should_trigger], len(case.checks)) for case in reading.cases]


@pytest.mark.parametrize("suites", PUBLIC, ids=lambda each: f"{each.repository} {each.glob}")
def test_cases_prompts_polarity_and_checks_are_those_of_the_files(suites: Suites) -> None:
    folder = checkout(suites)
    tree = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    paths = list(found(suites, folder))
    assert paths, "the repository has no such suite any more"
    for path, skill in paths:
        expected = Multiset(suites.count(path, skill))
        if not expected and suites.count is not counting.harness:
            with suppress(InputError):
                assert read(suites, path, skill, folder, tree) == []
            continue
        assert Multiset(read(suites, path, skill, folder, tree)) == expected, path.relative_to(folder)


def test_at_least_eight_repositories_are_there() -> None:
    there = {suites.repository for suites in PUBLIC if (Path(ROOT or "") / suites.repository).is_dir()}
    assert len(there) >= 8
