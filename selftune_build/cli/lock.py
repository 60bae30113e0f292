"""`selftune lock`: what changed in locks, merging and signing them, and accepting a row as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from selftune_build.cli.lock_sign import sign
from selftune_build.cli.start import existing_folder, open_plugins, starting_folder, typed
from selftune_build.engine.request import BuildRequest
from selftune_build.errors import UsageError
from selftune_build.escape import one_line
from selftune_build.exits import REFUSED
from selftune_build.limits import LOCK_BYTES, MESSAGE_CHARACTERS
from selftune_build.model.package import LOCK_FILE, MANIFEST_FILE
from selftune_build.report.document import envelope

if TYPE_CHECKING:
    from selftune_build.engine.load import Universe
    from selftune_build.engine.locks.diff import LockChange
    from selftune_build.model.lock import Lock

_FOLDER = click.Path(file_okay=False, path_type=Path)
_IN = click.option("-C", "--directory", type=_FOLDER, default=Path(), help="Run as if started there.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group(help="What changed in locks, merging and signing them, accepting a row as it is.")
def command() -> None:
    """The verbs below `selftune lock`."""


command.add_command(sign)


@command.command("diff")
@click.argument("revision", default="HEAD", metavar="[REV]")
@_IN
@_JSON
def diff(revision: str, directory: Path, as_json: bool) -> int:
    """Say in words what the locks of the workspace say otherwise than at REV (default HEAD): cases with their counts,
    verdicts of gates, agents, policy, tree."""
    from selftune_build.engine.locks.diff import lock_changes
    from selftune_build.engine.past.locks import both_readings

    universe = _universe(directory, ())
    readings = both_readings(universe, revision)
    found = [(name, path, changes) for name, path, before, after in readings if (changes := lock_changes(before, after))]
    if as_json:
        packages = [{"name": name, "path": path, "changes": list(map(_plain, changes))} for name, path, changes in found]
        _print_json(revision=revision, packages=packages)
    else:
        _print_lines(_diff_lines(found, revision))
    return 0


@command.command("merge")
@click.argument("files", nargs=-1, metavar="[BASE OURS THEIRS]", type=click.Path(path_type=Path))
@_IN
@_JSON
def merge(files: tuple[Path, ...], directory: Path, as_json: bool) -> int:
    """Merge three locks into OURS row by row, as git calls a merge driver; without files, heal every lock of the workspace
    that has conflict markers. Asks no agent.

    Exit status: 0 merged or healed, 1 one of the three is no lock that can be merged (OURS is left as it is).
    """
    if files:
        return _merge_files(files)
    from selftune_build.advice import command as advised
    from selftune_build.engine.locks.files import write_lock
    from selftune_build.engine.locks.healing import healed_locks

    folder = existing_folder(directory)
    universe, registry = _universe(directory, ()), open_plugins(starting_folder(folder, ()), locked=True).registry
    healed = list(healed_locks(universe, BuildRequest(directory=folder), registry))
    for package, lock in healed:
        write_lock(package, lock)
    names = [(package.handle, sum(map(len, _rows(lock)))) for package, lock in healed]
    if as_json:
        _print_json(healed=[{"name": name, "rows": rows} for name, rows in names])
    else:
        _print_lines([f"healed {name}: {rows} rows hold" for name, rows in names] or ["no lock has conflict markers"])
        _print_lines([f"next: {advised('build', name, place=typed(directory))}" for name, _ in names])
    return 0


@command.command("install-driver")
@_IN
@_JSON
def install_driver(directory: Path, as_json: bool) -> int:
    """Let git merge locks row by row in this clone: adds a line to .gitattributes and a section to the clone's configuration.

    A clone without it merges locks as text; the next build heals what that leaves.
    """
    from selftune_build.scaffold.merge_driver import install_driver as install

    written = install(existing_folder(directory)).written
    if as_json:
        _print_json(written=list(written))
    else:
        _print_lines([f"added to {path}" for path in written] or ["nothing to write: everything is here already"])
    return 0


@command.command("accept")
@click.argument("target", metavar="PACKAGE:STAGE[CASE]")
@click.option("--reason", required=True, help="Why the row is accepted; shown in every report.")
@click.option("--agent", "agents", multiple=True, metavar="NAME", help="Under this agent only; may be repeated.")
@_IN
@_JSON
def accept(target: str, reason: str, agents: tuple[str, ...], directory: Path, as_json: bool) -> int:
    """Accept one row as it is, failing or stale: write a waiver into the manifest of its package.

    The waiver is bound to the key of the row, so the next change of what the row depends on needs a new one.
    """
    from selftune_build.advice import command as advised
    from selftune_build.engine.locks.acceptance import acceptable
    from selftune_build.scaffold.acceptance import with_waivers
    from selftune_build.scaffold.writing import write_together

    if not reason.strip():
        raise UsageError("a waiver needs a reason", hint="--reason 'what you know and the row does not'")
    folder = existing_folder(directory)
    universe = _universe(directory, (target,))
    registry = open_plugins(starting_folder(folder, (target,)), locked=True).registry
    request = BuildRequest(directory=folder, place=typed(directory), targets=(target,), agents=agents)
    found = acceptable(universe, request, registry, reason.strip())
    root = Path(found.package.root)
    before = _read(root / MANIFEST_FILE)
    content = with_waivers(before, (PurePosixPath(found.package.path) / MANIFEST_FILE).as_posix(), found.waivers)
    write_together(root, {MANIFEST_FILE: content}, force=before is not None)
    following = advised("build", found.package.handle, place=typed(directory))
    if as_json:
        waivers = [{"target": each.target, "key": each.key, "reason": each.reason} for each in found.waivers]
        _print_json(path=str(root / MANIFEST_FILE), accepted=waivers, next_command=following)
    else:
        meaning = "gates leave it out: it neither passes nor fails, and every report says so"
        _print_lines([f"accepted {found.waivers[0].target} in {root / MANIFEST_FILE}", meaning, f"next: {following}"])
    return 0


def _merge_files(files: Sequence[Path]) -> int:
    from selftune_build.lock.merge import merge_locks
    from selftune_build.lock.rendering import render
    from selftune_build.store.atomic import write_atomic

    if len(files) != 3:
        raise UsageError("merge takes BASE, OURS and THEIRS, or no file", hint="git calls it so: selftune lock merge %O %A %B")
    base, ours, theirs = map(_lock_in, files)
    if ours is None or theirs is None or ours.package != theirs.package:
        return REFUSED
    write_atomic(files[1], render(merge_locks(base if base and base.package == ours.package else None, ours, theirs)))
    return 0


def _lock_in(path: Path) -> Lock | None:
    """The lock in a file, None where it is none of a version that is known here."""
    from selftune_build.lock.parsing import read_lock

    reading = read_lock(_read(path) or b"")
    return reading.locks[0] if len(reading.locks) == 1 else None


def _read(path: Path) -> bytes | None:
    from selftune_build.store.atomic import store_errors

    if not path.exists():
        return None
    with store_errors("read", path), path.open("rb") as stream:
        return stream.read(LOCK_BYTES + 1)


def _universe(directory: Path, targets: Sequence[str]) -> Universe:
    from selftune_build.engine.load import load_universe

    start = starting_folder(existing_folder(directory), targets)
    return load_universe(start, registry=open_plugins(start, locked=True).registry)


def _rows(lock: Lock) -> Iterator[dict[str, Any]]:
    return (arms for entry in lock.agents.values() for arms in entry.cases.values())


def _plain(change: LockChange) -> dict[str, str | None]:
    return {"kind": change.kind, "agent": change.agent, "case": change.case, "arm": change.arm, "message": change.message}


def _diff_lines(found: Sequence[tuple[str, str, Sequence[LockChange]]], revision: str) -> Iterator[str]:
    if not found:
        yield f"no lock differs from {revision}"
    for name, path, changes in found:
        yield f"{name} ({path}/{LOCK_FILE})"
        yield from (f"  {_subject(change)}{change.message}" for change in changes)


def _subject(change: LockChange) -> str:
    words = [f"agent {change.agent}"] if change.agent is not None else []
    words += [f"case {change.case}"] if change.case is not None else []
    return ", ".join(words) + ": " if words else ""


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        print(" " * indent + one_line(line[indent:], MESSAGE_CHARACTERS))


def _print_json(**fields: Any) -> None:
    print(envelope("selftune.lock-command/1", 0, **fields))
