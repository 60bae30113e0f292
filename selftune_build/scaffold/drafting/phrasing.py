"""From a clause about a user to what that user would say: "when asked to fill in a form" becomes "Please fill in a form."."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from selftune_build.agents.embedded.vocabulary import stem_set
from selftune_build.limits import DRAFTED_PROMPT_CHARACTERS

THIN = 2
"""A piece of a longer list with fewer words that mean something says nothing on its own."""

_SPLIT = re.compile(
    r"\s*[;,:]\s+(?:(?:or|and)\s+)?|\s+-\s+"
    r"|\s+(?:or|and)\s+(?=(?:when|whenever|if|after|before|while|to|for|asks?|wants?|needs?)\b)",
    re.IGNORECASE,
)
_CUE = re.compile(r"(?:when(?:ever)?|if|after|before|while|any ?time|for|to)\b\s*", re.IGNORECASE)
_USER = re.compile(
    r"(?:(?:the|a|your)\s+)?(?:users?|customers?|somebody|someone|people|they)\s+(?:(?:also|explicitly|is|are|may|might)\s+)*",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"(?:(?P<want>wants?|needs?|would like)|(?P<ask>ask(?:s|ed|ing)?|request(?:s|ed|ing)?|tr(?:y|ies|ying)|looking)"
    r"|(?P<name>(?:mentions?|says?|references?|talks?)(?:\s+(?:or|and)\s+(?:mentions?|says?|references?|talks?))*))\b\s*"
    r"(?:(?:you|claude|for help|help)\s+)?(?P<link>(?:to|for|about|with|of)\b\s*)?",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"(?:what|how|why|whether|which|where|who|when)\b", re.IGNORECASE)
_CHOICE = re.compile(r"(?:should|can|could|may|do|does|is|are|will)\s+(?:I|we|my|our|this|it|there)\b", re.IGNORECASE)
_THING = re.compile(r"(?P<thing>(?:an?|the)\s+[^,;]{2,80}?)\s+(?:is|are|was|were|gets?)\b", re.IGNORECASE)
_IMPERATIVE = frozenset(
    """
    add analyse analyze apply assess automate clean collect combine compare compose compress configure convert create deploy
    describe detect diagnose edit explain extract fetch fill find fix generate implement import improve insert inspect integrate
    investigate make manage manipulate measure merge migrate modify monitor optimise optimize organise organize parse prepare
    publish read refactor remove rename render replace resize restructure rewrite rotate run save send simplify split summarise
    summarize transcribe transform translate troubleshoot understand upgrade validate verify visualise visualize write
    """.split()  # noqa: SIM905 - a table of words is read more easily without quotes
)
_REQUEST = re.compile(
    r"(?:audit|build|change|check|crop|debug|design|document|draft|draw|export|format|plan|prototype|review|scaffold|search"
    r"|set up|sort|test|train|update)\s+(?:an?|the|my|our|some|all|new|existing|it|this|these)\b",
    re.IGNORECASE,
)
"""Words that are a noun as often as a verb: what follows tells."""
_STATEMENT = re.compile(
    r"\w+\s+(?:[\w-]+\s+){0,4}(?:is|are|was|were|apply|applies|pass|passes|fail|fails|exists?|breaks?)\b", re.IGNORECASE
)
_ANY = re.compile(r"\bany\s+(?!ways?\b|times?\b|of\b|other\b)(?P<noun>\w+)", re.IGNORECASE)
_BY_NAME = re.compile(r"\s+by (?:its )?name(?: or (?:file )?path)?$", re.IGNORECASE)
_GERUND = re.compile(r"(?!(?:any|every|some|no)?thing\b|(?:exist|miss|dur|pend|incom|remain)ing\b)[a-z]{2,}ing\b", re.IGNORECASE)
_STATE = re.compile(r"(?:about to|ready to|unable to|unsure|stuck)\b", re.IGNORECASE)
_VERB = re.compile(r"([a-z]{2,}?)(e?s)\b\s*", re.IGNORECASE)
_REMARK = re.compile(
    r"(?:not|no|even|similar|other|others|especially|regardless|this|it|that|which|can|must|should|will|requires|ensures|establishes|provides"
    r"|includes|(?:includ|requir|ensur|establish|provid|allow)ing|whether (?:in|on|for|as|by|it|they))\b",
    re.IGNORECASE,
)
"""A piece that begins so is no situation of a user, but a remark of the author or the rest of a list."""
_EMPTY_START = re.compile(r"(?:(?:or|and|any(?! ?time)|also|e\.g\.|i\.e\.|like)\s+)+", re.IGNORECASE)
_EMPTY_END = re.compile(
    r"(?:\s+(?:or|and|like|as|such as|such|including|e\.g|i\.e|etc|with|by|to|for|of|in|the|a|an)\b\.?)+$", re.IGNORECASE
)
_EDGE = " \t.,;:!?-\u2013\u2014*_`|#>\"'()[]"
_PARENTHESIS = re.compile(r"\s*\([^()]*\)")
_FIRST_PERSON = (
    (r"\byou(?:'|\u2019)re\b|\byou are\b|\b(?:the )?user is\b", "I am"),
    (r"\b(?:the )?user has\b", "I have"),
    (r"\byours\b", "mine"),
    (r"\byour\b|\b(?:the )?user(?:'|\u2019)s\b", "my"),
    (r"\byou\b", "I"),
)
_MARKUP = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)|[`*]|<[^<>]{0,80}>")


class _Said(Struct, frozen=True):
    """A piece of a clause: the word that led to it, and whether it goes on with the list of the piece before."""

    cue: str
    text: str
    continued: bool


def plain_text(text: str) -> str:
    """The text on one line, printable, without Markdown's marks; links keep their words."""
    shown = _MARKUP.sub(lambda found: found.group(1) or "", text)
    return printable(shown)


