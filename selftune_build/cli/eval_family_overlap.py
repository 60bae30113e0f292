"""`selftune eval family-overlap`: which skill of a family is activated for whose prompts."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from selftune_build.cli.replaying import Scene, named_packages, number, options, percent, replay, scene
from selftune_build.cli.start import typed
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS, NAME_CHARACTERS
from selftune_build.report.document import envelope
from selftune_build.wording import counted

if TYPE_CHECKING:
    from selftune_build.engine.siblings.overlap import Cell, Claim, Overlap
    from selftune_build.model.package import Package

_SHOWN_PROMPTS = 5
_CELL = 6


@click.command("family-overlap", short_help="Which of several skills is activated for whose prompts, by replay.")
@click.argument("targets", nargs=-1, metavar="[PACKAGE]...")
@click.option("--prefix", metavar="X-", help="The skills whose names begin so.")
@click.option("--skills", metavar="A,B", help="The skills of these names.")
@click.option("--parent-skill", metavar="NAME", help="Skill that would take the family in, named in the proposal.")
@click.option(
    "--min-overlap",
    type=click.FloatRange(0, 1),
    default=0.3,
    show_default=True,
    help="Contested prompts over those of the skill that has fewer.",
)
@click.option("--min-shared", type=click.IntRange(1), default=2, show_default=True, help="Contested prompts of a pair.")
@options
def command(
    targets: tuple[str, ...],
    prefix: str | None,
    skills: str | None,
    parent_skill: str | None,
    min_overlap: float,
    min_shared: int,
    **given: Any,
) -> int:
    """Replay the prompts that each skill of a family claims (its cases with `should_trigger: true`) with the whole family
    staged, and say who was activated: a matrix, and each pair with the prompts between them. Without PACKAGE, --prefix or
    --skills the family is the workspace.

    Samples are those of `selftune build replay`: what it has taken is not taken again, what is taken here serves it. Exit
    status: 0 measured, 2 bad input, 3 samples are missing.
    """
    from selftune_build.engine.siblings.family import claims, family
    from selftune_build.engine.siblings.overlap import matrix, overlaps

    words = (*targets, *(each.strip() for each in (skills or "").split(",") if each.strip()))
    found = scene(words, given)
    members = _members(found, prefix)
    settings = family(found.universe, members)
    replayed = replay(found, settings, quiet=given["as_json"])
    claimed = claims(settings, replayed.seen)
    names = [package.name for package in members]
    pairs = overlaps(claimed, names)
    reported = [each for each in pairs if each.share >= Fraction(str(min_overlap)) and _prompts(each) >= min_shared]
    result = _Result(members, claimed, matrix(claimed, names), pairs, reported, parent_skill, typed(given["directory"]))
    if given["as_json"]:
        told = {**replayed.document(), **result.document()}
        print(envelope("selftune.eval-family-overlap/1", replayed.exit_code, **told))
    else:
        print("\n".join(one_line(line, MESSAGE_CHARACTERS) for line in (*result.lines(), *replayed.lines())))
    return replayed.exit_code


def _members(found: Scene, prefix: str | None) -> list[Package]:
    words = found.request.targets
    by_name = [package for package in found.universe.packages if prefix is not None and package.name.startswith(prefix)]
    named = named_packages(found, words) if words else []
    if not words and prefix is None:
        return list(found.universe.packages)
    chosen = {package.path for package in (*by_name, *named)}
    return [package for package in found.universe.packages if package.path in chosen]


def _prompts(pair: Overlap) -> int:
    return len({each.prompt for each in pair.contested})


class _Result:
    """The matrix and the pairs, as text and as JSON."""

    def __init__(
        self,
        members: list[Package],
        claimed: list[Claim],
        cells: tuple[Cell, ...],
        pairs: tuple[Overlap, ...],
        reported: list[Overlap],
        parent: str | None,
        place: str,
    ) -> None:
        from selftune_build.engine.siblings.overlap import families

        self._names = [package.name for package in members]
        self._handles = {package.name: package.handle for package in members}
        self._place = place
        self._claimed = claimed
        self._cells = cells
        self._pairs = pairs
        self._reported = reported
        self._parent = parent
        self._families = families(reported)

    def document(self) -> dict[str, Any]:
        return {
            "skills": self._names,
            "matrix": [
                {"owner": each.owner, "activated": each.taker, "share": number(each.share), "prompts": each.prompts}
                for each in self._cells
            ],
            "overlaps": [self._pair(each) for each in self._reported],
            "below_threshold": [self._pair(each) for each in self._pairs if each not in self._reported],
            "consolidation_candidates": [{"parent_skill": self._parent, "members": list(each)} for each in self._families],
            "skills_without_prompts": self._silent,
        }

    def lines(self) -> Iterator[str]:
        from selftune_build.advice import command as advised

        width = max(len(one_line(name, NAME_CHARACTERS)) for name in self._names)
        yield "who is activated (columns) for whose prompts (rows), mean share of samples:"
        yield " " * (width + 5) + "".join(f"{f'[{number}]':>{_CELL}}" for number in range(1, len(self._names) + 1))
        for position, owner in enumerate(self._names, 1):
            row = [cell for cell in self._cells if cell.owner == owner]
            yield (
                f"{f'[{position}]':>4} {owner:<{width}}"
                + "".join(f"{percent(cell.share):>{_CELL}}" for cell in row)
                + (f"  of {row[0].prompts} prompts")
            )
        for name in self._silent:
            drafting = advised("eval generate", self._handles[name], place=self._place)
            yield f"{name} claims no prompt: `{drafting}` drafts some"
        for pair in self._reported:
            yield from self._told(pair)
        if not self._reported:
            below = f" ({counted(len(self._pairs), 'pair')} below it)" if self._pairs else ""
            yield f"no overlap that reaches the threshold{below}"
        for each in self._families:
            into = f" into {self._parent}" if self._parent else ""
            yield f"overlaps link these skills, a candidate for consolidation{into}: {', '.join(each)}"

    @property
    def _silent(self) -> list[str]:
        return [name for name in self._names if not any(claim.owner == name for claim in self._claimed)]

    def _told(self, pair: Overlap) -> Iterator[str]:
        yield f"overlap of {pair.one} and {pair.other}: {percent(pair.share)}, pressure {pair.pressure}"
        for each in pair.contested[:_SHOWN_PROMPTS]:
            both = ", and both claim it" if each.claimed_by_both else ""
            yield f"  {each.owner}[{each.case}] activates {each.taker} in {percent(each.share)}{both}: {each.prompt}"
        if len(pair.contested) > _SHOWN_PROMPTS:
            yield f"  and {len(pair.contested) - _SHOWN_PROMPTS} more; --json lists them"

    @staticmethod
    def _pair(pair: Overlap) -> dict[str, Any]:
        return {
            "skills": [pair.one, pair.other],
            "share": number(pair.share),
            "pressure": pair.pressure,
            "prompts": [
                {
                    "owner": each.owner,
                    "case": each.case,
                    "prompt": each.prompt,
                    "activated": each.taker,
                    "share": number(each.share),
                    "claimed_by_both": each.claimed_by_both,
                }
                for each in pair.contested
            ],
        }
