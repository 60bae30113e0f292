"""Prompts of users drawn from what a skill says about itself: its description, its routing table, its headings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from selftune_build.agents.embedded.passages import Passage, passages
from selftune_build.agents.embedded.router import without_refusals
from selftune_build.agents.embedded.vocabulary import stem_set
from selftune_build.limits import DRAFTED_TEXT_CHARACTERS
from selftune_build.model.package import Package
from selftune_build.scaffold.drafting.phrasing import THIN, plain_text, prompt_of_topic, prompts_of, sentence

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'(])|\n\s*\n|\s[\u2013\u2014]\s")
_USE = re.compile(
    r"\b(?:use[ds]?|triggers?|invoke|activate|apply|useful|helpful)\b(?:\s+(?:it|this|the|skill|only|also|especially|proactively))*"
    r"\s*,?\s*\b(?P<cue>when(?:ever)?|if|for|after|before|while|any ?time)\b",
    re.IGNORECASE,
)
_USER_CUE = re.compile(r"\b(?P<cue>when(?:ever)?|if)\s+(?:(?:the|a)\s+)?(?:users?|asked)\b", re.IGNORECASE)
_REFUSED = re.compile(
    r"\b(?:do\s+not|don['\u2019]t|not|never|does\s+not|doesn['\u2019]t)\s+(?:be\s+)?"
    r"(?:(?:use[ds]?|trigger(?:s|ed)?|activated?|invoked?|apply|applies|intended|meant|suitable|designed)\b"
    r"(?:\s+(?:it|this|the|skill))*\s*,?\s*)?\b(?P<cue>when(?:ever)?|if|for)\b",
    re.IGNORECASE,
)
"""Where a description says what the skill is not for; "never use emojis" says nothing of the kind."""
_QUOTED = re.compile(r"[\"\u201c]([^\"\u201c\u201d]{3,200})[\"\u201d]|(?<!\w)'([^']{3,200})'(?!\w)")
_ASKING_HEAD = re.compile(r"\b(?:task|request|user|wants?|questions?|needs?|intent|asks?)\b", re.IGNORECASE)
_GENERIC = frozenset(
    """
    overview usage quick start started example reference note rule step workflow process checklist setup install installation
    mistake tip troubleshoot troubleshooting output format requirement limitation resource instruction guideline principle
    summary introduction practice pattern dependency feature technical detail tool file important critical flag purpose
    background scope also answer command prerequisite configuration next final verification validation goal core key index
    guide available beta
    when how why what phase stage example anti iron law default error handling script structure before after never always
    """.split()  # noqa: SIM905 - a table of words is read more easily without quotes
)
_LONGEST_HEADING_WORDS = 8
_NO_TOPIC = re.compile(r"\d|[:;,]|\s[-\u2013\u2014]\s|^(?:from|for|with|on|in|to|by|at|more|about)\b", re.IGNORECASE)
"""Headings with numbers, lists and labels name steps; those that begin with a preposition are half of one."""


class Drawn(Struct, frozen=True):
    """A prompt and which part of the skill it was drawn from: `description`, `table` or `heading`."""

    prompt: str
    source: str


def drawn_prompts(package: Package) -> Iterator[Drawn]:
    """Everything that the texts of a skill yield, the most telling first; of very long texts the start is looked at."""
    for prompt in _from_description(package.skill.description[:DRAFTED_TEXT_CHARACTERS]):
        yield Drawn(prompt, "description")
    body = passages(package.skill.body[:DRAFTED_TEXT_CHARACTERS])
    files = {file.path for file in package.staged}
    for row in body:
        request = _from_row(row, files) if row.kind == "row" else None
        if request:
            yield Drawn(_about(package, request), "table")
    for heading in dict.fromkeys(title for passage in body for title in passage.titles[1:]):
        wish = _from_heading(package, heading)
        if wish:
            yield Drawn(_about(package, wish), "heading")


def refused_prompts(package: Package) -> Iterator[str]:
    """What users might say in the situations that the description rules out."""
    for part in _SENTENCE_END.split(package.skill.description[:DRAFTED_TEXT_CHARACTERS]):
        text = plain_text(part)
        found = _REFUSED.search(text)
        if found is not None:
            yield from prompts_of(text[found.start("cue") :])


def subject_of(package: Package) -> str:
    """What the skill is about, in the words of its name."""
    return plain_text(re.sub(r"[-_.]+", " ", package.name))


def _from_description(description: str) -> Iterator[str]:
    for part in _SENTENCE_END.split(description):
        text = plain_text(without_refusals(part))
        found = _USE.search(text) or _USER_CUE.search(text)
        if found is None:
            continue
        clause = text[found.start("cue") :]
        for quoted in _QUOTED.finditer(clause):
            words = (quoted.group(1) or quoted.group(2)).strip(" ,.")
            if len(stem_set(words)) >= THIN:
                yield sentence(words)
        yield from prompts_of(_QUOTED.sub(" ", clause))


def _from_row(row: Passage, files: set[str]) -> str | None:
    """A row that leads to a file of the package, or whose table says that it is about tasks, in the words of its request."""
    heads, cells = row.head.split(" | "), row.text.split(" | ")
    leads = any(span.removeprefix("./").split("#", 1)[0] in files for span in row.spans)
    asking = next((at for at, head in enumerate(heads) if _ASKING_HEAD.search(head)), None)
    if not leads and asking != 0:
        return None
    cell = cells[asking] if asking is not None and len(cells) == len(heads) else _wordy(cells, row.spans)
    topic = plain_text(cell)
    if asking is not None and re.search(r"\bwants\b", heads[asking]) and stem_set(topic):
        return sentence(f"I would like {topic}")
    return prompt_of_topic(topic)


def _wordy(cells: list[str], spans: tuple[str, ...]) -> str:
    """The first cell that is no path or code."""
    return next((cell for cell in cells if not any(span in cell for span in spans)), "")


def _from_heading(package: Package, heading: str) -> str | None:
    """Headings name parts of a text more often than wishes of a user: only short ones on the skill's own subject count."""
    text = plain_text(heading)
    words = {word.strip(".:()").removesuffix("s") for word in text.lower().split()}
    own = stem_set(f"{package.name} {package.skill.description[:DRAFTED_TEXT_CHARACTERS]}")
    if len(words) > _LONGEST_HEADING_WORDS or words & _GENERIC or _NO_TOPIC.search(text) or len(stem_set(text)) < THIN:
        return None
    if not stem_set(text) & own:
        return None
    return prompt_of_topic(" ".join(word.lower() if word[1:].islower() or text.isupper() else word for word in text.split()))


def _about(package: Package, prompt: str) -> str:
    """The prompt with what the skill is about, where it does not say so itself: nobody asks for "the usual job"."""
    subject = subject_of(package)
    if not stem_set(subject) or stem_set(prompt) & stem_set(subject) or subject.lower() in prompt.lower():
        return prompt
    return f"{prompt} It is about {subject}."
