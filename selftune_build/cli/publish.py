"""`selftune publish`: a verified package as an archive that others can install and check."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from selftune_build.cli.signatures import IDENTITY, TRUST_ROOT, require_signature
from selftune_build.cli.start import existing_folder, opened
from selftune_build.cli.target_type import TargetType
from selftune_build.engine.request import BuildRequest
from selftune_build.errors import UsageError
from selftune_build.exits import REFUSED, VERIFIED
from selftune_build.report.document import envelope

if TYPE_CHECKING:
    from selftune_build.engine.load import Universe
    from selftune_build.engine.publishing import Goal
    from selftune_build.model.published import Published
    from selftune_build.model.report import Report
    from selftune_build.signing.signer import Signer


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("targets", nargs=-1, type=TargetType(), metavar="[PACKAGE]...")
@click.option("--skill-path", multiple=True, metavar="PATH", help="A package by its folder; the same as PACKAGE.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=None,
    help="Folder for archive, attestation and lock (default: .selftune/dist of the workspace).",
)
@click.option("--key", type=click.Path(path_type=Path), help="Private key (PEM) that signs; with --check the public key.")
@IDENTITY
@require_signature("Refuse locks, or with --check an attestation, that this public key or identity did not sign")
@TRUST_ROOT
@click.option("--to", "folder", type=click.Path(path_type=Path), help="Also install into this folder of skills.")
@click.option("--install", "host", metavar="HOST", help="Also install where this host looks: claude, codex, gemini, …")
@click.option("--user", is_flag=True, help="With --install: for this user instead of this project.")
@click.option("--force", is_flag=True, help="Replace an installed skill that was changed, or that nobody published.")
@click.option("--rollback", is_flag=True, help="Bring back what was installed before, with --to or --install; publish nothing.")
@click.option("--check", "checked", type=click.Path(path_type=Path), metavar="FILE", help="Check a published archive, offline.")
@click.option("--new-key", type=click.Path(path_type=Path), metavar="FILE", help="Write a new private key, and FILE.pub.")
@click.option("--no-watch", is_flag=True, help="Do not name the command that watches the published skill.")
@click.option("--ignore-watch-alerts", is_flag=True, help="Accepted as before; publishing never waits for a watch.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-C", "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="As if started there.")
def command(
    targets: tuple[str, ...],
    skill_path: tuple[str, ...],
    out: Path | None,
    key: Path | None,
    identity: str | None,
    signers: tuple[str, ...],
    trust_root: Path | None,
    folder: Path | None,
    host: str | None,
    user: bool,
    force: bool,
    rollback: bool,
    checked: Path | None,
    new_key: Path | None,
    no_watch: bool,
    ignore_watch_alerts: bool,
    as_json: bool,
    directory: Path,
) -> int:
    """Publish PACKAGEs: refuse unless the lock holds and every gate passes, then write a reproducible archive.

    Beside the archive lie an attestation (in-toto statement in a DSSE envelope, signed where --key or --identity says by whom)
    and the lock. Only live evidence is published, unless `policy: {origins: […]}` says otherwise, and where `policy:
    {signatures: […]}` names somebody, only with a lock that one of them signed. Nothing of the package is executed; a gate that
    looks at the files with a program of its own, as a scanner does, is asked.

    Exit status: 0 published, or what was checked holds; 1 refused; 2 bad input; 3 could not decide; 4 not written.
    """
    from selftune_build.engine.publishing import Goal
    from selftune_build.report.publish import render, render_json
    from selftune_build.signing.signer import signer_of

    if new_key is not None:
        return _new_key(new_key, as_json)
    if checked is not None:
        return _check(checked, (*signers, *([str(key)] if key is not None else [])), trust_root, as_json)
    place = existing_folder(directory)
    words = (*targets, *skill_path)
    if folder is not None and host is not None:
        raise UsageError("--to and --install exclude each other", hint="install into one folder at a time")
    universe, report = _verified(directory, words, signers, trust_root, looks=not rollback)
    goal = _goal(universe, folder, host, user=user)
    if rollback:
        return _rollback(report, goal, as_json, force=force)
    if report.exit_code:
        return _refused(report, as_json)
    by = signer_of(key, identity, trust_root)
    aim = Goal(_outside(out, place, universe), goal, force, report.place)
    if by is not None:
        aim = replace(aim, check_options=_check_options(by, key, trust_root))
    done = _publish(universe, report, aim, by)
    print(render_json(done) if as_json else render(done, watch=not no_watch), end="")
    return 0


def _verified(
    directory: Path, words: Sequence[str], signers: tuple[str, ...], trust_root: Path | None, *, looks: bool
) -> tuple[Universe, Report]:
    from selftune_build.engine.publishing import publishable

    found = opened(directory, words, locked=True)
    universe = found.universe
    if not words and len(universe.packages) + len(universe.broken) > 1:
        names = ", ".join(package.handle for package in universe.packages[:8])
        raise UsageError("say which package to publish", hint=f"selftune publish PACKAGE: {names}")
    asked = BuildRequest(directory=found.here, place=found.place, targets=tuple(words), locked=True)
    request = replace(asked, signers=signers, trust_root=trust_root, looks=looks)
    return universe, publishable(universe, request, found.registry)


def _outside(out: Path | None, place: Path, universe: Universe) -> Path:
    """Where the files go: a file inside of a package would be one of the package, whose lock would then be of another tree."""
    from selftune_build.store.worktree import STORE_FOLDER

    if out is None:
        return universe.root / STORE_FOLDER / "dist"
    folder = (place / out).resolve()
    for package in universe.packages:
        root = Path(package.root)
        if folder.is_relative_to(root) and STORE_FOLDER not in folder.relative_to(root).parts:
            raise UsageError(f"{out} lies in the package {package.name}, and would become part of it", hint="name another folder")
    return out


def _goal(universe: Universe, folder: Path | None, host: str | None, *, user: bool) -> Path | None:
    from selftune_build.fingerprint.tree import find_boundary
    from selftune_build.publish.places import place_of

    if host is not None:
        return place_of(host, find_boundary(universe.root, universe.root), user=user)
    return folder


def _publish(universe: Universe, report: Report, goal: Goal, by: Signer | None) -> list[Published]:
    from selftune_build.engine.publishing import bundle_of, publish

    reports = {package.path: [each for each in report.packages if each.path == package.path] for package in universe.packages}
    chosen = [package for package in universe.packages if reports[package.path]]
    bundles = [bundle_of(package, reports[package.path], by) for package in chosen]
    goal = replace(goal, signed_by=(by.signatory.name,) if by is not None else ())
    return [publish(package, reports[package.path], bundle, goal) for package, bundle in zip(chosen, bundles, strict=True)]


def _check_options(by: Signer, key: Path | None, trust_root: Path | None) -> tuple[str, ...]:
    """What `--check` has to be given to look at a signature: of a key the public file beside it, else its public part itself."""
    from selftune_build.signing.keys import public_part, spelt

    if key is not None:
        public = key.with_name(f"{key.name}.pub")
        return ("--key", str(public)) if public.is_file() else ("--require-signature", spelt(public_part(key)))
    root = ("--trust-root", str(trust_root)) if trust_root is not None else ()
    return ("--require-signature", by.signatory.name, *root)


def _refused(report: Report, as_json: bool) -> int:
    """What stands in the way, as `--locked` would tell it."""
    from selftune_build.report.json import render as render_report_json
    from selftune_build.report.text import render as render_report

    if as_json:
        print(render_report_json(report), end="")
    else:
        print(render_report(report, width=shutil.get_terminal_size((100, 24)).columns, colour=False), end="")
        print("not published", file=sys.stderr)
    return report.exit_code


def _rollback(report: Report, goal: Path | None, as_json: bool, *, force: bool) -> int:
    from selftune_build.publish.installation import rollback
    from selftune_build.report.publish import render_rollback

    if goal is None:
        raise UsageError("--rollback needs --to or --install", hint="say where the skill is installed")
    receipts = [rollback(goal, name, force=force) for name in dict.fromkeys(each.name for each in report.packages)]
    print(render_rollback(receipts, goal, as_json=as_json), end="")
    return 0


def _check(file: Path, words: Sequence[str], trust_root: Path | None, as_json: bool) -> int:
    from selftune_build.publish.bundle import check_bundle, read_bundle
    from selftune_build.report.publish import render_check
    from selftune_build.signing.signatory import signatories

    checked = check_bundle(read_bundle(file), signatories(words, trust_root))
    print(render_check(checked, file, signed=bool(words), as_json=as_json), end="")
    return REFUSED if checked.flaws else VERIFIED


def _new_key(path: Path, as_json: bool) -> int:
    from selftune_build.signing.keys import new_key, spelt
    from selftune_build.store.atomic import store_errors, write_atomic

    public = path.with_name(f"{path.name}.pub")
    for each in (path, public):
        if each.exists():
            raise UsageError(f"{each} is there already", hint="name another file")
    with store_errors("create the folder", path.parent):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret, open_ = new_key()
    write_atomic(path, secret, mode=0o600)
    write_atomic(public, open_)
    document = envelope("selftune.key/1", 0, private=str(path), public=str(public), signatory=spelt(open_))
    said = f"wrote {path} (keep it secret) and {public}\nin a manifest under `policy: {{signatures: […]}}`: {spelt(open_)}"
    print(document if as_json else said)
    return 0
