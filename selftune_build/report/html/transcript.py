"""What happened in one case: under each arm every sample with its checks, its calls, its answer and the files it left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selftune_build.escape import one_line
from selftune_build.limits import (
    EVIDENCE_CHARACTERS,
    HTML_CALLS,
    HTML_FILE_CHARACTERS,
    HTML_FILES,
    HTML_SAMPLES,
    HTML_TEXT_CHARACTERS,
)
from selftune_build.model.case import Arm, Case
from selftune_build.model.sample import FileChange, ToolCall, Transcript
from selftune_build.model.shown import ShownCase, ShownCheck, ShownSample
from selftune_build.report.cells import name, percent, sentence
from selftune_build.report.html.cases import asked_of, badge
from selftune_build.report.html.markup import Markup, joined, tag
from selftune_build.wording import counted

_HELD = {True: ("held", "✓"), False: ("failed", "✗"), None: ("not measured", "?")}
_ARMS = {Arm.WITH_SKILL.value: "With the skill", Arm.WITHOUT_SKILL.value: "Without the skill", Arm.SCRIPT.value: "As a script"}


def case_transcripts(case: Case, shown: Sequence[ShownCase]) -> Markup:
    """The question where a line of the table cannot hold it, then the arms beside each other."""
    place = tag("p", f"from {name(str(case.origin.at))}", class_="quiet") if case.origin is not None else None
    asked = asked_of(case)
    whole = None if asked == one_line(asked, EVIDENCE_CHARACTERS) else _block("Prompt", asked, HTML_TEXT_CHARACTERS)
    files = ", ".join(file.dest for file in case.files)
    given = tag("p", f"files given: {sentence(files)}", class_="quiet") if files else None
    return tag("div", whole, given, place, tag("div", *map(_arm, shown), class_="arms"), class_="case")


def _arm(shown: ShownCase) -> Markup:
    title = tag(
        "h4", _ARMS.get(shown.arm, shown.arm), tag("span", f"judge {name(shown.judge)}", class_="kind") if shown.judge else None
    )
    if not shown.samples:
        return tag("section", title, tag("p", "No sample of it is in this store.", class_="quiet"), class_="arm")
    samples = [_sample(sample, shown) for sample in shown.samples[:HTML_SAMPLES]]
    return tag("section", title, *samples, _cut(len(shown.samples) - HTML_SAMPLES, "more sample"), class_="arm")


def _sample(shown: ShownSample, case: ShownCase) -> Markup:
    transcript = shown.sample.transcript
    aside = "" if shown.counts else ", of an earlier text: it does not count today"
    return tag(
        "article",
        tag("h5", f"Sample {shown.sample.index + 1}{aside}"),
        tag("ul", *_checks(shown, case), class_="checks"),
        _facts(transcript, case),
        _calls(transcript.reply.tool_calls) if case.arm != Arm.SCRIPT else None,
        _block("Answer" if case.arm != Arm.SCRIPT else "Output", transcript.reply.output, HTML_TEXT_CHARACTERS),
        _block("Standard error", transcript.stderr, HTML_TEXT_CHARACTERS),
        *map(_file, transcript.files[:HTML_FILES]),
        _cut(len(transcript.files) - HTML_FILES, "more file"),
        class_="sample",
    )


def _checks(shown: ShownSample, case: ShownCase) -> Iterator[Markup]:
    wanted = case.case.should_trigger
    if wanted is not None and case.arm == Arm.WITH_SKILL:
        held = None if shown.activated is None else shown.activated is wanted
        seen = {True: "it was used", False: "it was not used", None: "the agent does not tell"}[shown.activated]
        yield _check(held, f"should {'' if wanted else 'not '}trigger", seen)
    if shown.sample.transcript.limit:
        yield _check(False, "limit", "the time limit was reached")
    yield from map(_judged, shown.checks)


def _judged(check: ShownCheck) -> Markup:
    weight = f" (weight {check.weight})" if check.weight != 1 else ""
    votes, agreeing = check.result.votes, check.result.agreeing
    agreement = f" ({votes} votes, agreement {percent(agreeing, votes)})" if votes else ""
    return _check(check.result.held, f"{sentence(check.check)}{weight}", f"{sentence(check.result.evidence)}{agreement}")


def _check(held: bool | None, label: str, evidence: str) -> Markup:
    word, mark = _HELD[held]
    return tag("li", badge(word, mark), " ", tag("span", label, class_="id"), tag("span", evidence, class_="evidence"))


def _facts(transcript: Transcript, case: ShownCase) -> Markup:
    reply = transcript.reply
    facts = [("exit status", None if transcript.exit_status is None else str(transcript.exit_status))]
    if case.arm != Arm.SCRIPT:
        facts += [("skills used", _listed(reply.skills_used)), ("files read", _listed(reply.files_read))]
        facts += [("served by", reply.model and name(reply.model)), ("refused", sentence("; ".join(reply.refused)) or None)]
    told = [tag("div", tag("dt", term), tag("dd", fact)) for term, fact in facts if fact is not None]
    return tag("dl", *told, class_="facts") if told else Markup("")


def _listed(items: Sequence[str] | None) -> str:
    return "the agent does not tell" if items is None else sentence(", ".join(items)) or "none"


def _calls(calls: Sequence[ToolCall] | None) -> Markup | None:
    if not calls:
        return None
    lines = [
        tag("li", tag("span", name(call.name), class_="id"), " ", tag("code", one_line(str(call.input), EVIDENCE_CHARACTERS)))
        for call in calls[:HTML_CALLS]
    ]
    return joined([tag("h6", counted(len(calls), "tool call")), tag("ol", *lines), _cut(len(calls) - HTML_CALLS, "more call")])


def _file(change: FileChange) -> Markup:
    title = f"{name(change.path)}"
    if change.content is None:
        return tag("p", f"removed {title}", class_="quiet")
    if b"\0" in change.content:
        return tag("p", f"left {title}, {len(change.content)} bytes that are no text", class_="quiet")
    said = change.content.decode(errors="replace")
    size = len(change.content)
    return joined([_block(f"Left {title}, {size} bytes", said, HTML_FILE_CHARACTERS) or tag("p", f"left {title}, empty")])


def _block(title: str, whole: str, most: int) -> Markup | None:
    """A text under its title, cut where it is too long."""
    if not whole.strip():
        return None
    more = len(whole) - most
    cut = tag("p", f"Cut here: {more} more characters.", class_="cut") if more > 0 else None
    return joined([tag("h6", title), tag("pre", whole[:most].rstrip("\n")), cut])


def _cut(more: int, noun: str) -> Markup | None:
    return tag("p", f"Cut here: {counted(more, noun)}.", class_="cut") if more > 0 else None
