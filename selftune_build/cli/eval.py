"""`selftune eval`: eval cases themselves, before anything is measured with them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from selftune_build.cli.eval_noise import command as noise
from selftune_build.cli.start import existing_folder, starting_folder
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.scaffold.generation import Generated, Generation, is_read, plan_generation
from selftune_build.scaffold.writing import Written, write_together

EXIT_INPUT = 2
CHECK = (
    "review each line: no model was asked, and prompts made from the description flatter trigger-recall: "
    "replace them by what users really say"
)


@click.group(help="Write and look at eval cases.", no_args_is_help=False)
def command() -> None:
    """The verbs below `selftune eval`."""


@command.command("generate", short_help="Draft evals/generated.yaml from the words of a skill, for review.")
@click.argument("targets", nargs=-1, metavar="[PACKAGE]...")
@click.option("--force", is_flag=True, help="Replace evals/generated.yaml where it is there; everything else stays.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-C", "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="As if started there.")
def generate(targets: tuple[str, ...], force: bool, as_json: bool, directory: Path) -> int:
    """Draft first cases into evals/generated.yaml of each PACKAGE (its name or folder), without PACKAGE of those that have
    no eval case: its name, its "Use when …", the rows of its tables, other business, and what its siblings are asked for.

    No model is asked and nothing is run. Exit status: 0 done, 2 bad input or a file in the way, 4 not written.
    """
    from selftune_build.engine.load import load_universe

    here = existing_folder(directory)
    universe = load_universe(starting_folder(here, targets))
    generation = plan_generation(universe, targets, here)
    written = write_together(universe.root, generation.contents, force=force)
    seen = load_universe(universe.root)  # as a build will see it: with the files just written
    unread = frozenset(package.path for package in seen.packages if not is_read(package))
    if as_json:
        print(json.dumps(_document(generation, written, unread, targets, directory), indent=1))
    else:
        lines = _lines(generation, written, unread, targets, directory)
        print("\n".join(one_line(line, MESSAGE_CHARACTERS) for line in lines))
    return _status(generation)


def _status(generation: Generation) -> int:
    return EXIT_INPUT if generation.broken else 0


def _next_command(targets: tuple[str, ...], directory: Path) -> str:
    place = () if directory == Path() else ("-C", str(directory))
    return shlex.join(("selftune", "build", "verify", *targets, *place))


def _lines(
    generation: Generation, written: Written, unread: frozenset[str], targets: tuple[str, ...], directory: Path
) -> Iterator[str]:
    for each in generation.generated:
        verb = "replaced" if each.path in written.replaced else "wrote"
        total, yes = len(each.drafting.drafts), each.drafting.triggering
        yield f"{verb} {each.path}: {total} cases, {yes} should trigger {each.package.name}, {total - yes} should not"
        yield from (f"  {note}" for note in _notes(each, unread))
    for broken in generation.broken:
        yield f"{broken.path}: cannot be read: {broken.error.message}" + (f" (at {broken.error.at})" if broken.error.at else "")
        yield f"  fix: {broken.error.hint or 'mend the file'}"
    if generation.generated:
        yield CHECK
    elif not generation.broken:
        yield "nothing to write: every package has eval cases; name a package to draft more for it"
    yield f"next: {_next_command(targets, directory)}"


def _notes(each: Generated, unread: frozenset[str]) -> Iterator[str]:
    yield from each.drafting.shortfalls
    if each.package.path in unread and each.drafting.drafts:
        yield "its manifest leads a build past this file: name it under `evals:` in selftune.yaml"


def _document(
    generation: Generation, written: Written, unread: frozenset[str], targets: tuple[str, ...], directory: Path
) -> dict[str, Any]:
    return {
        "schema": "selftune.eval-generate/1",
        "ok": _status(generation) == 0,
        "exit_code": _status(generation),
        "written": list(written.made),
        "overwritten": list(written.replaced),
        "packages": [_package_document(each, unread) for each in generation.generated],
        "unreadable": [{"path": broken.path, "message": broken.error.message} for broken in generation.broken],
        "check": CHECK,
        "next_command": _next_command(targets, directory),
    }


def _package_document(each: Generated, unread: frozenset[str]) -> dict[str, Any]:
    return {
        "name": each.package.name,
        "path": each.package.path,
        "file": each.path,
        "cases": len(each.drafting.drafts),
        "should_trigger": each.drafting.triggering,
        "notes": list(_notes(each, unread)),
    }


command.add_command(noise)
