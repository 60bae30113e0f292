"""Microsoft Vally: a list of stimuli, each with graders.

Written from `evals/**/eval.yaml` and `.github/skills/hve-core/vally-tests/references/grader-catalog.md` of
github.com/microsoft/hve-core, `.github/skills/*/evals/*.eval.yaml` of github.com/Azure/azure-sdk-tools and `evals/**` of
github.com/microsoft/GitHub-Copilot-for-Azure: `{name, type, environment, defaults | config, scoring, stimuli: [{name, prompt |
turns, graders, environment, constraints, rubric, tags}]}`. A file without a `name` is a fragment that another one is made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selftune_build.model.case import Case, Check
from selftune_build.model.finding import Severity
from selftune_build.model.manifest import Limits
from selftune_build.reading.evals.case_files import placed_files
from selftune_build.reading.evals.dotnet import ceiling
from selftune_build.reading.evals.draft import NO_COUNTERPART, NO_FILE, Draft, entries, finished, mapping, shell, texts
from selftune_build.reading.evals.foreign import foreign_id, foreign_limits, has_text
from selftune_build.reading.evals.source import EvalReading, Source, note_unknown_fields
from selftune_build.reading.evals.tool_calls import agreed
from selftune_build.reading.evals.vally_graders import graded

FORMAT = "vally"

_KNOWN_AROUND = frozenset({"name", "description", "type", "version", "tags", "defaults", "config", "stimuli"})
_KNOWN = frozenset(
    {"name", "description", "prompt", "turns", "graders", "environment", "constraints", "rubric", "tags", "category"}
)
_KNOWN_OF_ENVIRONMENT = frozenset({"files", "commands"})


def is_suite(data: dict[str, Any]) -> bool:
    """Told by a list of stimuli."""
    return isinstance(data.get("stimuli"), list) and all(isinstance(item, dict) for item in data["stimuli"])


def read_vally(source: Source) -> EvalReading:
    """One case for each stimulus. Never raises."""
    data = source.document.data
    stimuli = entries(data["stimuli"], "/stimuli")
    note_unknown_fields(source, [("", data)], _KNOWN_AROUND)
    note_unknown_fields(source, stimuli, _KNOWN)
    note_unknown_fields(source, [(f"{at}/environment", each.get("environment")) for at, each in stimuli], _KNOWN_OF_ENVIRONMENT)
    cases = tuple(_case(source, stimulus, pointer) for pointer, stimulus in stimuli)
    return EvalReading(cases, tuple(source.findings), fragment="name" not in data)


def _case(source: Source, stimulus: dict[str, Any], pointer: str) -> Case:
    prompt, conversation = _asked(stimulus)
    environment = mapping(stimulus.get("environment"))
    files, missing = placed_files(source, _wanted(environment, pointer), (source.folder, source.home, ""))
    found = [
        graded(source, mapping(grader), stimulus, below)
        for below, grader in entries(stimulus.get("graders"), f"{pointer}/graders")
    ]
    should = None
    for each in found:
        should = agreed(should, each.should_trigger)
    draft = Draft(
        id=foreign_id(source, stimulus, prompt, pointer),
        pointer=pointer,
        prompt=prompt,
        checks=[*(check for each in found for check in each.checks), *_constraints(source, stimulus, pointer)],
        files=files,
        setup=shell(environment.get("commands")),
        should_trigger=should,
        of_other_skill=any(each.checks or each.should_trigger is not None for each in found),
        limits=_limits(source, stimulus),
        tags=_tags(stimulus.get("tags")),
        unusable=(NO_COUNTERPART, conversation) if conversation else (NO_FILE, missing) if missing else None,
    )
    return finished(source, draft)


def _asked(stimulus: dict[str, Any]) -> tuple[str, str | None]:
    """The prompt, and the reason why it is not all that would be asked."""
    if has_text(stimulus.get("prompt")):
        return stimulus["prompt"], None
    turns = texts(stimulus.get("turns"))
    if len(turns) > 1:
        return turns[0], f"it is a conversation of {len(turns)} turns, and a case here is one prompt"
    return (turns[0] if turns else ""), None


def _wanted(environment: dict[str, Any], pointer: str) -> Iterator[tuple[str, Any, Any]]:
    for below, entry in entries(environment.get("files"), f"{pointer}/environment/files"):
        file = mapping(entry)
        yield below, file.get("src"), file.get("dest")


def _constraints(source: Source, stimulus: dict[str, Any], pointer: str) -> Iterator[Check | None]:
    constraints = mapping(stimulus.get("constraints"))
    place = f"{pointer}/constraints"
    for key, value in constraints.items():
        if key in ("max_turns", "max_tokens"):
            yield ceiling(source, key.replace("_", "-"), value, f"{place}/{key}")
        elif key != "expect_skills":
            source.note_once("eval-field-not-read", Severity.NOTE, f"the constraint `{key[:60]}` is not read", place)


def _limits(source: Source, stimulus: dict[str, Any]) -> Limits | None:
    """The time limit of the suite, under either of the names that its versions have for the same thing."""
    around = source.document.data
    declared = {**mapping(around.get("config")), **mapping(around.get("defaults")), **mapping(stimulus.get("config"))}
    return foreign_limits(source, {"timeout": declared.get("timeout")}, "")


def _tags(value: Any) -> tuple[str, ...]:
    """A list of texts, or a mapping of one word to another."""
    if isinstance(value, dict):
        return tuple(f"{key}:{item}" for key, item in value.items() if isinstance(item, str))[:50]
    return tuple(texts(value))[:50]
