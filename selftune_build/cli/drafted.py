"""What was drafted, rejected, asked and written, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from selftune_build.advice import command
from selftune_build.cli.errand import Craft, Errand, Outcome
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.report.document import envelope
from selftune_build.scaffold.drafting.sifting import ENOUGH
from selftune_build.wording import counted

if TYPE_CHECKING:
    from selftune_build.scaffold.drafting.generation import Generated
    from selftune_build.scaffold.writing import Written


def rendered(job: Errand, craft: Craft, outcome: Outcome) -> str:
    """One JSON document, or lines for people."""
    if job.as_json:
        return _document(job, craft, outcome)
    return "\n".join(one_line(line, MESSAGE_CHARACTERS) for line in _lines(job, craft, outcome))


def _next_command(job: Errand, craft: Craft) -> str:
    return command("build", craft.stage, *job.targets, place=job.place)


def _lines(job: Errand, craft: Craft, outcome: Outcome) -> Iterator[str]:
    for each in outcome.generation.generated:
        yield f"{_verb(job, each, outcome.written)} {each.path}: {each.says}"
        yield from (f"  {note}" for note in _notes(each, outcome.unread))
        yield from _rejections(each)
    for failed in outcome.generation.undrafted:
        yield f"{failed.package.path}: nothing drafted: {failed.error.message}"
        yield f"  fix: {failed.error.hint or 'run again: what was answered is kept'}"
    for broken in outcome.unreadable:
        yield f"{broken['path']}: cannot be read: {broken['message']}"
        yield f"  fix: {broken['fix']}"
    if outcome.asked:
        yield _spent(job, outcome)
    if outcome.generation.generated:
        yield craft.review[outcome.asked]
    elif not (outcome.unreadable or outcome.generation.undrafted or outcome.questions):
        yield f"nothing to write: {craft.nothing}; name a package to draft more for it"
    if not job.dry_run:
        yield f"next: {_next_command(job, craft)}"


def _rejections(each: Generated) -> Iterator[str]:
    """One line for each; what is only too many is counted."""
    surplus = [one for one in each.rejected if one.reason == ENOUGH]
    yield from (f"  rejected ({one.kind}): {one.prompt} - {one.reason}" for one in each.rejected if one not in surplus)
    if surplus:
        yield f"  {len(surplus)} more passed the critique and are not needed; --json lists them"


def _verb(job: Errand, each: Generated, written: Written) -> str:
    if not each.content:
        return "left alone"
    if job.dry_run:
        return "would write"
    return "replaced" if each.path in written.replaced else "wrote"


def _spent(job: Errand, outcome: Outcome) -> str:
    if job.dry_run:
        asked, price = counted(outcome.questions, "question"), f", {outcome.price}" if outcome.price else ""
        return f"would ask {', '.join(outcome.agents)} {asked}{price}; nothing was asked or written"
    return f"asked {', '.join(outcome.agents)}: {outcome.calls} calls, {outcome.reused} answers were there already"


def _notes(each: Generated, unread: frozenset[str]) -> Iterator[str]:
    yield from each.notes
    if each.package.path in unread:
        yield f"its manifest leads a build past this file: name {each.path} in selftune.yaml"


def _document(job: Errand, craft: Craft, outcome: Outcome) -> str:
    return envelope(
        craft.schema,
        outcome.exit_code,
        model_asked=outcome.asked,
        agents=list(outcome.agents),
        seed=job.seed,
        spend={"calls": outcome.calls, "reused": outcome.reused, "missing": outcome.questions, "price": outcome.price},
        written=list(outcome.written.made),
        overwritten=list(outcome.written.replaced),
        packages=[_package_document(each, outcome.unread) for each in outcome.generation.generated],
        undecided=[
            {"name": each.package.name, "path": each.package.path, "code": each.error.code, "message": each.error.message}
            for each in outcome.generation.undrafted
        ],
        unreadable=outcome.unreadable,
        check=craft.review[outcome.asked],
        next_command=_next_command(job, craft),
    )


def _package_document(each: Generated, unread: frozenset[str]) -> dict[str, Any]:
    return {
        "name": each.package.name,
        "path": each.package.path,
        "file": each.path,
        **each.counts,
        "notes": list(_notes(each, unread)),
        "rejected": [{"kind": one.kind, "prompt": one.prompt, "reason": one.reason} for one in each.rejected],
    }
