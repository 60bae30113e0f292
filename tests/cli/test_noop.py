"""The no-op state: the same answer without any work, and never from a state that is not our own and true."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.idle import Installation, age, copies, forget, noted, states

WAYS = [(), ("--json",), ("-q",), ("-v", "brew:replay")]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return Installation(tmp_path_factory.mktemp("installation"))


@pytest.fixture(scope="module")
def aged(built_kitchen: Path, tmp_path_factory: pytest.TempPathFactory, installation: Installation) -> Iterator[Path]:
    """Copies of a kitchen that are old enough to be noted, each handed out once."""
    found = copies(built_kitchen / "workspace", tmp_path_factory.mktemp("aged"), 16)
    age()
    return iter(found)


@pytest.fixture
def workspace(aged: Iterator[Path]) -> Path:
    return next(aged)


@pytest.mark.parametrize("options", WAYS, ids=" ".join)
def test_what_is_recalled_is_what_the_work_would_print(
    workspace: Path, installation: Installation, options: tuple[str, ...]
) -> None:
    worked = noted(installation, [workspace], *options)[workspace]
    recalled = installation.ask("build", "-C", str(workspace), *options)
    assert (worked.recalled, recalled.recalled) == (False, True)
    assert (recalled.status, recalled.stdout) == (worked.status, worked.stdout)
    forget(workspace)
    assert installation.ask("build", "-C", str(workspace), *options).stdout == recalled.stdout


def test_nothing_third_party_and_nothing_slow_is_imported_for_it(workspace: Path, installation: Installation) -> None:
    noted(installation, [workspace])
    answer = installation.ask("build", "-C", str(workspace))
    assert (answer.third_party, answer.standard) == (frozenset(), frozenset())


def test_without_a_state_a_noop_imports_neither_graph_nor_terminal_nor_event_loop(
    workspace: Path, installation: Installation
) -> None:
    answer = installation.ask("build", "-C", str(workspace))
    assert not answer.recalled
    assert answer.third_party & {"networkx", "rich", "numpy", "bm25s", "scipy"} == set()
    assert "asyncio" not in answer.standard


def test_a_state_belongs_to_one_command_line_one_folder_and_one_environment(workspace: Path, installation: Installation) -> None:
    noted(installation, [workspace])
    assert not installation.ask("build", "-C", str(workspace), "-v").recalled
    assert not installation.ask("build", "-C", str(workspace), folder=workspace.parent).recalled
    assert not installation.ask("build", "-C", str(workspace), COLUMNS="70").recalled
    assert not installation.ask("build", "-C", str(workspace), SELFTUNE_STORE=str(workspace.parent / "other")).recalled
    assert installation.ask("build", "-C", str(workspace), OLDPWD="/somewhere").recalled


@pytest.mark.parametrize("option", ["--locked", "--dry-run"])
def test_what_must_look_again_neither_notes_nor_recalls(workspace: Path, installation: Installation, option: str) -> None:
    first = installation.ask("build", "-C", str(workspace), option)
    second = installation.ask("build", "-C", str(workspace), option)
    assert (states(workspace), first.recalled, second.recalled) == ([], False, False)


def test_from_inside_a_package_the_state_of_the_workspace_is_found(workspace: Path, installation: Installation) -> None:
    installation.ask("build", folder=workspace / "brew" / "references")
    assert installation.ask("build", folder=workspace / "brew" / "references").recalled


def test_a_path_as_target_leads_to_the_state_of_its_workspace(workspace: Path, installation: Installation) -> None:
    target = os.path.relpath(workspace / "brew", installation.elsewhere)
    worked = installation.ask("build", target)
    recalled = installation.ask("build", target)
    assert (recalled.recalled, recalled.stdout) == (True, worked.stdout)


def test_what_was_changed_a_moment_ago_is_not_noted(built_kitchen: Path, tmp_path: Path, installation: Installation) -> None:
    (workspace,) = copies(built_kitchen / "workspace", tmp_path, 1)
    assert installation.ask("build", "-C", str(workspace)).status == 0
    assert states(workspace) == []


def test_only_a_few_states_are_kept(workspace: Path, installation: Installation) -> None:
    for number in range(9):
        installation.ask("build", "-C", str(workspace), "-q", "-j", str(number + 1))
    assert len(states(workspace)) == 8
    assert installation.ask("build", "-C", str(workspace), "-q", "-j", "9").recalled
    assert not installation.ask("build", "-C", str(workspace), "-q", "-j", "1").recalled


def damaged(content: bytes) -> Iterator[bytes]:
    """The state cut off at places all over it, and with one bit turned."""
    yield b""
    yield from (content[:length] for length in [*range(1, 120), *range(120, len(content), 211)])
    chance = random.Random(7)
    for _ in range(150):
        turned = bytearray(content)
        turned[chance.randrange(len(turned))] ^= 1 << chance.randrange(8)
        yield bytes(turned)
    yield content.replace(b"selftune.state/1", b"selftune.state/2")
    yield content + b"\0"


def test_a_damaged_or_newer_state_is_no_state(
    workspace: Path, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from selftune_build.store import state

    monkeypatch.chdir(installation.elsewhere)
    arguments = ["-C", str(workspace)]
    noted(installation, [workspace])
    (path,) = states(workspace)
    times, content = path.stat(), path.read_bytes()
    # Named for another process; what is asked here is what its bytes are worth.
    monkeypatch.setattr(state, "invocation", lambda _: path.name.removesuffix(".state"))
    assert state.recall(arguments) is not None
    for bytes_ in damaged(content):
        path.write_bytes(bytes_)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        assert state.recall(arguments) is None, (len(bytes_), len(content))
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert state.recall(arguments) is not None


def test_a_state_that_came_with_a_checkout_is_not_believed(
    built_kitchen: Path, tmp_path: Path, workspace: Path, installation: Installation
) -> None:
    noted(installation, [workspace])
    moved = tmp_path / "aside"
    shutil.move(workspace, moved)
    shutil.copytree(moved, workspace, symlinks=True)
    (state,) = states(workspace)
    forged = state.read_bytes().replace(b"pass", b"PASS")
    state.write_bytes(forged)
    answer = installation.ask("build", "-C", str(workspace))
    assert (answer.recalled, "PASS" in answer.stdout) == (False, False)


def test_a_whole_state_with_nothing_of_the_workspace_in_it_is_not_believed(
    workspace: Path, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from selftune_build.store import state

    monkeypatch.chdir(installation.elsewhere)
    name = state.invocation(["-C", str(workspace)])
    index = workspace / ".selftune" / "index"
    index.mkdir(exist_ok=True)
    here = os.fsencode(workspace / "selftune.yaml")
    for watched, believed in (
        ([], False),
        ([(b"/", state.look(b"/", state.EXACT))], False),
        ([(here, state.look(here, state.KIND))], False),
        ([(b"/selftune.yaml", state.look(b"/selftune.yaml", state.EXACT))], False),
        ([(os.fsencode(os.__file__), state.look(os.fsencode(os.__file__), state.EXACT))], False),
        ([(here, state.look(here, state.EXACT))], True),
    ):
        body = state.encoded_body(name, "forged", 0, watched)
        (index / f"{name}.state").write_bytes(state.wrapped(state.MAGIC, body, 1, 2_000_000_000))
        os.utime(index / f"{name}.state", ns=(0, 2_000_000_000))
        assert (state.recall(["-C", str(workspace)]) is not None) is believed


def test_a_clock_that_was_set_back_makes_every_state_doubtful(
    workspace: Path, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from selftune_build.store import state

    monkeypatch.chdir(installation.elsewhere)
    noted(installation, [workspace])
    (path,) = states(workspace)
    monkeypatch.setattr(state, "invocation", lambda _: path.name.removesuffix(".state"))
    assert state.recall(["-C", str(workspace)]) is not None
    monkeypatch.setattr(state.time, "time_ns", lambda: path.stat().st_ctime_ns - 10**10)
    assert state.recall(["-C", str(workspace)]) is None
