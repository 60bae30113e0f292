"""All eval files of a package together: which are read, which are left alone, one set of ids."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache

from msgspec import Struct

from selftune_build.errors import InputError
from selftune_build.limits import EVAL_CASES
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.manifest import Limits
from selftune_build.reading.document import Document
from selftune_build.reading.evals import recognise
from selftune_build.reading.evals.damaged import SYNTAX, refuse_damaged, refuse_emptied
from selftune_build.reading.evals.data_file import is_data, is_yaml, load_any, load_data, load_text
from selftune_build.reading.evals.identifiers import with_unique_ids
from selftune_build.reading.evals.left_over import (
    CODE,
    FOLDER,
    content_of,
    lies_among_fixtures,
    stands_among_suites,
    without_fixtures,
)
from selftune_build.reading.evals.recognise import Format
from selftune_build.reading.evals.source import EvalReading, Source

Read = Callable[[str], bytes]

_CONVENTIONAL = "evals/evals.json"
_OURS = (recognise.EVALS.name, recognise.UNIT_TESTS.name)
_COMMON = (recognise.EVALS_JSON.name, recognise.QUESTION_LIST.name, recognise.TRIGGER_SET.name)
"""Formats that ordinary test data looks like: nobody is told of such a file where evals are not kept."""

_DEFAULT_LIMITS = Limits()
_FORMATS = f"write cases as {_OURS[0]} or evals.json, or put fixtures into a folder below"
NO_READERS: Mapping[str, Format] = {}


class _Asked(Struct, frozen=True):
    """What a caller wants from candidate files."""

    read: Read
    explicit: bool
    package_name: str
    limits: Limits
    formats: frozenset[str]
    elsewhere: str
    """The manifest key under which files of our other format belong."""
    readers: Mapping[str, Format] = NO_READERS
    """Path → the format that the manifest says it is in."""
    tree: Sequence[str] = ()
    home: str = ""

    def direct(self, path: str) -> bool:
        """Whether a file stands where suites of this kind stand or the manifest names it: then it is meant as one."""
        folder = "tests" if self.elsewhere == "evals" else FOLDER
        return self.explicit or posixpath.dirname(path) == folder


class _File(Struct, frozen=True):
    """What one candidate gave, in which format, and the other files that its suite is made of."""

    path: str
    reading: EvalReading
    format: str = ""
    parts: frozenset[str] = frozenset()
    refusal: InputError | None = None
    """Why it cannot be read although the manifest names it; as a part of another file's suite it need not be a suite."""


def read_eval_files(
    paths: Sequence[str],
    read: Read,
    explicit: bool,
    *,
    package_name: str = "",
    limits: Limits = _DEFAULT_LIMITS,
    taken: Collection[str] = (),
    readers: Mapping[str, Format] = NO_READERS,
    tree: Sequence[str] = (),
    home: str = "",
) -> EvalReading:
    """The eval cases of these package-relative files, in their order, with ids that differ from each other and from `taken`.

    `explicit`: the manifest names them, so a file that cannot be read or is in no known format raises InputError. Else they
    are candidates: what is no eval file is left alone, what looks like one and cannot be read is a finding. A file that says
    it is in a format of ours is read strictly either way. `limits` fill in what a case does not limit. A path in `readers`
    is read in that format, whatever it looks like. `tree` are all files that `read` reads, for suites made of several: what a
    suite is made of is no suite of its own. `home` is the folder of the skill where that is not the root of all paths.
    """
    formats = frozenset(recognise.FORMATS) - {recognise.UNIT_TESTS.name}
    asked = _Asked(cache(read), explicit, package_name, limits, formats, "unit_tests", readers, sorted(tree), home)
    return _read_all(paths, asked, taken)


def read_unit_tests(
    paths: Sequence[str],
    read: Read,
    explicit: bool,
    *,
    package_name: str = "",
    limits: Limits = _DEFAULT_LIMITS,
    taken: Collection[str] = (),
) -> EvalReading:
    """The unit tests of these files, as `read_eval_files`: our own format, and that of the predecessor."""
    formats = frozenset({recognise.UNIT_TESTS.name, recognise.OLD_UNIT_TESTS.name})
    return _read_all(paths, _Asked(cache(read), explicit, package_name, limits, formats, "evals"), taken)


