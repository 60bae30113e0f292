"""`selftune eval unit-test`: run the unit tests of a package, or draft some for review."""

from __future__ import annotations

from typing import Any

import click

from selftune_build.cli.build import command as build
from selftune_build.cli.errand import Craft
from selftune_build.cli.generating import errand, fulfil, options
from selftune_build.errors import UsageError
from selftune_build.graph.targets import parse_target

REVIEW = {
    False: "review each test before you build: no model was asked; they show that scripts start and know their options",
    True: "review each test before you build: a model wrote it from the script's text, and a build runs it for real",
}


@click.command("unit-test", short_help="Run unit tests; with --generate draft tests/generated.yaml for review.")
@click.argument("targets", nargs=-1, metavar="[PACKAGE]...")
@click.option("--generate", is_flag=True, help="Draft tests of the scripts into tests/generated.yaml; run nothing.")
@options
def command(targets: tuple[str, ...], generate: bool, **given: Any) -> int:
    """Run the unit tests of each PACKAGE, as `selftune build PACKAGE:unit-tests` does; or with --generate draft some.

    --generate writes tests of the scripts that a skill brings along into tests/generated.yaml of each PACKAGE, without PACKAGE
    of those that have scripts and no unit test. With --agent a model drafts and criticises them; without, they come from the
    scripts' own texts: that they answer --help and know the options that SKILL.md names, refuse a call without arguments, or
    at least parse. Nothing is run and nothing is overwritten: review the file, then build. Exit status: as `eval generate`.
    """
    if not generate:
        return _run(targets, given)
    from selftune_build.reading.scripts import scripts
    from selftune_build.scaffold.drafting.generation import TESTS_FILE
    from selftune_build.scaffold.drafting.phrasing import printable
    from selftune_build.scaffold.drafting.script_cases import FROM_A_MODEL, FROM_WORDS, generated
    from selftune_build.scaffold.drafting.script_questions import ask_for_tests, missing_tests
    from selftune_build.scaffold.drafting.script_words import script_drafts

    job = errand(targets, given)

    def from_a_model(completer: Any, found: Any) -> Any:
        drafts, rejected = ask_for_tests(found, completer, job.seed, job.most)
        return generated(found, drafts, f"{FROM_A_MODEL}# agent: {printable(completer.agent.name)}\n", job.seed, rejected)

    craft = Craft(
        schema="selftune.eval-unit-test/1",
        file=TESTS_FILE,
        stage="unit-tests",
        lacks=lambda package: not package.unit_tests and bool(scripts(package)),
        from_words=lambda found: generated(found, script_drafts(found, job.most), FROM_WORDS, job.seed),
        from_a_model=from_a_model,
        missing=lambda completer, found: missing_tests(found, completer, job.seed, job.most),
        review=REVIEW,
        nothing="every package that has a script has unit tests",
    )
    return fulfil(job, craft)


def _run(targets: tuple[str, ...], given: dict[str, Any]) -> int:
    """The stage `unit-tests` of these packages, as a build does it."""
    if given["synthetic"] or given["auto_synthetic"] or given["force"]:
        raise UsageError("--synthetic, --auto-synthetic and --force go with --generate", hint="add --generate")
    packages = (*targets, *given["skills"], *given["paths"])
    for text in packages:
        if parse_target(text).stage is not None:
            raise UsageError(f"{text!r} is no package", hint="name a package, or use `selftune build`")
    valued = {"--agent": "agent", "--model": "model", "--max-calls": "max_calls", "--max-cost": "max_cost", "-C": "directory"}
    flags = {"--dry-run": "dry_run", "--yes": "assume_yes", "--json": "as_json"}
    words = [word for option, name in valued.items() if given[name] is not None for word in (option, str(given[name]))]
    words += [option for option, name in flags.items() if given[name]]
    # Without `obj`: what this command line had to say must not be recalled for a build with the same words.
    status: int = build.main(args=["unit-tests", *words, "--", *packages], standalone_mode=False)
    return status
