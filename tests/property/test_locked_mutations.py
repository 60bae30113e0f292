"""Locked verify says no to every single change of tree, manifest, evals, policy and lock, and names the reason."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selftune_build.engine.load import load_universe
from selftune_build.engine.locked.verification import check
from selftune_build.engine.request import BuildRequest
from selftune_build.errors import SelftuneError
from selftune_build.stages.spec_rules.second_opinion import SecondOpinion
from tests.property.kitchen import BREW, kitchen, manifest
from tests.property.mutations import (
    AGENT,
    GONE,
    INPUT,
    KEY,
    MORE,
    POLICY,
    TAMPERED,
    TREE,
    Mutation,
    of_cases,
    of_file,
    of_lock,
    of_new_files,
    written,
)
from tests.property.workspace import Workspace

pytestmark = pytest.mark.slow
NOT_ASKED = SecondOpinion(None, "not asked")
UNIT = {"id": "pours", "run": ["python3", "scripts/pour.py"], "checks": [{"contains": "poured"}]}


@pytest.fixture(scope="module")
def pantry(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A built workspace with everything that a package can have: script, grader, unit test, own manifest."""
    folder = tmp_path_factory.mktemp("pantry")
    workspace = kitchen(folder / "workspace", folder / "ledger")
    workspace.write("brew/scripts/pour.py", "print('poured')\n")
    workspace.write("brew/graders/grade.py", "raise SystemExit(0)\n")
    workspace.write("brew/tests/unit.yaml", json.dumps({"format": "selftune.unit-tests/1", "cases": [UNIT]}))
    workspace.write("brew/selftune.yaml", "version: 1\nlimits: {max_turns: 12}\n")
    black, latte, song = BREW
    graded = {**black, "checks": [*black["checks"], {"command": {"run": ["python3", "graders/grade.py"]}}]}  # type: ignore[misc]
    workspace.evals("brew", [graded, latte, song])
    assert workspace.build().status == 0
    return workspace


def judged(root: Path) -> tuple[int, set[str]]:
    """Exit status and codes of `--locked` for brew, in this process."""
    try:
        universe = load_universe(root, second_opinion=lambda content, name: NOT_ASKED)
        report = check(universe, BuildRequest(directory=root, targets=("brew",), locked=True))
    except SelftuneError as error:
        return error.exit_status, {error.code if error.exit_status != 2 else INPUT}
    return report.exit_code, {problem.code for package in report.packages for problem in package.problems}


def settings(name: str, codes: set[str], **defaults: Any) -> Mutation:
    """The workspace manifest with other settings."""
    document = manifest()
    document["defaults"].update(defaults)
    return Mutation(f"selftune.yaml: {name}", "selftune.yaml", written(json.dumps(document).encode()), frozenset(codes))


def of_workspace_manifest() -> Iterator[Mutation]:
    """Each setting that bears on a verdict."""
    gates = manifest()["defaults"]["gates"]
    for gate in gates:
        for minimum in (0.1, 0.5, 1.0):
            yield settings(f"{gate} at least {minimum}", {POLICY}, gates={**gates, gate: {"min": minimum}})
        yield settings(f"{gate} off", {POLICY}, gates={**gates, gate: {"enabled": False, "reason": "x"}})
        yield settings(f"{gate} optional", {POLICY}, gates={**gates, gate: {"required": False}})
        yield settings(f"{gate} unnamed", {POLICY}, gates={name: each for name, each in gates.items() if name != gate})
    for samples in ({"min": 1}, {"min": 4}, {"max": 20}, {"confidence": 0.9}, {"confidence": 0.99}):
        yield settings(f"samples {samples}", {POLICY}, samples=samples)
    for policy in ({"origins": ["simulated"]}, {"origins": ["live"]}, {"plugins": ["x"]}, {"bundle_evals": True}):
        yield settings(f"policy {policy}", {POLICY}, policy=policy)
    yield settings("competitors", {KEY}, competitors="none")
    yield settings("model", {AGENT}, model="large")
    yield settings("agent", {AGENT}, agent="embedded")
    house = manifest()["defaults"]["agents"]["house"]
    for field, value in (
        ("argv", [*house["argv"], "-v"]),
        ("deterministic", False),
        ("env", []),
        ("cache_version", "2"),
        ("origin", "live"),
    ):
        yield settings(f"agent with another {field}", {AGENT}, agents={"house": {**house, field: value}})


