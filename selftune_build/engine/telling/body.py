"""Measures of the text of a skill that need no agent: how much is loaded when, whether it leads to its files."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from pathlib import Path

from selftune_build.late import late
from selftune_build.limits import BODY_FILES_READ, SPEC_LINK_SCAN_BYTES_MAX
from selftune_build.model.package import SKILL_FILE, Package, TreeFile
from selftune_build.model.statistics import Body
from selftune_build.probe import probed
from selftune_build.stages.spec_rules.body import BYTES_PER_TOKEN, references

TEXT = (".md", ".txt", ".rst", ".json", ".yaml", ".yml", ".csv", ".html", ".xml")
LED_TO = ("references/", "scripts/")
"""Folders whose files nobody opens unless something names them."""
_WORD = late(r"\w{4,}")


def body_of(package: Package) -> Body:
    """The measures of one package. Files that cannot be read lead nowhere."""
    skill = package.skill
    loaded = _tokens(len(skill.description.encode()) + len(skill.body.encode()))
    later = _tokens(sum(file.size for file in package.staged if file.path != SKILL_FILE and file.path.lower().endswith(TEXT)))
    return Body(
        description_tokens=_tokens(len(skill.description.encode())),
        body_tokens=_tokens(len(skill.body.encode())),
        reference_tokens=later,
        disclosure=later / (loaded + later) if loaded + later else 0.0,
        links=_links(package),
        reached=_reached(package),
        covered=_covered(package),
    )


def _tokens(size: int) -> int:
    return size // BYTES_PER_TOKEN


def _share(part: Iterable[bool]) -> float:
    """1 where there is nothing."""
    answers = list(part)
    return sum(answers) / len(answers) if answers else 1.0


def _links(package: Package) -> float:
    files = {file.path for file in package.tree}
    pointed = references(package.skill.body[:SPEC_LINK_SCAN_BYTES_MAX])
    paths = {posixpath.normpath(each.path.replace("\\", "/")) for each in pointed}
    return _share(path in files or any(file.startswith(f"{path}/") for file in files) for path in sorted(paths))


def _reached(package: Package) -> float:
    waiting = [file for file in package.staged if file.path.startswith(LED_TO)]
    total, texts = len(waiting), [package.skill.body]
    read = 0
    while texts:
        text = texts.pop()
        found = [file for file in waiting if file.path in text or posixpath.basename(file.path) in text]
        waiting = [file for file in waiting if file not in found]
        texts += [_text(package, file) for file in found[: BODY_FILES_READ - read] if file.path.lower().endswith(TEXT)]
        read += len(found)
    return 1.0 - len(waiting) / total if total else 1.0


def _text(package: Package, file: TreeFile) -> str:
    laid = package.overlay.get(file.path)
    if laid is not None:
        return laid[:SPEC_LINK_SCAN_BYTES_MAX].decode(errors="replace")
    path = Path(package.root) / file.path
    probed(path)
    try:
        with path.open("rb") as stream:
            return stream.read(SPEC_LINK_SCAN_BYTES_MAX).decode(errors="replace")
    except OSError:
        return ""


def _covered(package: Package) -> float:
    """A prompt that shares no word with what a host shows has to be guessed."""
    known = _words(f"{package.name} {package.skill.description}")
    return _share(bool(known & _words(case.prompt)) for case in package.evals if case.should_trigger)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower().replace("-", " ").replace("_", " ")))
