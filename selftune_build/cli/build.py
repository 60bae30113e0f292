"""`selftune build`: bring targets up to date, or under `--locked` compare tree and lock."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from selftune_build.cli.overlay import laid_over, refuse_beside_overlay
from selftune_build.cli.paying import Money, confirm
from selftune_build.cli.remote import sharing
from selftune_build.cli.reports import asked_reports, tell_github, wanted_reports, with_prefix, write_reports
from selftune_build.cli.signals import interruptible
from selftune_build.cli.signatures import TRUST_ROOT, require_signature
from selftune_build.cli.start import open_plugins, request_for, starting_folder
from selftune_build.cli.target_type import TargetType
from selftune_build.engine.request import BuildRequest, Surroundings
from selftune_build.errors import UsageError
from selftune_build.exits import worst
from selftune_build.model.package import MANIFEST_FILE, SKILL_FILE
from selftune_build.model.report import Report
from selftune_build.plugins.registry import Plugins
from selftune_build.report.progress import Progress
from selftune_build.store.trail import Trail, recorded

if TYPE_CHECKING:
    from selftune_build.engine.load import Universe
    from selftune_build.engine.locked.standard import Standard
    from selftune_build.engine.remembered import Recalled


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("targets", nargs=-1, type=TargetType(), metavar="[TARGET]...")
@click.option("--locked", is_flag=True, help="Compare tree and lock; run nothing, write nothing.")
@click.option("--dry-run", is_flag=True, help="Say what would run and why; run nothing, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document (schemas/selftune-report-1.json).")
@click.option("--keep-going", is_flag=True, help="Take every sample, also of packages that cannot pass any more.")
@click.option("-j", "--jobs", type=click.IntRange(1, 256), default=None, help="Samples taken at the same time.")
@click.option(
    "--agent", "agents", multiple=True, metavar="NAME", help="Agent to run, instead of the manifest's; may be repeated."
)
@click.option("--model", metavar="NAME", help="Model to ask the agent for; part of the key.")
@click.option("--max-calls", type=click.IntRange(0), help="Stop before the call that would pass this number; attempts count.")
@click.option("--max-cost", type=Money(), metavar="USD", help="Stop when this much has been spent.")
@click.option("-y", "--yes", "assume_yes", is_flag=True, help="Do not ask before many paid calls.")
@click.option("--no-exec", is_flag=True, help="Refuse to run code of the package.")
@click.option("--against", metavar="REV", help="Compare with the lock of this git revision: worse, not worse, or nothing shown.")
@click.option(
    "--overlay", metavar="PATCH", help="Measure the tree with this patch or candidate (- for stdin) over it; write no lock."
)
@click.option("--failed", is_flag=True, help="Only cases that failed, or have no evidence.")
@click.option("--resample", type=click.IntRange(0), default=0, metavar="N", help="Take N more samples of each case.")
@click.option("--remote-required", is_flag=True, help="Pay nothing where the remote cannot be read.")
@click.option("--since", metavar="REV", help="Only packages that a change since REV can have affected.")
@click.option("--policy", metavar="FILE|REV", help="With --locked: judge by the policy of a manifest elsewhere or of a revision.")
@require_signature("With --locked: refuse locks that this public key or identity did not sign")
@TRUST_ROOT
@click.option("--junit", metavar="FILE", help="Short for --report junit=FILE.")
@click.option("--sarif", metavar="FILE", help="Short for --report sarif=FILE.")
@click.option("--html", metavar="FILE", help="Short for --report html=FILE.")
@click.option("--github", is_flag=True, help="Annotate for GitHub Actions, and add to $GITHUB_STEP_SUMMARY.")
@click.option(
    "--report", "reports", multiple=True, metavar="ID=FILE", help="Also write the report in this format, or send it: ID=URL."
)
@click.option(
    "-C", "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Run as if started there."
)
@click.option("-v", "--verbose", is_flag=True, help="Every finding, every reason.")
@click.option("-q", "--quiet", is_flag=True, help="The last line only.")
def command(
    targets: tuple[str, ...],
    locked: bool,
    dry_run: bool,
    as_json: bool,
    keep_going: bool,
    jobs: int | None,
    agents: tuple[str, ...],
    model: str | None,
    max_calls: int | None,
    max_cost: Decimal | None,
    assume_yes: bool,
    no_exec: bool,
    against: str | None,
    overlay: str | None,
    failed: bool,
    resample: int,
    remote_required: bool,
    since: str | None,
    policy: str | None,
    signers: tuple[str, ...],
    trust_root: Path | None,
    junit: str | None,
    sarif: str | None,
    html: str | None,
    github: bool,
    reports: tuple[str, ...],
    directory: Path,
    verbose: bool,
    quiet: bool,
) -> int:
    """Bring TARGETs up to date: the default is `verify` of every package of the workspace.

    A TARGET is a stage (spec, evals, unit-tests, replay, baseline, package-evaluation, verify), a package (its name or its
    folder), PACKAGE:STAGE or PACKAGE:STAGE[CASE]. Stages and packages given together restrict each other.

    Runs code of the package (its scripts, what an agent calls), as make and npm do; not with --no-exec, never with --locked.

    Exit status: 0 verified, 1 a gate said no, 2 bad input, 3 could not decide, 4 store problem, 130 interrupted.
    """
    _refuse(click.get_current_context().params)
    asked = asked_reports(reports, junit=junit, sarif=sarif, html=html)
    request = request_for(
        directory,
        targets,
        agents,
        model,
        locked=locked,
        dry_run=dry_run,
        keep_going=keep_going,
        no_exec=no_exec,
        against=against,
        failed=failed,
        assume_yes=assume_yes,
        jobs=jobs or os.cpu_count() or 1,
        resample=resample,
        max_calls=max_calls,
        max_cost=max_cost,
        signers=signers,
        trust_root=trust_root,
        verbose=verbose,
        base=since or against or "HEAD",
        detailed=as_json or github or verbose or bool(asked),
    )
    with recorded() as trail:
        plugins = open_plugins(starting_folder(request.directory, request.targets), locked=locked)
        wanted = wanted_reports(asked, plugins.reports, locked=locked)
        request = replace(request, transcripts=any(each.format.transcripts for each in wanted))
        standard = _standard(request, policy)
        universe, recalled = _universe(request, plugins, standard, whole=overlay is not None)
        universe, request = laid_over(universe, _narrowed(universe, request, since), overlay, plugins)
        progress = Progress(sys.stderr, quiet=quiet or as_json)
        around = Surroundings(progress=progress, confirm=confirm, registry=plugins.registry)
        report = with_prefix(_run(universe, request, progress, around, standard, remote_required), universe.root)
        text, told = _told(report, github=github, as_json=as_json, verbose=verbose, quiet=quiet)
        plain = not (progress.spoke or wanted or since or overlay or github)
        worth = recalled.worth_keeping(around.idle) if plain and trail.idle else {}
    if plain and trail.idle:
        _note(trail, universe, request, report, text, recalled, worth)
    return worst([report.exit_code, *told, *write_reports(report, wanted)])


def _told(report: Report, *, github: bool, as_json: bool, verbose: bool, quiet: bool) -> tuple[str, list[int]]:
    """Print the report, or tell it to GitHub; what was printed, and the exit statuses that come of that."""
    text = _rendered(report, as_json, verbose, quiet)
    if github:
        return text, list(tell_github(report, text, as_json=as_json))
    print(text, flush=True)
    return text, []


def _refuse(given: Mapping[str, Any]) -> None:
    """Raise UsageError for options that do not go together; `given` are their values by the names of the parameters."""
    locked = given["locked"]
    refuse_beside_overlay(given["overlay"], locked=locked, since=given["since"])
    if locked and any(given[name] for name in ("dry_run", "resample", "failed")):
        raise UsageError("--locked runs nothing, so it does not go with --dry-run, --resample or --failed")
    if locked and given["remote_required"]:
        raise UsageError("--locked asks no remote, so it does not go with --remote-required")
    if given["policy"] is not None and not locked:
        hint = "a build writes the lock under the policy of the manifest; `--locked` judges it"
        raise UsageError("--policy goes with --locked", hint=hint)
    if (given["signers"] or given["trust_root"]) and not locked:
        hint = "a build writes the lock; `--locked` judges it"
        raise UsageError("--require-signature and --trust-root go with --locked", hint=hint)


def _note(
    trail: Trail,
    universe: Universe,
    request: BuildRequest,
    report: Report,
    text: str,
    recalled: Recalled,
    worth: Mapping[str, bytes],
) -> None:
    """Remember the packages that had nothing to do, and if that were all of them, the answer to this command line."""
    from selftune_build.engine.planning.idle import nothing_to_do

    recalled.note(trail, worth)
    arguments = click.get_current_context().obj
    if arguments is not None and nothing_to_do(report, request):
        from selftune_build.store.location import find_store
        from selftune_build.store.note import note

        store = find_store(universe.root)
        note(trail, store, _anchor(universe), arguments, text, report.exit_code, recalled.watched())


def _anchor(universe: Universe) -> str:
    """A file that was opened whatever was asked: the workspace's manifest, else the SKILL.md of its first package."""
    if universe.declared:
        return str(universe.root / MANIFEST_FILE)
    return str(universe.root / universe.packages[0].path / SKILL_FILE)


