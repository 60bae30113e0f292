"""The two questions behind generated evals: draft prompts of five kinds, then criticise the drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from selftune_build.engine.paying.completing import Completion
from selftune_build.fence import MATERIAL, sections
from selftune_build.limits import DRAFTED_CASES, DRAFTED_SIBLINGS
from selftune_build.model.package import Package
from selftune_build.scaffold.drafting.briefing import existing_data, sibling_data, skill_data
from selftune_build.scaffold.drafting.drafts import KINDS, TRIGGERING, Kind
from selftune_build.scaffold.drafting.generation import Situation
from selftune_build.scaffold.drafting.two_questions import CRITIQUE_ANSWER, CRITIQUE_SCHEMA, numbered

OVERSAMPLED = 2
"""So many times the cases that are wanted are asked for: the critique takes some away."""


class Proposal(Struct, frozen=True):
    """One prompt as a model drafted it; `sibling` names the skill that a sibling-confusion prompt belongs to."""

    kind: Kind
    prompt: str
    sibling: str


def quotas(most: int, *, siblings: bool, negatives: bool) -> dict[Kind, int]:
    """How many cases of each kind are wanted, with `most` on each side; fewer than three on a side leave kinds out."""
    explicit = min(most, max(1, most // 5))
    contextual = min(most - explicit, max(1, 2 * most // 5))
    confused = max(1, 2 * most // 5) if siblings and negatives else 0
    wanted: dict[Kind, int] = {
        "explicit": explicit,
        "implicit": most - explicit - contextual,
        "contextual": contextual,
        "negative": most - confused if negatives else 0,
        "sibling": confused,
    }
    return wanted


def draft_question(situation: Situation, wanted: Mapping[Kind, int], seed: int) -> Completion:
    """Asks for drafts; its answer is read with `proposals`."""
    counts = "\n".join(f"- {OVERSAMPLED * count} of the kind {kind}: {_MEANING[kind]}" for kind, count in wanted.items() if count)
    prompt = sections(
        _TASK,
        counts,
        _MATERIALS,
        MATERIAL,
        skill_data(situation.package),
        sibling_data(offered(situation.siblings)),
        existing_data(case.prompt for case in situation.existing if case.prompt),
        f"Seed: {seed}. Another seed asks for another choice of situations, people and words.",
        'Answer with JSON alone: {"cases": [{"kind": …, "prompt": …, "sibling": name or ""}, …]}',
    )
    return Completion(prompt, _DRAFT_SCHEMA)


def critique_question(situation: Situation, drafts: Sequence[Proposal], seed: int) -> Completion:
    """Asks what the drafts are worth; its answer fits `CRITIQUE_SCHEMA`."""
    prompt = sections(
        _CRITIQUE,
        "\n".join(f"- {kind}: {_MEANING[kind]}" for kind in KINDS),
        MATERIAL,
        skill_data(situation.package),
        sibling_data(offered(situation.siblings)),
        numbered(map(_plain, drafts)),
        f"Seed: {seed}.",
        CRITIQUE_ANSWER,
    )
    return Completion(prompt, CRITIQUE_SCHEMA)


def proposals(answer: dict[str, Any]) -> tuple[Proposal, ...]:
    """The drafts of a valid answer, in its order."""
    return tuple(Proposal(case["kind"], case["prompt"], case["sibling"]) for case in answer["cases"])


def offered(siblings: Sequence[Package]) -> Sequence[Package]:
    """The siblings that a model is told of, and can name."""
    return siblings[:DRAFTED_SIBLINGS]


def _plain(each: Proposal) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "should_trigger": each.kind in TRIGGERING,
        "prompt": each.prompt,
        **({"sibling": each.sibling} if each.sibling else {}),
    }


_TASK = """\
You write test prompts for an agent skill. A host shows an agent the name and the description of every installed skill; by these
alone the agent decides whether to open a skill for what a user asks. Write what users would ask, to find out whether the skill
below is opened when it should be, and left alone when it should not."""

_MEANING: dict[Kind, str] = {
    "explicit": "asks for the skill by its name",
    "implicit": "needs the skill and does not name it, in the words of a user who has never read its description",
    "contextual": "needs the skill and does not name it, told in a real situation: file names, people, dates, what was tried",
    "negative": "looks close (a word, a file type, a subject in common), but neither this skill nor a sibling is for it",
    "sibling": "belongs to one of the sibling skills and could be mistaken for this one's; `sibling` holds the sibling's name",
}

_MATERIALS = """\
Each prompt is one message of one user, complete in itself, in plain words and in the language of the description. No two ask
the same, also none that exists already. Copy no phrase of the description. Say nothing about tests, skills being chosen, or what
the right answer is. `sibling` is an empty string in all other kinds."""

_CRITIQUE = """\
You review test prompts that somebody else wrote for an agent skill. A host shows an agent the name and the description of every
installed skill; by these alone it decides whether to open the skill. Keep a prompt only if all of this holds: a user could really
have typed it; whether the skill below should be opened for it is as stated, and nobody who knows the skills would dispute it; it
is not a paraphrase of the description; it does not give away what is expected; for the kind `sibling`, the named sibling is the
better choice. Give one verdict for every number. The kinds:"""

_TEXT = {"type": "string"}
_DRAFT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["cases"],
    "properties": {
        "cases": {
            "type": "array",
            "maxItems": DRAFTED_CASES,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["kind", "prompt", "sibling"],
                "properties": {"kind": {"type": "string", "enum": list(KINDS)}, "prompt": _TEXT, "sibling": _TEXT},
            },
        }
    },
}
