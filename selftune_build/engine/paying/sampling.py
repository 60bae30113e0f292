"""Take one sample: claim the key, look again, stage, note the intent, ask, archive; and only then does anybody parse.

The order of writes is that of DESIGN section 9: an answer counts from the moment it is in its file.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from selftune_build.agents.protocol import AgentFailure, Traits
from selftune_build.agents.staging import SkillSource, Staging, path_tokens, tokenise
from selftune_build.engine.judging.evidence import explanation
from selftune_build.engine.paying.asking import Ended
from selftune_build.engine.paying.keeping import Means, charged, is_whole, keep, plain
from selftune_build.engine.paying.recovery import recover
from selftune_build.engine.paying.taken import Taken, TakenKind
from selftune_build.engine.paying.trying import Enter, Over, tried
from selftune_build.errors import UndecidedError
from selftune_build.fingerprint.keys import call_id
from selftune_build.graph.targets import address
from selftune_build.model.package import Package
from selftune_build.process import NotStarted
from selftune_build.stages.row import RowSpec
from selftune_build.store.archive import Intent
from selftune_build.store.wip import Call


def take_sample(spec: RowSpec, wanted: int, passed_over: Collection[int], means: Means) -> Taken:
    """Get one more sample of the row's cohort of today; FOUND where `wanted` are there already. Raises StoreError."""
    _write_records(spec, means)
    try:
        with means.evidence.store.claim(spec.key, explanation(spec), means.waiting, means.stop, _whose(spec)):
            recovered = recover(spec, means)
            means.evidence.forget(spec)
            if recovered or len(means.evidence.counted(spec).samples) >= wanted:
                return Taken(TakenKind.FOUND)
            index = _free_index(spec, passed_over, means)
            taken = tried(lambda enter: (means.attempt or attempt)(spec, index, means, enter), index, means)
            _write_records(spec, means)  # nothing named them until now, and who looked for garbage may have found them
            means.evidence.forget(spec)
            means.evidence.samples(spec)  # read beside the calls of others, not between rounds, when nobody asks
            return taken
    except UndecidedError:
        return Taken(TakenKind.STOPPED)


def _write_records(spec: RowSpec, means: Means) -> None:
    for digest, record in spec.staged.records().items():
        means.evidence.records.write(digest, record, means.durable)


def _whose(spec: RowSpec) -> str:
    return address(spec.package.handle, spec.stage, spec.case.id)


def indices(spec: RowSpec, means: Means) -> set[int]:
    """Indices of the cohort of today, also of answers that nobody can read any more: they are paid for."""
    return {archive.index for archive in means.evidence.store.archives(spec.key) if archive.staged == spec.staged.tree}


def _free_index(spec: RowSpec, passed_over: Collection[int], means: Means) -> int:
    taken = indices(spec, means)
    index = means.first
    while index in taken or index in passed_over:
        index += 1
    return index


def attempt(spec: RowSpec, index: int, means: Means, enter: Enter) -> None:
    """One call, made by this process. Raises AgentFailure, the attempt then archived as such, and StoreError."""
    stage = open_stage(spec, means.traits)
    call = None
    try:
        if not means.traits.lazy:
            stage.place_all()
        over = enter()
        with means.evidence.store.begin(spec.key, _intent(spec, index, stage, means), means.durable) as call:
            _ask(spec, call, stage, means, over)
    finally:
        # What could not be archived is still in its file, and the next run can use it only with the workspace it speaks of.
        if call is None or not call.path.exists():
            stage.close()


def _ask(spec: RowSpec, call: Call, stage: Staging, means: Means, over: Over) -> None:
    started = time.monotonic()
    intent = call.intent
    try:
        ended = means.ask(spec, intent.call_id, intent.index, stage, call.answer)
    except NotStarted:
        call.withdraw()
        raise
    except AgentFailure as failure:
        failure.message = tokenise(failure.message, path_tokens(intent.workspace, intent.home))  # what is equal is told once
        if not (means.cancel.is_set() and is_whole(spec, call.raw(), means)):
            usage = means.evidence.billed(spec, call.raw())
            means.purse.settle(charged(usage, failure))
            call.fail(failure.kind.value, failure.message, plain(usage))
            raise
        ended = Ended()
    finally:
        over()
    usage = means.evidence.billed(spec, call.raw())
    try:
        keep(spec, call, stage, ended, int((time.monotonic() - started) * 1000), means)
    except AgentFailure as failure:
        usage = charged(usage, failure)
        raise
    finally:
        means.purse.settle(usage)


def commit_limit(spec: RowSpec, index: int, means: Means) -> None:
    """Keep a sample that hit its time limit twice as what it is: a failed one, unless another process had it answered since.

    Raises StoreError, and UndecidedError when cancelled while waiting for that process.
    """
    stage = open_stage(spec, means.traits)
    try:
        with means.evidence.store.claim(spec.key, explanation(spec), means.waiting, means.cancel, _whose(spec)):
            means.evidence.forget(spec)
            if index in indices(spec, means):
                return
            with means.evidence.store.begin(spec.key, _intent(spec, index, stage, means), means.durable) as call:
                call.commit(limit=True)
            means.evidence.forget(spec)
    finally:
        stage.close()


def open_stage(spec: RowSpec, traits: Traits) -> Staging:
    """The workspace of a sample of this row, the skills where the host looks; nothing is on disk before it is asked for."""
    skills = {name: _source(package) for name, package in spec.staged.packages.items()}
    return Staging(spec.case.files, skills, traits.skills_folder)


def _source(package: Package) -> SkillSource:
    return SkillSource(package.name, Path(package.root), package.staged, package.overlay)


def _intent(spec: RowSpec, index: int, stage: Staging, means: Means) -> Intent:
    limits = spec.case.limits or spec.package.manifest.limits
    request = {"prompt": spec.case.prompt, "run": list(spec.case.run), "agent": means.agent_name}
    return Intent(
        call_id=call_id(spec.key, spec.staged.tree, index),
        static_key=spec.key,
        index=index,
        agent=means.agent_name,
        request={name: value for name, value in request.items() if value},
        staged=spec.staged.tree,
        initial=stage.initial(),
        workspace=str(stage.root),
        home=str(stage.home),
        timeout_s=limits.timeout_s,
        started=datetime.now(UTC).isoformat(timespec="microseconds"),
    )