def _read_all(paths: Sequence[str], asked: _Asked, taken: Collection[str]) -> EvalReading:
    used: set[str] = set()
    files = _suites(list(_files(paths, asked, _recording(asked.read, used))))
    cases = [case for file in files for case in file.reading.cases]
    findings = [finding for file in files for finding in file.reading.findings]
    unique = with_unique_ids(cases, taken=taken, strict=_OURS)
    return EvalReading(unique.cases, (*without_fixtures(findings, used), *unique.findings))


def _files(paths: Sequence[str], asked: _Asked, brought: Read) -> Iterator[_File]:
    count = 0
    for path in paths:
        try:
            file = _read_one(path, asked, brought)
        except InputError as refusal:
            file = _File(path, EvalReading(), refusal=refusal)
        count += len(file.reading.cases)
        if count > EVAL_CASES:
            message = f"more than {EVAL_CASES} cases in one package"
            raise InputError(message, at=Location(path), hint="split the suite", code="too-many-cases")
        yield file


def _suites(files: list[_File]) -> list[_File]:
    """The files without those that are a part of another one's suite, or a fragment of which another holds every case.

    Raises InputError for the first that is no such part and is refused.
    """
    parts: set[str] = set()
    for file in files:  # of two that name each other the first is the suite
        parts |= file.parts if file.path not in parts else set()
    files = [file for file in files if file.path not in parts]
    for file in files:
        if file.refusal is not None:
            raise file.refusal
    return [_without_cases(file, whole) if (whole := _whole(file, files)) else file for file in files]


def _whole(fragment: _File, files: list[_File]) -> _File | None:
    if not fragment.reading.fragment or not fragment.reading.cases:
        return None
    ids = {case.id for case in fragment.reading.cases}
    wholes = (file for file in files if file.format == fragment.format and not file.reading.fragment)
    return next((file for file in wholes if ids <= {case.id for case in file.reading.cases}), None)


def _without_cases(fragment: _File, whole: _File) -> _File:
    message = f"the cases of this file are in {whole.path} as well, and count there"
    finding = Finding("eval-file-fragment", Severity.NOTE, message, Location(fragment.path, 1, 1, ""))
    return _File(fragment.path, EvalReading(findings=(finding,)), fragment.format)


def _recording(read: Read, used: set[str]) -> Read:
    """`read`, and which paths were read by it: what a case brings along is a fixture."""

    def reading(path: str) -> bytes:
        content = read(path)
        used.add(path)
        return content

    return reading


def _read_one(path: str, asked: _Asked, brought: Read) -> _File:
    content = _content(path, asked.read)
    if (is_yaml(path) and asked.direct(path)) or (is_data(path) and stands_among_suites(path)):
        refuse_emptied(path, content)
    if path in asked.readers:
        return _read_as(asked.readers[path], path, content, asked, brought)
    try:
        document = load_any(path, content, wild=True)
    except InputError as problem:
        return _File(path, _unreadable(path, content, problem, asked))
    if recognise.claims_to_be_ours(document.data):
        document = load_data(path, content, wild=False)
    format_ = recognise.recognise(document.data, lambda: recognise.beside(path, asked.tree))
    if asked.direct(path) or (format_ is recognise.EVALS_JSON and not lies_among_fixtures(path)):
        _refuse_damaged(document, format_, asked)
    if format_ is None or format_.name not in asked.formats:
        return _File(path, _not_read(document, format_, asked))
    if not (asked.explicit or format_.ours) and lies_among_fixtures(path):
        message = f"the file looks like evals of the format {format_.name}, lies among fixtures and is not read"
        finding = Finding(CODE, Severity.NOTE, message, document.locate(""), "name it under `evals:` in selftune.yaml to read it")
        return _File(path, EvalReading(findings=(finding,)))
    return _cases(format_, document, asked, brought)


