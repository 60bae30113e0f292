"""What a judge is asked, as a row that can be sampled: its prompt is the question, its samples are the votes."""

from __future__ import annotations

from msgspec.structs import replace

from selftune_build.checks.votes import Asked
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.fingerprint.keys import KEY_FORMAT, Inputs, static_key
from selftune_build.model.case import Arm, Case
from selftune_build.stages.row import JudgedBy, RowSpec, StagedSet

SCHEMA = "schema"
_NOTHING = StagedSet(())


def ruling_spec(row: RowSpec, asked: Asked, judge: JudgedBy) -> RowSpec:
    """The question that a row puts to its judge. Rows that put the same one, of whatever case and package, share its votes.

    No limit is part of its key: a judge that needs too long has not ruled, and that is never evidence.
    """
    inputs: Inputs = {
        "format": KEY_FORMAT,
        "role": "complete",
        "question": digest_bytes(asked.text.encode("utf-8", "surrogatepass")),
    }
    inputs[SCHEMA] = asked.schema
    inputs.update({f"judge {name}": value for name, value in judge.identity.items()})
    case = Case(id=row.case.id, prompt=asked.text, limits=row.package.manifest.limits)
    return replace(
        row,
        case=case,
        arm=Arm.WITHOUT_SKILL,
        staged=_NOTHING,
        asked=inputs,
        key=static_key(inputs),
        checks=(),
        polarity=None,
        needed=judge.votes,
        judge=None,
        baseline="",
    )
