"""What rows depended on when they were last settled: read from whatever database a checkout may bring, without a trace of it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from selftune_build.store.traces import Traces

ROW = "pdf:replay[a] house"
READ = """
import sys
from pathlib import Path
from selftune_build.store.traces import Traces
print(Traces(Path(sys.argv[1]), Path("/workspace")).read(sys.argv[2]))
"""


@pytest.fixture
def traces(tmp_path: Path) -> Traces:
    """Those of a workspace with one row settled."""
    found = Traces(tmp_path, Path("/workspace"))
    found.write({ROW: {"prompt": "sha256:1"}})
    return found


def database(store: Path) -> Path:
    (path,) = (store / "index").glob("*.sqlite")
    return path


def changed(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_was_noted_is_read_and_nothing_is_left_beside_it(traces: Traces, tmp_path: Path) -> None:
    before = contents(tmp_path / "index")
    assert traces.read(ROW) == {"prompt": "sha256:1"}
    assert traces.read("another") is None
    assert contents(tmp_path / "index") == before


def test_without_a_database_nothing_is_known_and_none_is_made(tmp_path: Path) -> None:
    assert Traces(tmp_path, Path("/workspace")).read(ROW) is None
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_would_be_written_to_by_reading_is_not_read(traces: Traces, tmp_path: Path) -> None:
    changed(database(tmp_path), "PRAGMA journal_mode=WAL")
    before = contents(tmp_path / "index")
    assert traces.read(ROW) is None
    assert contents(tmp_path / "index") == before


def test_so_is_one_whose_last_change_would_have_to_be_taken_back_first(traces: Traces, tmp_path: Path) -> None:
    path = database(tmp_path)
    writing = sqlite3.connect(path, isolation_level=None)
    writing.execute("PRAGMA cache_spill = 1")
    writing.execute("PRAGMA cache_size = 1")
    writing.execute("BEGIN")
    for number in range(200):
        writing.execute("INSERT INTO trace VALUES (?, ?)", (f"row {number}", "x" * 4000))
    torn = {each.name: each.read_bytes() for each in path.parent.iterdir()}
    writing.close()
    for name, content in torn.items():
        (path.parent / name).write_bytes(content)
    assert len(torn) == 2
    assert traces.read(ROW) is None
    assert contents(path.parent) == torn


def test_a_database_that_never_comes_to_an_end_is_given_up(traces: Traces, tmp_path: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    view = f"CREATE VIEW trace AS {endless} SELECT 'a' AS address, 'b' AS inputs FROM n WHERE i < 0"
    changed(database(tmp_path), "DROP TABLE trace", view)
    done = subprocess.run([sys.executable, "-c", READ, str(tmp_path), "a"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "None"), done.stderr


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\1" * 84])
def test_what_is_no_database_tells_nothing(traces: Traces, tmp_path: Path, content: bytes) -> None:
    database(tmp_path).write_bytes(content)
    assert traces.read(ROW) is None


def test_no_database_of_another_kind_is_read_for_many_rows_either(traces: Traces, tmp_path: Path) -> None:
    assert traces.below(ROW[:2], 9) == {ROW: {"prompt": "sha256:1"}}
    changed(database(tmp_path), "PRAGMA journal_mode=WAL")
    before = contents(tmp_path / "index")
    assert traces.below(ROW[:2], 9) == {}
    assert contents(tmp_path / "index") == before


@pytest.mark.parametrize("size", [0, 50, 5000])
def test_a_damaged_database_is_made_anew_by_the_next_note(traces: Traces, tmp_path: Path, size: int) -> None:
    path = database(tmp_path)
    path.write_bytes(path.read_bytes()[:size] + b"x" * 50)
    traces.write({ROW: {"prompt": "sha256:2"}})
    assert traces.read(ROW) == {"prompt": "sha256:2"}