def _refuse_damaged(document: Document, format_: Format | None, asked: _Asked) -> None:
    """Raise InputError for a file of ours without the line that says so; what another tool's keys tell is another's."""
    if (format_ is None or format_.name in _COMMON) and not recognise.claims_to_be_ours(document.data):
        refuse_damaged(document, _OURS[asked.elsewhere == "evals"])


def _read_as(format_: Format, path: str, content: bytes, asked: _Asked, brought: Read) -> _File:
    """A file in the format that the manifest says: JSON and YAML as data, everything else as text."""
    document = load_data(path, content, wild=not format_.ours) if is_data(path) else load_text(path, content)
    return _cases(format_, document, asked, brought)


def _cases(format_: Format, document: Document, asked: _Asked, brought: Read) -> _File:
    findings = list(document.findings)
    source = Source(format_.name, document, brought, asked.package_name, asked.limits, findings, asked.tree, asked.home)
    reading = format_.read(source)
    if not reading.cases:
        source.note("eval-file-empty", Severity.NOTE, "the file holds no case", "")
    gathered = EvalReading(reading.cases, tuple(findings), reading.fragment)
    return _File(document.path, gathered, format_.name, frozenset(source.parts))


def _content(path: str, read: Read) -> bytes:
    try:
        return read(path)
    except OSError as problem:
        hint = "paths are relative to the folder with SKILL.md"
        message = f"the file cannot be read: {problem.strerror or 'it is not there'}"
        raise InputError(message, at=Location(path), hint=hint, code="missing-file") from None


def _unreadable(path: str, content: bytes, problem: InputError, asked: _Asked) -> EvalReading:
    """Fixtures of evals are broken on purpose: only a file that looks like a suite, or lies among them, is worth a word."""
    text = content.decode("utf-8", "replace")
    broken = stands_among_suites(path) and problem.code in SYNTAX
    if asked.explicit or broken or any(name in text for name in _OURS):
        raise problem
    if path != _CONVENTIONAL and not recognise.leaves_traces(text):
        return _left_over(path, asked, problem.message, problem.at, problem.hint)
    severity = Severity.ERROR if path == _CONVENTIONAL else Severity.WARNING
    message = f"the file looks like evals and is not read: {problem.message}"
    return EvalReading(findings=(Finding("eval-file-unreadable", severity, message, problem.at, problem.hint),))


def _not_read(document: Document, known: Format | None, asked: _Asked) -> EvalReading:
    """Raises InputError for what the manifest names and for formats of ours from the future; else a finding, or silence."""
    if known is None and recognise.claims_to_be_ours(document.data):
        message, at = f"the format `{document.data['format'][:60]}` is not known here", document.locate("/format")
        raise InputError(message, at=at, hint=f"known are {' and '.join(_OURS)}", code="unknown-format")
    alike = recognise.foreign_name(document.data) if asked.elsewhere == "unit_tests" else None
    if not asked.explicit and not alike and (known is None or known.name in _COMMON):
        return _left_over(document.path, asked, f"it holds {content_of(document.data)}", document.locate(""), _FORMATS)
    message, hint = _why(known, alike, asked.elsewhere)
    if asked.explicit:
        raise InputError(message, at=document.locate(""), hint=hint, code="unknown-format")
    severity = Severity.WARNING if known and known.ours else Severity.NOTE
    return EvalReading(findings=(Finding(CODE, severity, message, document.locate(""), hint),))


def _left_over(path: str, asked: _Asked, why: str, at: Location | None, hint: str | None) -> EvalReading:
    if asked.elsewhere != "unit_tests" or not stands_among_suites(path):
        return EvalReading()
    return EvalReading(findings=(Finding(CODE, Severity.NOTE, f"the file is not read as evals: {why}", at, hint),))


def _why(known: Format | None, alike: str | None, elsewhere: str) -> tuple[str, str]:
    """What the file is instead, and what to do."""
    if known:
        return f"the file is in the format {known.name}", f"name it under `{elsewhere}:` in selftune.yaml"
    hint = f"write it as {_OURS[0]} or evals.json" if elsewhere == "unit_tests" else f"write it as {_OURS[1]}"
    return (
        f"the file looks like evals of {alike} and is not read" if alike else "the file is in no format that is read here",
        hint,
    )
