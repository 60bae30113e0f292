"""What plugins cost where none is needed: nothing."""

from __future__ import annotations

import json
import sys

from selftune_build.process import run
from selftune_build.testing import SkillWorkspace

PROBE = """
import json, sys
from selftune_build.__main__ import main
main(json.loads(sys.argv[1]))
watched = ("pluggy", "selftune_build.plugins")
print(json.dumps([name for name in sys.modules if name.startswith(watched) and "._" not in name]), file=sys.stderr)
"""
EVALS = "format: selftune.evals/1\ncases:\n  - {id: a, prompt: use pdf now, should_trigger: true, checks: [{contains: DONE}]}\n"


def loaded_by(workspace: SkillWorkspace, *arguments: str) -> set[str]:
    command = [sys.executable, "-P", "-c", PROBE, json.dumps(arguments)]
    outcome = run(command, cwd=workspace.root, env={**workspace.environment}, timeout_s=60, output_cap=1 << 20)
    modules: list[str] = json.loads(outcome.stderr.splitlines()[-1])
    return set(modules)


def test_a_build_with_built_in_names_alone_loads_neither_pluggy_nor_the_search_for_plugins(with_example: SkillWorkspace) -> None:
    with_example.skill("pdf", {"evals/evals.yaml": EVALS, "selftune.yaml": '{"version": 1, "gates": {"lift": {}}}'})
    assert loaded_by(with_example, "build", "pdf") == {"selftune_build.plugins", "selftune_build.plugins.registry"}


def test_a_build_that_names_something_else_does(with_example: SkillWorkspace) -> None:
    with_example.skill("pdf", {"evals/evals.yaml": EVALS, "selftune.yaml": '{"version": 1, "gates": {"enough-cases": {}}}'})
    assert {"pluggy", "selftune_build.plugins.trust"} <= loaded_by(with_example, "build", "pdf")
