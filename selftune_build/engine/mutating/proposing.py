"""From a mutator to candidates: proposals are held against what they say of themselves and against the workspace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.engine.load import Universe
from selftune_build.engine.overlay.opening import open_overlay
from selftune_build.engine.paying.completing import Completer, Completion
from selftune_build.errors import InputError
from selftune_build.fingerprint.digest import digest_bytes
from selftune_build.model.candidate import Candidate
from selftune_build.model.package import Package
from selftune_build.mutators.candidate import candidate_bytes
from selftune_build.mutators.protocol import CaseEvidence, Consultation, Mutator, Overlay, PackageView
from selftune_build.mutators.surface import fault, patched
from selftune_build.reading.diff import diff


class Proposed(Struct, frozen=True):
    """A proposal as a candidate, and why it is none."""

    candidate: Candidate
    content: bytes
    """The document; empty for one that was refused for what it says of itself."""
    refusal: str = ""
    """Empty for one that can be measured."""


class Situation(Struct, frozen=True):
    """What a mutator is asked about."""

    view: PackageView
    evidence: tuple[CaseEvidence, ...]
    seed: int


def questions(consult: Consultation, found: Situation) -> tuple[Completion, ...]:
    """What a mutator wants to know of a model. Raises UndecidedError where it breaks."""
    asked = consult.ask(found.view, found.evidence, found.seed)
    return tuple(Completion(each.prompt, each.schema) for each in asked)


def missing(completer: Completer, asked: Iterable[Completion]) -> int:
    """How many of the questions have no answer in the store. Asks nobody. Raises UndecidedError, StoreError."""
    return sum(completer.known(each, _same) is None for each in asked)


def proposals(mutator: Mutator, found: Situation, completer: Completer | None) -> tuple[Overlay, ...]:
    """What the mutator proposes; with a `completer` from its answers. Raises UndecidedError where either gives none."""
    if completer is None or mutator.consult is None:
        return tuple(mutator.propose(found.view, found.evidence, found.seed))
    answers = tuple(completer.ask(each, _same) for each in questions(mutator.consult, found))
    return tuple(mutator.consult.propose(found.view, found.evidence, found.seed, answers))


def candidates(
    universe: Universe, package: Package, mutator: Mutator, view: PackageView, overlays: Iterable[Overlay]
) -> Iterator[Proposed]:
    """Each proposal once, in its order, with the reason where it is refused. Nothing is written."""
    seen: set[bytes] = set()
    for overlay in overlays:
        plain, why = _plain(package, mutator, overlay), fault(view, overlay)
        content = candidate_bytes(plain, _patch(package, view, overlay)) if why is None else b""
        if why is not None:
            yield Proposed(plain, content, why)
        elif content not in seen:
            seen.add(content)
            yield Proposed(replace(plain, digest=digest_bytes(content)), content, _misfit(universe, content))


def _plain(package: Package, mutator: Mutator, overlay: Overlay) -> Candidate:
    return Candidate(
        package=package.path,
        parent=overlay.parent,
        mutator=mutator.id,
        version=mutator.version,
        reason=overlay.reason,
        surface=tuple(sorted(overlay.surface)),
    )


def _patch(package: Package, view: PackageView, overlay: Overlay) -> bytes:
    """With paths from the workspace."""
    start = "" if package.path == "." else f"{package.path}/"
    after = patched(view, overlay)
    edited = {edit.path for edit in overlay.patch}
    before = {start + path: content for path, content in view.files.items() if path in edited}
    return diff(before, {start + path: content for path, content in after.items() if path in edited})


def _misfit(universe: Universe, content: bytes) -> str:
    """Why a document cannot be laid over the workspace; empty where it can."""
    try:
        open_overlay(universe, content, "candidate")
    except InputError as error:
        return error.message
    return ""


def _same(answer: object) -> object:
    return answer