def printable(text: str) -> str:
    """The text on one line, with single spaces for all that cannot be shown: control, format and direction characters."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def sentence(text: str) -> str:
    """One line that can stand as a prompt: cut to what a prompt may have, with a full stop if it has no end."""
    line = text.strip()
    if len(line) > DRAFTED_PROMPT_CHARACTERS:
        line = line[:DRAFTED_PROMPT_CHARACTERS].rsplit(" ", 1)[0].rstrip(_EDGE)
    return line if line.endswith((".", "!", "?", "\u2026")) else f"{line}."


def prompts_of(clause: str) -> Iterator[str]:
    """What users might say in the situations that a clause lists, in its order; `clause` is plain text and begins with its
    cue ("when …", "for …")."""
    for piece in _pieces(_PARENTHESIS.sub("", clause)):
        said = _said(piece)
        if said is not None:
            yield sentence(said)


def prompt_of_topic(topic: str) -> str | None:
    """What a user might say about a topic in plain text, None where it says nothing."""
    text = _in_first_person(_trimmed(_PARENTHESIS.sub("", topic)))
    if _CHOICE.match(text):
        return f"{text[:1].upper()}{text[1:]}?"
    return sentence(_shaped("", text)) if stem_set(text) else None


def _pieces(clause: str) -> Iterator[_Said]:
    cue = ""
    for number, part in enumerate(_SPLIT.split(clause)):
        text = _trimmed(part)
        found = _CUE.match(text)
        if found:
            cue, text = found.group().strip().lower(), _trimmed(text[found.end() :])
        yield _Said(cue, text, continued=number > 0 and found is None)


def _trimmed(text: str) -> str:
    start = text.strip(_EDGE)
    found = _EMPTY_START.match(start)
    return _EMPTY_END.sub("", start[found.end() :] if found else start).strip(_EDGE)


def _said(piece: _Said) -> str | None:
    """The request behind a piece, None where it is too thin for one or is none."""
    user = _USER.match(piece.text)
    text = _in_first_person(piece.text[user.end() :] if user else piece.text)
    asks = _ASKS.match(text)
    asked = asks is not None and (user is not None or piece.continued or asks.group("ask") is not None)
    rest = text[asks.end() :] if asks and asked else text
    if len(stem_set(rest)) < THIN or _REMARK.match(rest):
        return None
    if asks and asked:
        return _asked(asks, rest)
    if user:
        return _does(text)
    return _shaped("" if piece.continued else piece.cue, text)


def _asked(asks: re.Match[str], rest: str) -> str:
    """What follows "the user asks …": the link decides what it is."""
    link = (asks.group("link") or "").strip().lower()
    if link == "to":
        return f"Please {rest}"
    if link == "about" or asks.group("name"):
        return f"I have a question about {_BY_NAME.sub('', rest)}"
    return f"I would like {rest}" if asks.group("want") and not _QUESTION.match(rest) else _shaped("", rest)


def _does(text: str) -> str:
    """What follows "the user …" where that is no request: the verb in the first person."""
    word = text.split(" ", 1)[0].lower()
    known = {"has": "have", "is": "am", "does": "do", "was": "was"}
    if word in known:
        return f"I {known[word]}{text[len(word) :]}. Can you help?"
    verb = _VERB.match(text)
    if verb is None or word.endswith("ss"):
        return _shaped("", text)
    cut = verb.group(1) + ("" if verb.group(1).endswith(("ch", "sh", "ss", "x")) else verb.group(2)[:-1])
    return f"I {cut} {text[verb.end() :]}. Can you help?"


def _shaped(cue: str, text: str) -> str:
    """A request by the shape of its first words; "help with this" goes with whatever it is."""
    text = _ANY.sub(_one_of, text)
    if _QUESTION.match(text):
        return f"Can you tell me {_lowered(text)}?"
    if cue == "to" or _REQUEST.match(text) or re.split(r"\W", text, maxsplit=1)[0].lower() in _IMPERATIVE:
        return f"Please {text[:1].lower()}{text[1:]}"
    if cue in ("after", "before", "while"):
        return f"I need help {cue} {text}"
    if _GERUND.match(text) or _STATE.match(text):
        return f"I am {_lowered(text)}. Can you help?"
    if text.startswith("I "):
        return f"{text}. Can you help?"
    thing = _THING.match(text)
    if thing is not None and len(stem_set(thing["thing"])) >= THIN:
        return f"I have {_lowered(thing['thing'])}. Can you help?"
    if _STATEMENT.match(text):
        return f"{text[:1].upper()}{text[1:]}. Can you help?"
    return f"Please help with this: {_lowered(text)}"


def _one_of(found: re.Match[str]) -> str:
    """Nobody has "any bug": they have a bug, or bugs."""
    noun = found["noun"]
    if noun.endswith("s") and not noun.endswith("ss"):
        return noun
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def _lowered(text: str) -> str:
    first, _, rest = text.partition(" ")
    ordinary = (first == "A" or first[1:].islower()) and not rest[:1].isupper()  # "Google Docs" is a name
    return text[:1].lower() + text[1:] if ordinary else text


def _in_first_person(text: str) -> str:
    for pattern, word in _FIRST_PERSON:
        text = re.sub(pattern, word, text, flags=re.IGNORECASE)
    return text
