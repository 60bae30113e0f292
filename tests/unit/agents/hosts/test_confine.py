"""What is confined writes below its folders and nowhere else, and so does whatever it starts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from selftune_build.agents.hosts import confine


def run_confined(command: str, *writable: Path) -> subprocess.CompletedProcess[str]:
    argv = confine.confined(["/bin/sh", "-c", command], map(str, writable))
    return subprocess.run(argv, capture_output=True, text=True, timeout=30)


def test_this_kernel_can_confine() -> None:
    assert confine.supported(), "the tests of real hosts need Landlock"


def test_a_write_below_works_and_one_beside_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    ended = run_confined(f"echo a > {inside}/a; mkdir {inside}/b; echo a > {tmp_path}/a", inside)
    assert (inside / "a").read_text() == "a\n"
    assert (inside / "b").is_dir()
    assert not (tmp_path / "a").exists()
    assert "Permission denied" in ended.stderr


def test_every_way_out_is_refused_also_for_what_is_started(tmp_path: Path) -> None:
    inside, kept = tmp_path / "inside", tmp_path / "kept"
    inside.mkdir()
    kept.write_text("kept")
    (inside / "link").symlink_to(tmp_path / "linked")
    ways = (
        f"echo a >> {kept}",
        f": > {kept}",
        f"rm {kept}",
        f"mv {kept} {inside}/moved",
        f"ln {kept} {inside}/hard",
        f"echo a > {inside}/link",
        f"mkdir {tmp_path}/folder",
        f"truncate -s 0 {kept}",
    )
    run_confined("; ".join(f"sh -c '{way}'" for way in ways), inside)
    assert kept.read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inside", "kept"]
    assert not (inside / "moved").exists()


def test_what_others_know_is_kept_from_it_also_from_root(tmp_path: Path) -> None:
    """Where the command was started with keys in its environment, /proc would tell them."""
    mine = f"/proc/{os.getpid()}/environ"
    assert Path(mine).read_bytes()
    ended = run_confined(f"cat {mine}; grep CapEff /proc/self/status", tmp_path)
    assert ended.stdout == "CapEff:\t0000000000000000\n"
    assert "Permission denied" in ended.stderr


def test_the_status_of_the_program_comes_through(tmp_path: Path) -> None:
    assert run_confined("echo out; exit 7", tmp_path).returncode == 7
    assert run_confined("echo x > /dev/null && cat /etc/passwd > /dev/null", tmp_path).returncode == 0


def test_a_folder_that_is_not_there_stops_it_before_the_program_runs(tmp_path: Path) -> None:
    ended = run_confined(f"touch {tmp_path}/ran", tmp_path / "missing")
    assert ended.returncode != 0
    assert not (tmp_path / "ran").exists()
