"""Names that are mistaken for another skill's: letters that look alike, within ASCII and out of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from selftune_build.escape import one_line
from selftune_build.model.finding import Finding
from selftune_build.model.package import SKILL_FILE
from selftune_build.security.subject import Subject, found

WELL_KNOWN = frozenset(
    (
        *("algorithmic-art", "brand-guidelines", "canvas-design", "doc-coauthoring", "docx", "frontend-design", "internal-comms"),
        *("mcp-builder", "pdf", "pptx", "skill-creator", "slack-gif-creator", "theme-factory", "web-artifacts-builder"),
        *("webapp-testing", "xlsx", "using-superpowers", "test-driven-development", "systematic-debugging", "brainstorming"),
    )
)
"""Skills that many people install by name."""

_ALIKE = str.maketrans(
    {
        **dict(zip("015", "ols", strict=True)),
        "i": "l",
        **dict(zip("аеорсухіјѕһԁԛԝкмтвнгпґ", "aeopcyxljshdqwkmtbhrnr", strict=True)),
        **dict(zip("αεικνορτυχγωηβ", "aelkvoptuxywnb", strict=True)),
        **dict(zip("ɑɡıǀɩℓօոսցհյ", "agllllonughj", strict=True)),
    }
)
"""Letters of Cyrillic, Greek and Armenian by the Latin one that they look like: of Unicode's `confusables.txt` what small
letters of names can be."""
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))


@lru_cache(maxsize=16_384)  # every package is compared with every other
def skeleton(name: str) -> str:
    """Equal for names that look alike: compatibility forms, accents, hyphens and capitals gone, each letter its lookalike."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    alike = "".join(each for each in plain if not unicodedata.combining(each) and each not in "-_. ").translate(_ALIKE)
    for pair, one in _PAIRS:
        alike = alike.replace(pair, one)
    return alike


def check_name(subject: Subject) -> Iterator[Finding]:
    """One finding for the first skill, of the workspace or well known, that looks like this one and is another."""
    name, alike = subject.name, skeleton(subject.name)
    for other in (*sorted(subject.others), *sorted(WELL_KNOWN)):
        if other != name and skeleton(other) == alike:
            code = "security-confusable-name" if name.isascii() else "security-lookalike-name"
            said = f"the name {name!a} is easily taken for {one_line(other, 80)}"
            yield found(code, SKILL_FILE, None, said, f"{name}\n{other}", show="", hint="choose a name that differs in more")
            return
