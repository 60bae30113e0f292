"""`selftune eval generate`: first eval cases of a package, for review."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from selftune_build.cli.errand import Craft
from selftune_build.cli.generating import errand, fulfil, options

REVIEW = {
    False: "review each line: no model was asked, and prompts made from the description flatter trigger-recall: "
    "replace them by what users really say",
    True: "review each line: a model guessed what users say; what it drafted and did not survive is listed above",
}


@click.command("generate", short_help="Draft evals/generated.yaml for review: by a model, or from the words of a skill.")
@click.argument("targets", nargs=-1, metavar="[PACKAGE]...")
@click.option(
    "--output",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file of the one PACKAGE instead of evals/generated.yaml.",
)
@click.option("--no-negatives", is_flag=True, help="Only cases that should trigger the skill.")
@options
def command(targets: tuple[str, ...], no_negatives: bool, output: Path | None, **given: Any) -> int:
    """Draft cases into evals/generated.yaml of each PACKAGE (its name or folder), without PACKAGE of those that have no eval
    case: explicit, implicit and contextual ones that should trigger the skill, negatives, and prompts that belong to a sibling.

    With --agent a model drafts and criticises them in two calls, which are kept in the store: the same question with the same
    seed asks nobody again. Without, they come from the skill's name, its "Use when …", the rows of its tables, what its
    description rules out, other business, and what its siblings are asked for. Either way a third of each kind is tagged
    `holdout`: whoever improves the skill must not see it. Exit status: 0 done, 2 bad input or a file in the way, 3 the agent
    gave no valid answer, 4 not written.
    """
    from selftune_build.scaffold.drafting.generation import EVALS_FILE
    from selftune_build.scaffold.drafting.modelled import FromModel
    from selftune_build.scaffold.drafting.words import FromWords
    from selftune_build.scaffold.eval_file import from_a_model, from_words

    job = errand(targets, given)
    by_words = FromWords(job.seed, job.most, negatives=not no_negatives)

    def by(completer: Any) -> FromModel:
        return FromModel(completer, job.seed, job.most, negatives=not no_negatives)

    craft = Craft(
        output=output,
        schema="selftune.eval-generate/1",
        file=EVALS_FILE,
        stage="verify",
        lacks=lambda package: not package.evals,
        from_words=lambda found: from_words(found, by_words.draft(found), job.seed),
        from_a_model=lambda completer, found: from_a_model(
            found, by(completer).draft(found), job.seed, completer.agent.name, completer.model
        ),
        missing=lambda completer, found: by(completer).missing(found),
        review=REVIEW,
        nothing="every package has cases",
    )
    return fulfil(job, craft)
