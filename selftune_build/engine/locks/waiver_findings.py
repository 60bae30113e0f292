"""What is noticed about waivers that hold for no row of today."""

from __future__ import annotations

from collections.abc import Iterator

from selftune_build.engine.locks.waivers import Waived
from selftune_build.engine.package_run import PackageRun
from selftune_build.engine.places import workspace_root
from selftune_build.errors import UsageError
from selftune_build.escape import one_line
from selftune_build.graph.targets import SAMPLED, Stage, parse_target
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.meant import meant
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.manifest import Waiver
from selftune_build.reading.settings import waiver_place

_ENDED = "remove it from `accepted:`, or accept what is there today with `selftune lock accept`"
_SHAPE = "write PACKAGE:STAGE[CASE], as reports do, or remove it"


def waiver_findings(run: PackageRun, taken: Waived) -> Iterator[Finding]:
    """A warning for each waiver that names no row there is and, where one agent is asked, for each whose row is another by now.

    Of several agents each has keys of its own, so it may be another one's.
    """
    alone = len(run.package.manifest.agent) == 1
    for waiver in taken.idle:
        hint = _unknown(waiver, run)
        if hint is not None:
            yield _warning(run, waiver, "waiver-unknown", "a waiver names no row that there is: {}", hint)
        elif alone:
            yield _warning(run, waiver, "waiver-ended", "the waiver for {} is for a row of before", _ENDED)


def _unknown(waiver: Waiver, run: PackageRun) -> str | None:
    """What to do about a waiver whose target is none; None where it is one."""
    package, colon, rest = waiver.target.partition(":")
    stage = rest.partition("[")[0]
    try:
        wanted = parse_target(waiver.target)
    except UsageError:
        near = meant(stage, [each.value for each in Stage])
        return f"did you mean {f'{package}{colon}{near}{rest[len(stage) :]}'!r}?" if near is not None else _SHAPE
    if wanted.stage not in SAMPLED or wanted.case is None:
        return _SHAPE
    cases = [spec.case.id for spec in run.specs if spec.stage is wanted.stage]
    if wanted.case in cases:
        return None
    near = meant(wanted.case, cases)
    return f"did you mean {f'{package}:{stage}[{near}]'!r}?" if near is not None else "remove it from `accepted:`"


def _warning(run: PackageRun, waiver: Waiver, code: str, message: str, hint: str) -> Finding:
    manifest = run.package.declared or run.package.manifest
    index = manifest.accepted.index(waiver) if waiver in manifest.accepted else None
    at = waiver_place(workspace_root(run.package), manifest.path, index) if index is not None else None
    return Finding(code, Severity.WARNING, one_line(message.format(waiver.target), MESSAGE_CHARACTERS), at, hint=hint)