def _standard(request: BuildRequest, policy: str | None) -> Standard | None:
    if policy is None:
        return None
    from selftune_build.engine.locked.standard import open_standard
    from selftune_build.reading.workspace import find_workspace

    root = find_workspace(starting_folder(request.directory, request.targets)).root
    return open_standard(root, request.directory, policy)


def _narrowed(universe: Universe, request: BuildRequest, since: str | None) -> BuildRequest:
    if since is None:
        return request
    from selftune_build.engine.past.since import affected

    return replace(request, among=affected(universe, since))


def _universe(request: BuildRequest, plugins: Plugins, standard: Standard | None, *, whole: bool) -> tuple[Universe, Recalled]:
    """The workspace; where it is wanted whole, nothing of it is left to memory."""
    from selftune_build.engine.load import by_its_own
    from selftune_build.engine.remembered import load_remembering
    from selftune_build.reading.absent import no_package

    start = starting_folder(request.directory, request.targets)
    standards = standard.over if standard is not None else by_its_own
    universe, recalled = load_remembering(start, request, plugins.registry, standards, whole=whole)
    if not (universe.packages or universe.broken):
        raise no_package(universe.root)
    return universe, recalled


def _run(
    universe: Universe,
    request: BuildRequest,
    progress: Progress,
    around: Surroundings,
    standard: Standard | None,
    remote_required: bool,
) -> Report:
    if request.locked:
        from selftune_build.engine.locked.verification import check

        return check(universe, request, around.registry, standard)
    from selftune_build.engine.rounds import build_in_rounds

    around = replace(around, shared=sharing(universe.root, around, required=remote_required, looks=request.dry_run))
    with interruptible(around.stop, around.cancel, progress.urgent):
        return build_in_rounds(universe, request, around)


def _rendered(report: Report, as_json: bool, verbose: bool, quiet: bool) -> str:
    if as_json:
        from selftune_build.report.json import render as render_json

        return render_json(report).rstrip()
    from selftune_build.report.text import render

    width = shutil.get_terminal_size((100, 24)).columns
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    text = render(report, width=width, colour=colour, verbose=verbose)
    return text.rstrip().splitlines()[-1] if quiet else text.rstrip()
