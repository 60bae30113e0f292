"""What `eval generate` and `eval unit-test --generate` have in common: draft, write for review, say what came of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from selftune_build.cli.drafted import rendered
from selftune_build.cli.errand import Craft, Errand, Outcome
from selftune_build.cli.paying import BUDGET, confirm, with_options
from selftune_build.cli.signals import interruptible
from selftune_build.cli.start import existing_folder, opened, typed
from selftune_build.errors import UsageError
from selftune_build.limits import DRAFTED_PER_SIDE

if TYPE_CHECKING:
    from selftune_build.engine.load import Universe
    from selftune_build.engine.paying.completers import Completers
    from selftune_build.engine.request import Surroundings
    from selftune_build.model.package import Package
    from selftune_build.scaffold.drafting.generation import Situation

options = with_options(
    click.option("--skill", "skills", multiple=True, metavar="NAME", help="As PACKAGE; may be repeated."),
    click.option("--skill-path", "paths", multiple=True, metavar="DIR", help="As PACKAGE; may be repeated."),
    click.option("--agent", metavar="NAME", help="Ask this agent (in the role `complete`) instead of going by the words alone."),
    click.option("--model", metavar="NAME", help="Model to ask it for; part of the key. Without --agent: the manifest's agent."),
    click.option("--synthetic", is_flag=True, help="Ask the manifest's agent."),
    click.option(
        "--auto-synthetic", is_flag=True, help="Ask the manifest's agent if it can be asked, else go by the words alone."
    ),
    click.option("--seed", type=click.IntRange(0), default=42, show_default=True, help="Decides where there is a choice."),
    click.option(
        "--max", "most", type=click.IntRange(1, DRAFTED_PER_SIDE), help="At most so many cases; of evals, on each side."
    ),
    click.option("--force", is_flag=True, help="Replace the generated file where it is there; everything else stays."),
    click.option("--dry-run", is_flag=True, help="Say what would be asked and written; ask nobody, write nothing."),
    *BUDGET,
)
"""Every option that the two commands share."""


def errand(targets: tuple[str, ...], given: dict[str, Any]) -> Errand:
    """The errand of a command line, from the values of the shared options."""
    from selftune_build.engine.paying.completers import CompletionWish

    directory: Path = given["directory"]
    named = given["agent"] is not None or given["model"] is not None or given["synthetic"]
    wish = {name: given[name] for name in ("agent", "model", "max_calls", "max_cost", "assume_yes", "dry_run")}
    return Errand(
        targets=(*targets, *given["skills"], *given["paths"]),
        directory=existing_folder(directory),
        place=typed(directory),
        wish=CompletionWish(**wish),
        asks=True if named else None if given["auto_synthetic"] else False,
        **{name: given[name] for name in ("seed", "most", "force", "as_json")},
    )


def fulfil(job: Errand, craft: Craft) -> int:
    """Draft, write, and print what came of it. Raises SelftuneError where nothing could be done at all."""
    from selftune_build.engine.request import Surroundings
    from selftune_build.report.progress import Progress

    found = opened(job.directory, job.targets)
    progress = Progress(sys.stderr, quiet=job.as_json)
    around = Surroundings(progress=progress, confirm=confirm, registry=found.registry)
    with interruptible(around.stop, around.cancel, progress.urgent):
        outcome = _outcome(job, craft, found.universe, around)
    print(rendered(job, craft, outcome))
    return outcome.exit_code


def _outcome(job: Errand, craft: Craft, universe: Universe, around: Surroundings) -> Outcome:
    from selftune_build.engine.load import load_universe
    from selftune_build.engine.paying.completers import Completers
    from selftune_build.scaffold.chosen import chosen_packages
    from selftune_build.scaffold.drafting.generation import Generation, generate, is_read, situations
    from selftune_build.scaffold.writing import Written, refuse_existing, write_together

    packages, broken = chosen_packages(universe, job.targets, job.directory)
    chosen = [package for package in packages if job.targets or craft.lacks(package)]
    found = list(situations(universe, chosen, _file(job, craft, chosen)))
    completers = None if job.asks is False else Completers(universe, chosen, job.wish, around)
    if completers is not None and job.asks is None and not all(completers.can(each.package) for each in found):
        completers = None
    if not job.dry_run:
        refuse_existing(universe.root, [each.path for each in found], force=job.force)
    questions, price = _price(completers, craft, found)
    generation = Generation()
    if completers is None:
        generation = generate(found, craft.from_words)
    elif not job.dry_run:
        generation = generate(found, lambda each: craft.from_a_model(completers.of(each.package), each))
    written = Written() if job.dry_run else write_together(universe.root, generation.contents, force=job.force)
    seen = load_universe(universe.root, registry=around.registry)  # as a build will see it: with the files just written
    paths = {each.package.path: each.path for each in generation.generated if each.path in written.made + written.replaced}
    return Outcome(
        generation=generation,
        written=written,
        unreadable=[_unreadable(each.path, each.error.message, each.error.at, each.error.hint) for each in broken],
        unread=frozenset(each.path for each in seen.packages if each.path in paths and not is_read(each, paths[each.path])),
        asked=completers is not None,
        agents=completers.names if completers else (),
        price=price,
        questions=questions,
        calls=completers.purse.calls if completers else 0,
        reused=completers.reused if completers else 0,
        interrupted=around.stop.is_set(),
    )


def _file(job: Errand, craft: Craft, chosen: list[Package]) -> str:
    """The file to write, relative to the package. Raises UsageError for `--output` outside of the one package."""
    if craft.output is None:
        return craft.file
    if len(chosen) != 1:
        raise UsageError(f"--output is the file of one package, and here are {len(chosen)}", hint="name one package")
    file = os.path.relpath(os.path.realpath(job.directory / craft.output), os.path.realpath(chosen[0].root))
    if file.startswith(".."):
        raise UsageError(f"{craft.output} lies outside of {chosen[0].path}", hint="a build reads only files of the package")
    return Path(file).as_posix()


def _price(completers: Completers | None, craft: Craft, found: list[Situation]) -> tuple[int, str | None]:
    """Questions without an answer and what they cost, said and agreed to before the first of them."""
    if completers is None:
        return 0, None
    questions = sum(craft.missing(completers.of(each.package), each) for each in found)
    return questions, completers.announced(questions)


def _unreadable(path: str, message: str, at: object, hint: str | None) -> dict[str, str]:
    return {"path": path, "message": f"{message} (at {at})" if at else message, "fix": hint or "mend the file"}
