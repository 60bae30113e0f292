"""`selftune eval composability`: whether a sibling beside a skill changes what comes of the skill's own cases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from selftune_build.cli.replaying import named_packages, number, options, percent, replay, scene
from selftune_build.errors import InputError, UsageError
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.model.location import Location
from selftune_build.report.document import envelope

if TYPE_CHECKING:
    from selftune_build.engine.siblings.composing import Composition, Shift
    from selftune_build.model.case import Case
    from selftune_build.model.package import Package

_WORDS = {
    "conflict": "conflict: prompts like these do worse beside it",
    "suspected": "suspected: some cases do worse, too few to show that others would",
    "none-seen": "no conflict seen",
    "unknown": "unknown: no case was measured both ways",
}


@click.command("composability", short_help="Whether a sibling beside a skill changes the skill's results, by replay.")
@click.argument("siblings", nargs=-1, metavar="[SIBLING]...")
@click.option("--skill", metavar="NAME", help="The skill whose cases are replayed.")
@click.option("--eval-set", type=click.Path(dir_okay=False, path_type=Path), help="Its cases, instead of those of the package.")
@options
def command(siblings: tuple[str, ...], skill: str | None, eval_set: Path | None, **given: Any) -> int:
    """Replay the cases of one skill (--skill, or --skill-path) alone and beside each SIBLING, by default all other packages of
    the workspace, and say which cases changed: a row for each sibling, its conflicts with their prompts.

    Samples are those of `selftune build replay`: what is there is not taken again. Exit status: 0 measured, 2 bad input, 3
    samples are missing.
    """
    from selftune_build.engine.siblings.family import compositions, pairing

    named = [*([skill] if skill else []), *given["paths"]]
    if len(named) != 1:
        raise UsageError("composability is about one skill", hint="name it with --skill NAME or --skill-path DIR")
    found = scene((*siblings, *([skill] if skill else [])), given)
    subject = named_packages(found, named)
    if len(subject) != 1:
        raise UsageError(f"{named[0]!r} names {len(subject)} skills", hint="name one")
    beside = named_packages(found, siblings) if siblings else list(found.universe.packages)
    cases = _cases(subject[0], eval_set)
    pairs = pairing(subject[0], [each for each in beside if each.path != subject[0].path], cases)
    replayed = replay(found, pairs.settings, quiet=given["as_json"])
    results = compositions(pairs, replayed.seen, subject[0].manifest.samples.confidence)
    if given["as_json"]:
        document = {"skill": subject[0].name, "siblings": [_document(each) for each in results]}
        print(envelope("selftune.eval-composability/1", replayed.exit_code, **replayed.document(), **document))
    else:
        print("\n".join(one_line(line, MESSAGE_CHARACTERS) for line in (*_lines(subject[0], results), *replayed.lines())))
    return replayed.exit_code


def _cases(package: Package, eval_set: Path | None) -> Sequence[Case]:
    if eval_set is None:
        return package.evals
    from selftune_build.engine.package_files import reader
    from selftune_build.limits import EVAL_FILE_BYTES
    from selftune_build.reading.evals.suite import read_eval_files

    try:
        with eval_set.open("rb") as stream:
            content = stream.read(EVAL_FILE_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{eval_set} cannot be read: {error.strerror}", hint="name a file of eval cases") from None
    if len(content) > EVAL_FILE_BYTES:
        raise InputError(f"the file is larger than {EVAL_FILE_BYTES:,} bytes", at=Location(str(eval_set)), hint="split it")
    inside = reader(Path(package.root))

    def read(path: str) -> bytes:
        """The file itself; what its cases bring along lies in the package."""
        return content if path == str(eval_set) else inside(path)

    return read_eval_files([str(eval_set)], read, True, package_name=package.name, limits=package.manifest.limits).cases


def _lines(skill: Package, results: Sequence[Composition]) -> Iterator[str]:
    yield f"cases of {skill.name} that hold, alone and beside a sibling:"
    for each in results:
        change = "-" if each.difference is None else f"{float(each.difference):+.2f}"
        yield f"  {each.sibling}: {_WORDS[each.harmony.value]}; change {change}, between {each.low:+.2f} and {each.high:+.2f}"
        for shift in each.shifts:
            if shift.worse or shift.better:
                yield f"    {'worse' if shift.worse else 'better'} [{shift.case}] {_change(shift, each.sibling)}: {shift.prompt}"


def _change(shift: Shift, sibling: str) -> str:
    used = f", {sibling} was used in {percent(shift.sibling_used)}" if shift.sibling_used else ""
    return f"{percent(shift.alone)} to {percent(shift.beside)}{used}"


def _document(each: Composition) -> dict[str, Any]:
    return {
        "sibling": each.sibling,
        "verdict": each.harmony.value,
        "difference": number(each.difference),
        "low": round(each.low, 4),
        "high": round(each.high, 4),
        "cases": [
            {
                "case": shift.case,
                "prompt": shift.prompt,
                "alone": number(shift.alone),
                "beside": number(shift.beside),
                "sibling_used": number(shift.sibling_used),
                "change": "worse" if shift.worse else "better" if shift.better else "same",
            }
            for shift in each.shifts
        ],
    }
