"""Several invocations on one workspace and one store: each sample is paid for once, and all end with the same lock."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from selftune_build.store.archive import Archive, decode
from tests.fault.workspace import Workspace, ended, until


@pytest.mark.parametrize(("invocations", "jobs"), [(2, 4), (8, 2), pytest.param(32, 1, marks=pytest.mark.slow)])
def test_invocations_at_once_pay_each_sample_once(
    make: Callable[..., Workspace], workspace: Workspace, invocations: int, jobs: int
) -> None:
    alone = make("alone")
    alone.build()
    workspace.behave({"mode": "slow", "seconds": 0.2})
    running = [workspace.start("--json", "-j", str(jobs)) for _ in range(invocations)]
    results = [ended(process) for process in running]
    assert {result.status for result in results} == {3}, [
        (each.status, each.stderr, each.stdout[-2000:]) for each in results if each.status != 3
    ]
    assert set(workspace.calls().values()) == {1}
    assert len(workspace.calls()) == workspace.needed
    assert {arm["n"] for arms in workspace.rows().values() for arm in arms.values()} == {workspace.samples}
    assert (workspace.left_over(), workspace.in_flight()) == ([], [])
    assert workspace.report()["spend"]["agent_calls"] == 0
    assert workspace.lock() == alone.lock()


def test_an_invocation_waits_for_the_one_that_pays_and_says_so(workspace: Workspace) -> None:
    workspace.behave({"mode": "pausing", "point": "begun"})
    first = workspace.start("-j", "4")
    until(lambda: workspace.waiting_agents() == 4)
    second = workspace.start("-j", "4")
    assert second.stderr is not None
    while f"process {first.pid} is working on the same samples" not in (line := second.stderr.readline()):
        assert line
    assert " as gardening:" in line
    assert " since " in line
    assert len(workspace.ledger()) == 4
    workspace.go()
    ended(first)
    ended(second)
    assert set(workspace.calls().values()) == {1}


def test_a_failed_sample_of_one_invocation_never_covers_the_answer_of_another(workspace: Workspace) -> None:
    """Whoever gives up first must not write over what somebody else was answered meanwhile."""
    manifest = workspace.root / "selftune.yaml"
    manifest.write_text(manifest.read_text().replace("timeout_s: 30", "timeout_s: 2"))
    target = "gardening:replay[cabbage]"
    workspace.behave(
        {"prompt": "sow", "sample": 0, "mode": "sleep"}, {"prompt": "sow", "sample": 1, "mode": "slow", "seconds": 1.5}
    )
    first = workspace.start("-j", "1", target)
    until(lambda: len(workspace.ledger()) == 3)  # sample 0 has hit its limit twice, sample 1 is being answered
    workspace.behave()
    second = workspace.start("-j", "1", target)
    for process in (first, second):
        ended(process)
    archives = [
        decode(path.read_bytes(), Archive) for path in workspace.store.glob("samples/*/*/*.zst") if ".err" not in path.name
    ]
    assert len(archives) == workspace.samples
    # Sample 0 was asked twice in vain, and perhaps once more by the second: then that answer stands.
    assert [each.limit for each in archives] == [workspace.calls()[each.call_id] == 2 for each in archives]
    assert workspace.report(target)["spend"]["agent_calls"] == 0
