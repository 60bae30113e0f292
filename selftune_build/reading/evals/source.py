"""What every reader of an eval file gets, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from selftune_build.model.case import Case, Check, Origin
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.manifest import Limits
from selftune_build.reading.document import Document, pointer_of


class EvalReading(Struct, frozen=True):
    """The cases of eval files and what was noticed while reading them."""

    cases: tuple[Case, ...] = ()
    findings: tuple[Finding, ...] = ()


class Source(Struct, frozen=True):
    """One eval file: its data, the package around it, and the findings gathered so far."""

    format: str
    document: Document
    read: Callable[[str], bytes]
    package_name: str
    limits: Limits
    findings: list[Finding]

    @property
    def path(self) -> str:
        """Package-relative path of the file."""
        return self.document.path

    def origin(self, pointer: str) -> Origin:
        """Where the element under a JSON pointer stands."""
        return Origin(self.format, self.document.locate(pointer))

    def note(self, code: str, severity: Severity, message: str, pointer: str, hint: str | None = None) -> None:
        """Add a finding about the element under a JSON pointer."""
        self.findings.append(Finding(code, severity, message, self.document.locate(pointer), hint))

    def unsupported(self, name: str, content: str, reason: str, pointer: str) -> Check:
        """The check that keeps its case undecided: `content` is what was asked, so that an edit of it changes the case."""
        return Check("unsupported", {"name": name, "reason": reason, "content": content}, origin=self.origin(pointer))


def note_unknown_fields(source: Source, items: Iterable[tuple[str, object]], known: frozenset[str]) -> None:
    """One finding for each key of the mappings that no reader understands, at the first place, with the number of places."""
    places: dict[str, list[str]] = {}
    for pointer, item in items:
        for name in item if isinstance(item, dict) else ():
            if name not in known:
                places.setdefault(name, []).append(pointer + pointer_of([name]))
    for name, pointers in places.items():
        times = f" ({len(pointers)} times)" if len(pointers) > 1 else ""
        source.note("eval-field-not-read", Severity.NOTE, f"`{name[:60]}` is not read{times}", pointers[0])
