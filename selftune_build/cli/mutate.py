"""`selftune mutate`: one mutator asked for edits of one package; each is kept as a candidate, none is measured or applied."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from selftune_build.cli.paying import BUDGET, confirm, with_options
from selftune_build.cli.signals import interruptible
from selftune_build.cli.start import Opened, opened, request_for
from selftune_build.errors import UsageError
from selftune_build.limits import CANDIDATES

if TYPE_CHECKING:
    from selftune_build.engine.mutating.proposing import Situation
    from selftune_build.engine.package_run import PackageRun
    from selftune_build.engine.paying.completers import Completers
    from selftune_build.engine.request import Surroundings
    from selftune_build.mutators.protocol import Mutator
    from selftune_build.report.mutate import Mutation


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("target", metavar="PACKAGE")
@click.option(
    "--mutator", "name", default="targeted", show_default=True, metavar="ID", help="targeted, deterministic, or of a plugin."
)
@click.option("--seed", type=click.IntRange(0), default=42, show_default=True, help="Decides where there is a choice.")
@click.option(
    "--max-candidates", "most", type=click.IntRange(1, CANDIDATES), default=20, show_default=True, help="At most so many."
)
@click.option("--agent", metavar="NAME", help="Ask this agent (in the role `complete`) instead of going by the words alone.")
@click.option("--model", metavar="NAME", help="Model to ask it for; part of the key. Without --agent: the manifest's agent.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked or proposed; ask nobody, write nothing.")
@with_options(*BUDGET)
def command(target: str, name: str, most: int, directory: Path, as_json: bool, **given: Any) -> int:
    """Ask a mutator for edits of PACKAGE (its name or folder) that may mend what was measured, and print each with its reason and
    the command that measures it. Candidates are kept in the store; the tree stays as it is.

    A mutator sees what an agent gets, and of each case what lock and store know of the first agent that the manifest names;
    never a case that is tagged `holdout`, evals, tests, lock or manifest. A proposal that touches these, or other files than
    it says, is refused and named. `targeted` edits the description, `deterministic` the rows of the routing table.

    Exit status: 0 done, also where there is nothing to mend; 2 bad input, 3 nothing was measured yet, or the mutator or the agent
    gave no answer, 4 not written.
    """
    from selftune_build.engine.request import Surroundings
    from selftune_build.report import mutate
    from selftune_build.report.progress import Progress

    found = opened(directory, (target,))
    mutator = found.plugins.mutators.get(name)
    if mutator is None:
        raise UsageError(f"there is no mutator {name!r}", hint="`selftune plugins list` shows those that are there")
    progress = Progress(sys.stderr, quiet=as_json)
    around = Surroundings(progress=progress, confirm=confirm, registry=found.registry)
    with interruptible(around.stop, around.cancel, progress.urgent):
        result = _mutated(found, mutator, target, most, given, around)
    print(mutate.document(result) if as_json else mutate.text(result))
    return result.exit_code


def _mutated(found: Opened, mutator: Mutator, target: str, most: int, given: dict[str, Any], around: Surroundings) -> Mutation:
    from selftune_build.engine.mutating.known import evidence_of, view_of
    from selftune_build.engine.mutating.proposing import Situation, candidates, proposals
    from selftune_build.report.mutate import Mutation

    run = _planned(found, target)
    situation = Situation(view_of(found.universe, run), evidence_of(run), given["seed"])
    completers, questions, price = _consulted(found, run, mutator, situation, given, around)
    asks_first = completers is not None and given["dry_run"] and questions
    overlays = () if asks_first else proposals(mutator, situation, completers.of(run.package) if completers else None)
    every = candidates(found.universe, run.package, mutator, situation.view, overlays)
    proposed = tuple(each for _, each in zip(range(most), every, strict=False))
    return Mutation(
        package=run.package,
        mutator=mutator,
        seed=given["seed"],
        evidence=situation.evidence,
        proposed=proposed,
        paths={} if given["dry_run"] else _kept(found, [each.content for each in proposed if not each.refusal]),
        here=found.here,
        place=found.place,
        dry_run=given["dry_run"],
        questions=questions,
        price=price,
        agents=completers.names if completers else (),
        calls=completers.purse.calls if completers else 0,
        reused=completers.reused if completers else 0,
    )


def _planned(found: Opened, target: str) -> PackageRun:
    """The one package, under the first agent that its manifest names."""
    from selftune_build.engine.planning.invocation import plan
    from selftune_build.scaffold.chosen import only_package

    package = only_package(found.universe, target, found.here)
    request = request_for(found.here, (target,), package.manifest.agent[:1], None, dry_run=True)
    ((run,),) = plan(found.universe, request, found.registry).groups
    return run


def _consulted(
    found: Opened, run: PackageRun, mutator: Mutator, situation: Situation, given: dict[str, Any], around: Surroundings
) -> tuple[Completers | None, int, str | None]:
    """Who is asked, how many questions have no answer yet, and their price, agreed to; None where no model is asked."""
    if given["agent"] is None and given["model"] is None:
        return None, 0, None
    if mutator.consult is None:
        raise UsageError(f"the mutator {mutator.id!r} asks no model", hint="leave --agent and --model away")
    from selftune_build.engine.mutating.proposing import missing, questions
    from selftune_build.engine.paying.completers import Completers, CompletionWish

    wish = {name: given[name] for name in ("agent", "model", "max_calls", "max_cost", "assume_yes", "dry_run")}
    completers = Completers(found.universe, [run.package], CompletionWish(**wish), around)
    count = missing(completers.of(run.package), questions(mutator.consult, situation))
    return completers, count, completers.announced(count)


def _kept(found: Opened, contents: list[bytes]) -> dict[bytes, Path]:
    """Document → where it was kept."""
    if not contents:
        return {}
    from selftune_build.store.candidates import keep_candidate
    from selftune_build.store.location import open_store

    store = open_store(found.universe.root)
    return {content: keep_candidate(store, content) for content in contents}
