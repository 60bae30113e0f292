"""Characters of name and description that nobody sees, or that look like others."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from selftune_build.escape import one_line
from selftune_build.late import late
from selftune_build.model.finding import Finding
from selftune_build.model.location import Location
from selftune_build.stages.spec_rules.catalogue import finding
from selftune_build.wording import listed

_HIDDEN = late(
    "[\U000e0000-\U000e007f\U000e0100-\U000e01ef\ufe00-\ufe0f"  # tags and variation selectors carry bytes
    "\u202a-\u202e\u2066-\u2069"  # overrides show another order than is read
    "\u2060-\u2064\u034f\u180b-\u180f\u115f\u1160\u3164\uffa0\u2800"  # joiners, fillers, blanks that are not spaces
    "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]"  # private use
)
_REGIONS = ("gbeng", "gbsct", "gbwls")
_TAGS = range(0xE0020, 0xE007F)
_REGION_TAGS = "|".join("".join(chr(0xE0000 + ord(letter)) for letter in region) for region in _REGIONS)
FLAGS = late(f"\U0001f3f4(?:{_REGION_TAGS})\U000e007f")
_JOINERS = "\u200c\u200d"
_LOOKALIKE = late("[\u0400-\u052f\u0531-\u0587\u13a0-\u13ffΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρυ]")
_COMPATIBILITY = late("[\uff21-\uff3a\uff41-\uff5a\U0001d400-\U0001d7ff]")
_LATIN = late("[A-Za-z]")
_WORD = late(r"[^\W_]+")
_SHOWN = 200


def check_characters(key: str, text: str, at: Location) -> Iterator[Finding]:
    """Findings on hidden, invisible and confusable characters; none for ordinary text of any language, emoji included."""
    if text.isascii() and text.isprintable():
        return
    text = FLAGS.sub("", text)
    hidden = [index for index, character in enumerate(text) if _HIDDEN.match(character) and not _is_emoji_style(text, index)]
    if hidden:
        names = _names(text[index] for index in hidden)
        yield finding("hidden-text", f"{key} holds characters that nobody sees: {names}{_decoded(text)}", at, "remove them")
    invisible = [index for index in range(len(text)) if _is_invisible(text, index)]
    if invisible:
        names = _names(text[index] for index in invisible)
        yield finding("invisible-character", f"{key} holds invisible characters: {names}", at, "remove them")
    mixed = next((word for word in _WORD.findall(text) if _is_mixed(word)), None)
    if mixed:
        odd = _names(character for character in mixed if not character.isascii())
        yield finding("mixed-script-word", f"in {key} the word {mixed[:40]!a} mixes alphabets: {odd}", at, "type it again")


def describe(character: str) -> str:
    """`U+0440 CYRILLIC SMALL LETTER ER`."""
    return f"U+{ord(character):04X} {unicodedata.name(character, 'without a name')}"


def _names(characters: Iterator[str]) -> str:
    return listed([describe(character) for character in dict.fromkeys(characters)], 3)


def _decoded(text: str) -> str:
    said = "".join(chr(ord(character) - 0xE0000) for character in text if ord(character) in _TAGS)
    return f'; they spell "{one_line(said, _SHOWN)}"' if said else ""


def _is_emoji_style(text: str, index: int) -> bool:
    """Whether this is the selector that says how the symbol before it is drawn."""
    if text[index] not in "\ufe0e\ufe0f" or not index:
        return False
    return text[index - 1] in "#*0123456789" or unicodedata.category(text[index - 1]) in ("So", "Sk", "Sm", "Po")


def _is_invisible(text: str, index: int) -> bool:
    character = text[index]
    if character.isascii():
        return not character.isprintable() and character not in "\n\t"
    if character in _JOINERS:
        before = text[index - 1] if index else " "
        return before.isascii() or unicodedata.category(before)[0] not in "LMS"
    return unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") and not _HIDDEN.match(character)


def _is_mixed(word: str) -> bool:
    return bool(_COMPATIBILITY.search(word)) or bool(_LOOKALIKE.search(word) and _LATIN.search(word))
