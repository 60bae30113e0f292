"""What a machine may refuse: a controlled error with path and hint, exit 4, and nothing that was paid for is lost."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections.abc import Callable

from tests.fault.workspace import Ended, Workspace, all_gone, without_privilege

KILOBYTE = 1024


def assert_nothing_is_paid_twice(workspace: Workspace) -> None:
    """Mended, the next run finishes, and the one after it has nothing to do."""
    workspace.build("-j", "2")
    assert set(workspace.calls().values()) == {1}
    assert len(workspace.calls()) == workspace.needed
    assert {row["n"] for arms in workspace.rows().values() for row in arms.values()} == {workspace.samples}
    assert (workspace.left_over(), workspace.in_flight()) == ([], [])
    assert workspace.report()["spend"]["agent_calls"] == 0


def limited(which: int, soft: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(which, (soft, resource.getrlimit(which)[1]))


def test_an_answer_that_cannot_be_archived_stays_in_its_file_and_is_free_next_time(workspace: Workspace) -> None:
    """The archive does not fit; the answer did. So it is with a disk that is full."""
    workspace.behave({"prompt": "red", "mode": "large", "bytes": 300 * KILOBYTE})
    ended = workspace.build("-j", "1", preexec_fn=limited(resource.RLIMIT_FSIZE, 100 * KILOBYTE))
    assert ended.status == 4
    (kept,) = workspace.in_flight()
    again = workspace.build("-j", "1", preexec_fn=limited(resource.RLIMIT_FSIZE, 100 * KILOBYTE))
    assert (again.status, workspace.in_flight()) == (4, [kept])
    workspace.behave()
    assert_nothing_is_paid_twice(workspace)


def test_the_error_of_a_full_disk_names_path_help_and_where_the_answer_is(workspace: Workspace) -> None:
    workspace.behave({"mode": "large", "bytes": 300 * KILOBYTE})
    report = workspace.report("-j", "1", preexec_fn=limited(resource.RLIMIT_FSIZE, 100 * KILOBYTE))
    (problem,) = report["packages"][0]["problems"]
    assert (report["exit_code"], problem["code"]) == (4, "store")
    (kept,) = workspace.in_flight()
    assert problem["message"] == f"cannot write {kept.with_suffix('.zst')}: File too large"
    assert problem["path"] == str(kept.with_suffix(".zst"))
    assert "ulimit -f" in problem["fix"]
    assert problem["fix"].endswith(f"the answer is kept in {kept}")


def test_too_few_open_files_stop_the_run_and_lose_nothing(workspace: Workspace) -> None:
    seen = set()
    for files in (12, 14, 16, 18, 20):
        ended = workspace.build("-j", "4", preexec_fn=limited(resource.RLIMIT_NOFILE, files))
        seen.add(ended.status)
        assert ended.status in (3, 4)
        if ended.status == 4:
            assert "Too many open files" in ended.said
            assert "ulimit -n" in ended.said
    assert 4 in seen
    assert all_gone(workspace.children())
    for folder in workspace.temporary.iterdir():
        shutil.rmtree(folder)  # removing one takes an open file too
    assert_nothing_is_paid_twice(workspace)


def test_a_store_that_cannot_be_written_stops_the_run_before_anything_is_paid(workspace: Workspace) -> None:
    workspace.store.mkdir()
    workspace.store.chmod(0o555)
    ended = workspace.build(preexec_fn=without_privilege)
    workspace.store.chmod(0o755)
    assert ended.status == 4
    assert str(workspace.store) in ended.said
    assert "Permission denied" in ended.said
    assert "make it writable for this user, or name another store in $SELFTUNE_STORE" in ended.said
    assert workspace.ledger() == []


def test_a_lock_that_cannot_be_written_costs_no_evidence(workspace: Workspace) -> None:
    workspace.root.chmod(0o555)
    ended = workspace.build(preexec_fn=without_privilege)
    workspace.root.chmod(0o755)
    assert ended.status == 4
    assert "selftune.lock: Permission denied" in ended.said
    assert len(workspace.ledger()) == workspace.needed
    assert workspace.report(preexec_fn=without_privilege)["spend"]["agent_calls"] == 0
    assert {row["n"] for arms in workspace.rows().values() for row in arms.values()} == {workspace.samples}


def test_a_lock_that_is_there_and_cannot_be_read_is_not_taken_for_none_and_not_written_over(workspace: Workspace) -> None:
    workspace.build()
    before, lock = workspace.lock(), workspace.root / "selftune.lock"
    (workspace.root / "SKILL.md").write_text("---\nname: gardening\ndescription: Answers questions about leeks.\n---\n\nAsk.\n")
    lock.chmod(0)
    for arguments in ((), ("--locked",), ("--dry-run",)):
        ended = workspace.build(*arguments, preexec_fn=without_privilege)
        assert ended.status == 4
        assert "selftune.lock: Permission denied" in ended.said
    lock.chmod(0o644)
    assert workspace.lock() == before
    assert len(workspace.ledger()) == workspace.needed


def test_without_a_temporary_folder_nothing_runs(workspace: Workspace) -> None:
    code = "import tempfile\ntempfile._candidate_tempdir_list = lambda: ['/no/such/folder']\n"
    code += "import sys\nfrom selftune_build.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *workspace.command()[3:]]
    result = subprocess.run(command, env=workspace.environment(), capture_output=True, text=True, timeout=60)
    ended = Ended(result.returncode, result.stdout, result.stderr)
    assert ended.status == 4
    assert "No usable temporary directory" in ended.said
    assert workspace.ledger() == []


def test_records_that_are_lost_or_torn_are_written_again_and_hide_no_sample(workspace: Workspace) -> None:
    workspace.build("-j", "2")
    before = workspace.lock()
    records = sorted(workspace.store.glob("records/*/*.json"))
    records[0].unlink()
    for path in records[1:]:
        path.write_bytes(path.read_bytes()[:-1])
    (workspace.root / "selftune.lock").unlink()
    assert workspace.report("-j", "2")["spend"]["agent_calls"] == 0
    assert workspace.lock() == before
    (workspace.root / "selftune.lock").unlink()
    stages = workspace.report("--dry-run")["packages"][0]["stages"]
    assert [stage["reasons"] for stage in stages] == [[]] * len(stages)
