"""Whether a package may be published: its lock holds, its gates pass, and its evidence is of a kind that the policy lets out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from selftune_build.advice import command
from selftune_build.engine.load import Universe
from selftune_build.engine.locked.policy import policy_digest
from selftune_build.engine.locked.verification import check
from selftune_build.engine.locks.files import lock_bytes, read_package_lock
from selftune_build.engine.locks.signature import Demand
from selftune_build.engine.registry import Registry
from selftune_build.engine.report import overall_report
from selftune_build.engine.request import BuildRequest
from selftune_build.errors import StoreError
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.limits import ENVELOPE_BYTES
from selftune_build.model.package import Package, TreeFile
from selftune_build.model.published import Published
from selftune_build.model.repeated import Repeated
from selftune_build.model.report import PackageReport, Problem, Report
from selftune_build.model.verdict import Verdict
from selftune_build.publish.archive import SUFFIX, ArchivedFile, pack
from selftune_build.publish.attestation import attested, signers_of_the_same
from selftune_build.publish.bundle import ATTESTATION_SUFFIX, Bundle
from selftune_build.publish.installation import Receipt, Version, install
from selftune_build.publish.statement import sha256, statement
from selftune_build.store.atomic import store_errors, write_atomic
from selftune_build.store.reading import read_bounded

if TYPE_CHECKING:
    from selftune_build.signing.signer import Signer

PUBLISHED_ORIGINS = ("live",)
"""What `policy.origins` is for publishing where the manifest does not say."""


class Goal(Struct, frozen=True):
    """Where published files go: the folder of archives, and the folder of skills to install into."""

    out: Path
    folder: Path | None = None
    force: bool = False
    place: Repeated = Repeated()
    signed_by: tuple[str, ...] = ()
    """Who signed the attestations."""
    check_options: tuple[str, ...] = ()
    """What `publish --check` has to be given to look at those signatures."""


def publishable(universe: Universe, request: BuildRequest, registry: Registry) -> Report:
    """The report of a locked verify, in which evidence that must not be published is a problem, and a lock that nobody signed of
    those whom the policy names. Where the request `looks`, gates look at the files that are published."""
    report = check(universe, request, registry)
    demand = Demand(msgspec.structs.replace(request, signers=()))
    packages = {package.path: package for package in universe.packages}
    reports = [_under_policy(each, packages.get(each.path), demand) for each in report.packages]
    return overall_report(reports, report.spend, request)


def archived_files(package: Package) -> list[ArchivedFile]:
    """The files of a package that are published, as they were when it was read: evals and tests only where the policy says so.

    Raises StoreError where one changed meanwhile, or cannot be read.
    """
    chosen: Sequence[TreeFile] = package.tree if package.manifest.policy.bundle_evals else package.staged
    return [_archived(package, file) for file in chosen]


def bundle_of(package: Package, reports: Sequence[PackageReport], by: Signer | None) -> Bundle:
    """Archive, attestation and lock of a package whose reports say that it may be published.

    Raises StoreError, and InputError for a file that no archive holds.
    """
    files = archived_files(package)
    archive, lock = pack(package.name, files), lock_bytes(package) or b""
    payload = statement(package, reports, archive, files, lock, policy_digest(package.manifest))
    return Bundle(package.name, archive, attested(payload, by), lock)


def publish(package: Package, reports: Sequence[PackageReport], bundle: Bundle, goal: Goal) -> Published:
    """Write the bundle and install it where that is asked for. Raises StoreError, UsageError, InputError.

    Where nobody signs now, an attestation that lies there signed and states the same is left in its place.
    """
    with store_errors("create the folder", goal.out):
        goal.out.mkdir(parents=True, exist_ok=True)
    archive = goal.out / f"{bundle.name}{SUFFIX}"
    attestation = archive.with_name(archive.name + ATTESTATION_SUFFIX)
    before = None if goal.signed_by else read_bounded(attestation, ENVELOPE_BYTES)
    kept = signers_of_the_same(before, bundle.attestation) if before is not None else ()
    for name, content in bundle.files():
        if not kept or name != attestation.name:
            write_atomic(goal.out / name, content)
    digest, tree = sha256(bundle.archive), package.tree_digest.removeprefix("sha256:")
    receipt = Receipt(package.name)
    if goal.folder is not None:
        version = Version(digest, tree, sha256(bundle.lock), datetime.now(UTC).isoformat(timespec="seconds"))
        receipt = install(goal.folder, bundle.archive, version, force=goal.force)
    return Published(
        skill=package.name,
        skill_path=package.path,
        archive=str(archive),
        archive_sha256=digest,
        tree_sha256=tree,
        lock_sha256=sha256(bundle.lock),
        attestation=str(attestation),
        signed_by=goal.signed_by or kept,
        signed_before=bool(kept),
        check_options=goal.check_options,
        origins=tuple(sorted({report.origin for report in reports})),
        next_command=command("watch", package.handle, place=goal.place),
        until_then=command("audit", package.handle, place=goal.place),
        installed=str(goal.folder / package.name) if goal.folder is not None else None,
        previous=receipt.previous.archive if receipt.previous is not None else None,
        aside=str(goal.folder / receipt.aside) if goal.folder is not None and receipt.aside is not None else None,
    )


def _archived(package: Package, file: TreeFile) -> ArchivedFile:
    path = Path(package.root) / file.path
    with store_errors("read", path), path.open("rb") as stream:
        content = stream.read(file.size + 1)
    if digest_bytes(content) != file.digest:
        raise StoreError(f"{path} changed while it was packed", hint="run again")
    return ArchivedFile(file.path, content, file.executable)


def _under_policy(report: PackageReport, package: Package | None, demand: Demand) -> PackageReport:
    if package is None:
        return report
    report = demand.on(report, package, read_package_lock(package), policy=True)
    if package.manifest.policy.origins is not None or not report.origin or report.origin in PUBLISHED_ORIGINS:
        return report
    message = f"the evidence is {report.origin}, and only live evidence is published unless the policy says otherwise"
    fix = "measure with an agent that runs a model, or name the origins under `policy: {origins: […]}`"
    problem = Problem("evidence-simulated", report.name, message, package.manifest.path, fix=fix)
    return msgspec.structs.replace(report, problems=(*report.problems, problem), verdict=Verdict.FAIL)
