"""Calls of a process that was killed: their answers are kept for free, the others are told and counted as spent."""

from __future__ import annotations

from selftune_build.agents.protocol import AgentFailure
from selftune_build.agents.staging import Staging
from selftune_build.engine.paying.asking import Ended
from selftune_build.engine.paying.keeping import Means, is_whole, keep
from selftune_build.errors import StoreError
from selftune_build.stages.row import RowSpec
from selftune_build.store.orphan import Orphan
from selftune_build.store.wip import Call


def recover(spec: RowSpec, means: Means) -> bool:
    """Keep every answer that earlier calls of this row's key have left; whether there was any. Needs the claim.

    Waits for calls that are still being answered. Raises StoreError, and UndecidedError when told to stop meanwhile.
    """
    orphans = means.evidence.store.orphans(spec.key, lambda raw: is_whole(spec, raw, means), means.waiting, means.stop)
    return any([_adopt(spec, orphan, means) for orphan in orphans])


def _adopt(spec: RowSpec, orphan: Orphan, means: Means) -> bool:
    """Keep one answer, for free."""
    stage = Staging.reopen(orphan.intent.workspace, orphan.intent.initial, means.traits.skills_folder)
    if orphan.call is None:
        means.waiting(f"a call sent at {orphan.intent.started} was never answered: it counts as spent, and is asked again")
        _close(stage)
        return False
    with orphan.call as call:
        return _keep(spec, call, stage, means)


def _keep(spec: RowSpec, call: Call, stage: Staging | None, means: Means) -> bool:
    kept = True
    try:
        keep(spec, call, stage, Ended(), 0, means)
    except AgentFailure:
        kept = False
    except StoreError:
        # The answer is still in its file and needs its workspace: the next run tries again.
        raise
    except BaseException:
        _close(stage)
        raise
    _close(stage)
    return kept


def _close(stage: Staging | None) -> None:
    if stage is not None:
        stage.close()