def mutations(workspace: Workspace) -> list[Mutation]:
    """All of them."""
    root = workspace.root
    evals = json.loads(workspace.read("brew/evals/evals.yaml"))
    found = [
        *of_file(root, "brew/SKILL.md", frozenset({TREE, INPUT, TAMPERED}), 3),
        *of_file(root, "brew/references/milk.md", frozenset({TREE}), 1),
        *of_file(root, "brew/references/water.md", frozenset({TREE}), 1),
        *of_file(root, "brew/scripts/pour.py", frozenset({TREE}), 2),
        *of_file(root, "brew/graders/grade.py", frozenset({TREE}), 2),
        *of_file(root, "brew/tests/unit.yaml", frozenset({TREE, INPUT}), 5),
        *of_file(root, "brew/evals/evals.yaml", frozenset({TREE, INPUT}), 11),
        *of_file(root, "brew/selftune.yaml", frozenset({TREE, INPUT}), 2),
        *of_file(root, "tools/agent.py", frozenset({AGENT}), 97),
        *of_new_files("brew"),
        *of_cases("brew/evals/evals.yaml", evals, frozenset()),
        *of_cases("brew/tests/unit.yaml", json.loads(workspace.read("brew/tests/unit.yaml")), frozenset({GONE, MORE})),
        *of_workspace_manifest(),
        *of_lock("brew/selftune.lock", workspace.lock("brew"), workspace.lock("bake")),
    ]
    kept_bytes = ("executable", "a link")  # of a program of the agent the bytes count
    return [each for each in found if each.path != "tools/agent.py" or not each.name.endswith(kept_bytes)]


def applied(mutation: Mutation, root: Path) -> None:
    path = root / mutation.path
    path.parent.mkdir(parents=True, exist_ok=True)
    mutation.write(path)


class Copy:
    """A copy of a workspace that is whole again after each mutation."""

    def __init__(self, source: Path, root: Path) -> None:
        self.source, self.root = source, root
        self._renew()

    def judged_after(self, mutation: Mutation) -> tuple[int, set[str]]:
        """What `--locked` says of the mutated copy."""
        applied(mutation, self.root)
        try:
            return judged(self.root)
        finally:
            if mutation.whole:
                self._renew()
            else:
                shutil.copy2(self.source / mutation.path, self.root / mutation.path)

    def _renew(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.source, self.root, symlinks=True, ignore=shutil.ignore_patterns(".selftune"))


def test_every_single_change_is_refused_for_its_reason_and_the_untouched_copy_is_not(pantry: Workspace, tmp_path: Path) -> None:
    every = mutations(pantry)
    assert len({mutation.name for mutation in every}) == len(every) >= 1_000
    copy = Copy(pantry.root, tmp_path / "copy")
    assert judged(copy.root) == (0, set())
    wrong = []
    for mutation in every:
        status, codes = copy.judged_after(mutation)
        if status not in (1, 2) or not codes & mutation.codes:
            wrong.append((mutation.name, status, sorted(codes)))
    assert not wrong, "\n".join(map(str, wrong))
    assert judged(copy.root) == (0, set())


def test_the_command_line_says_the_same(pantry: Workspace, tmp_path: Path) -> None:
    every = mutations(pantry)
    copy = Copy(pantry.root, tmp_path / "copy")
    workspace = Workspace(copy.root, tmp_path / "ledger")
    for mutation in every[:: len(every) // 20]:
        applied(mutation, copy.root)
        checked = workspace.build("--locked", "brew")
        packages = checked.report.get("packages", [])
        codes = {problem["code"] for package in packages for problem in package["problems"]}
        if "error" in checked.report:
            codes = {INPUT}
        assert (checked.status in (1, 2), bool(codes & mutation.codes), checked.calls) == (True, True, []), mutation.name
        copy._renew()


def test_an_older_lock_that_was_valid_then_is_refused(pantry: Workspace, tmp_path: Path) -> None:
    copy = Copy(pantry.root, tmp_path / "copy")
    workspace = Workspace(copy.root, tmp_path / "ledger")
    older = workspace.lock("brew")
    workspace.write("brew/references/unread.md", "Nobody looks here.\n")
    assert workspace.build().status == 0
    assert judged(copy.root) == (0, set())
    workspace.lock_path("brew").write_bytes(older)
    status, codes = judged(copy.root)
    assert (status, TREE in codes, TAMPERED in codes) == (1, True, False)
