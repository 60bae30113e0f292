"""Arguments of a documented command with its placeholders filled from the case: files, columns, numbers, quoted words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from msgspec import Struct, field

from selftune_build.agents.embedded.case_files import CaseFiles, canonical, columns, columns_named, suffix_of
from selftune_build.agents.embedded.reading import inside, without_base
from selftune_build.agents.embedded.vocabulary import stem_set

_PLACEHOLDER = re.compile(
    r"<([\w .:/-]{1,80})>(\.\w{1,8})?|\$?\{([\w .:/-]{1,80})\}(\.\w{1,8})?|\$(\w{1,80})|([A-Z][A-Z0-9_-]*)(\.\w{1,8})?"
)
_PART = re.compile(r"<[\w .-]{1,80}>|\$?\{\w[\w .-]{0,80}\}|\$[A-Za-z_]\w*")
_EXAMPLE_FILE = re.compile(r"[\w./-]*[\w-]\.([A-Za-z][A-Za-z0-9]{1,7})")
_WORDS = re.compile(r"[A-Za-z]+")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\w)")
_QUOTED = re.compile(r"\"([^\"\n]{1,200})\"|\u201c([^\u201d\n]{1,200})\u201d|`([^`\n]{1,200})`|(?<!\w)'([^'\n]{1,200})'(?!\w)")
_OUTPUT_WORDS = frozenset(("out", "output", "outfile", "outputs", "dest", "destination", "result", "results", "save", "target"))
_FOLDER_WORDS = frozenset(("dir", "directory", "folder", "root", "workspace", "project", "repo", "repository"))
_FILE_WORDS = frozenset(("file", "files", "path", "paths", "input", "inputs", "filename", "source", "document", "infile"))
_MANY_WORDS = frozenset(("files", "paths", "inputs", "documents"))
_KNOWN_SUFFIXES = """
    csv tsv json jsonl yaml yml toml xml html htm md markdown txt text log rst pdf docx xlsx pptx png jpg jpeg gif svg wav mp3
    mp4 zip ini cfg conf env sql py js ts sh ics eml parquet db sqlite diff patch lock
"""
_SUFFIXES = frozenset(_KNOWN_SUFFIXES.split())
_NUMBER_WORDS = frozenset(("n", "num", "number", "count", "limit", "top", "k", "max", "min", "size", "days", "year", "amount"))
_MANY = ("...", "\u2026")
_FILES_LOOKED_INTO = 5


class Case(Struct):
    """What a command can be filled from, and what of it this command has used up."""

    root: Path
    skill: Path
    staged: str
    """The skill's folder as seen from the workspace."""
    prompt: str
    files: CaseFiles
    probed: list[str]
    """Paths in the skill that were looked up."""
    used: list[str] = field(default_factory=list)


def filled(arguments: Sequence[str], case: Case) -> list[str] | None:
    """The arguments with every placeholder filled; None where the case has nothing for one that is not in brackets."""
    case.used = []
    found: list[str] = []
    for group, optional in _groups(arguments):
        values = _group_values(group, case, found)
        if values is None and not optional:
            return None
        if not optional or values != group or _asked_for(group, case):
            found += values or []
    return _with_named_columns(found, case)


def _asked_for(group: Sequence[str], case: Case) -> bool:
    """Whether the prompt says every word of an option that may be left out."""
    words = stem_set(" ".join(group))
    return bool(words) and words <= stem_set(case.prompt)


def _groups(arguments: Sequence[str]) -> Iterator[tuple[list[str], bool]]:
    """Arguments one by one; those inside `[…]` together, as optional."""
    gathered: list[str] | None = None
    for argument in arguments:
        if gathered is None and not argument.startswith("["):
            yield [argument], False
            continue
        gathered = [*(gathered or []), argument]
        if argument.endswith("]"):
            gathered[0], gathered[-1] = gathered[0].removeprefix("["), gathered[-1]
            gathered[-1] = gathered[-1].removesuffix("]")
            yield [part for part in gathered if part], True
            gathered = None
    if gathered is not None:
        yield gathered, True


def _group_values(group: Sequence[str], case: Case, before: Sequence[str]) -> list[str] | None:
    values: list[str] = []
    for argument in group:
        option = next(iter([*before, *values][-1:]), "")
        found = _values(argument, option if option.startswith("-") else "", case)
        if found is None:
            return None
        values += found
    return values


def _values(argument: str, option: str, case: Case) -> list[str] | None:
    """What stands in place of one argument; `option` is the option before it, if any."""
    name, equals, value = argument.partition("=")
    if equals and name.startswith("-"):
        found = _values(value, name, case)
        return None if found is None else [f"{name}={part}" for part in found]
    if argument.startswith("-") and argument not in ("-", "--"):
        return [argument]
    choices = argument.strip("{}<>").replace(",", "|").split("|") if re.search(r"\w[|,]\w", argument) else []
    if len(choices) > 1 and ("|" in argument or argument.startswith("{")):
        return [_chosen(choices, case.prompt)]
    placeholder = _PLACEHOLDER.fullmatch(argument.rstrip("".join(_MANY)))
    if placeholder:
        inner = "".join(part for part in placeholder.groups() if part)
        return _for_placeholder(inner, option, case, many=argument.endswith(_MANY))
    return None if _PART.search(argument) else _for_literal(argument, option, case)


def _chosen(choices: Sequence[str], prompt: str) -> str:
    words = stem_set(prompt)
    return next((choice for choice in choices if stem_set(choice) and stem_set(choice) <= words), choices[0])


def _for_placeholder(name: str, option: str, case: Case, *, many: bool) -> list[str] | None:
    words = frozenset(word.lower() for word in _WORDS.findall(name))
    suffix = _suffix_meant(name, words, case)
    if _is_output(words, option):
        return [_output_name(name, suffix)]
    if words & _FOLDER_WORDS and not suffix:
        return [_folder(case)]
    if words & (_FILE_WORDS | _MANY_WORDS) or (suffix and not option):
        return _files(suffix, case, many=many or bool(words & _MANY_WORDS))
    value = _value(words, case)
    if value is None and option:
        return [name] if name.lower() in _SUFFIXES else None
    if value is not None:
        return [value]
    return _files("", case, many=many)


def _suffix_meant(name: str, words: frozenset[str], case: Case) -> str:
    """The suffix in a placeholder (`INPUT.csv`), or a word of it that files of the case have as theirs (`CSV_FILE`)."""
    suffix = PurePosixPath(name.lower()).suffix
    if len(suffix) > 1:
        return canonical(suffix)
    known = {suffix_of(path) for path in case.files.paths} - {""}
    return next((canonical(word) for word in sorted(words) if canonical(word) in known and word not in _FILE_WORDS), "")


def _is_output(words: frozenset[str], option: str) -> bool:
    asked = frozenset(word.lower() for word in _WORDS.findall(option))
    return bool((words | asked) & _OUTPUT_WORDS) or option == "-o"


def _output_name(name: str, suffix: str) -> str:
    plain = "-".join(word.lower() for word in _WORDS.findall(PurePosixPath(name).stem)) or "output"
    return f"{plain}.{suffix}" if suffix else plain


def _folder(case: Case) -> str:
    folders = sorted({str(PurePosixPath(path).parent) for path in case.files.paths} - {"."}, key=lambda path: (-len(path), path))
    return next((folder for folder in folders if folder in case.prompt), ".")


def _files(suffix: str, case: Case, *, many: bool) -> list[str] | None:
    fitting = [path for path in case.files.with_suffix(suffix) if path not in case.used]
    named = [path for path in fitting if path in case.files.paths[: case.files.named]]
    chosen = (named or fitting) if many else (named or fitting)[:1]
    case.used += chosen
    return chosen or None


def _value(words: frozenset[str], case: Case) -> str | None:
    """A value that the prompt clearly names: a number, a column of the file at hand, else something in quotes."""
    if words & _NUMBER_WORDS:
        number = _NUMBER.search(case.prompt)
        return None if number is None else number.group()
    named = [column for path in tables(case) for column in columns_named(case.root, path, case.prompt)]
    candidates = [*named, *_quoted(case)]
    value = next((candidate for candidate in candidates if candidate not in case.used), None)
    if value is not None:
        case.used.append(value)
    return value


def tables(case: Case) -> list[str]:
    """The files of this command, or before it has any, those that it will get."""
    taken = [path for path in case.files.paths if path in case.used]
    return taken or list(case.files.paths[: case.files.named or _FILES_LOOKED_INTO])


def _quoted(case: Case) -> list[str]:
    texts = ["".join(part or "" for part in match.groups()) for match in _QUOTED.finditer(case.prompt)]
    return [text for text in texts if text not in case.files.paths and not text.startswith("-")]


def _for_literal(argument: str, option: str, case: Case) -> list[str] | None:
    """A literal as it stands, unless it is an example of a file: then a file of the case, or a file of the skill by that name."""
    example = _EXAMPLE_FILE.fullmatch(argument)
    example = example if example and example.group(1).lower() in _SUFFIXES else None
    if example is None and not argument.startswith(("/", "path/to/", "~")):
        return [argument]
    if argument in case.files.paths:
        case.used.append(argument)
        return [argument]
    own = without_base(argument)
    target = inside(case.skill, own)
    if target is not None:
        case.probed.append(own)
        if target.is_file():
            return [f"{case.staged}/{own}"]
    if _is_output(frozenset(), option) or frozenset(_WORDS.findall(argument.lower())) & _OUTPUT_WORDS:
        return [PurePosixPath(argument).name]
    return _files(canonical(example.group(1)) if example else "", case, many="*" in argument)


def _with_named_columns(values: Sequence[str], case: Case) -> list[str]:
    """Where an option's literal is a column of the file but the prompt names others, the prompt's columns take its place."""
    known = [column for path in tables(case) for column in columns(case.root, path)]
    named = [column for path in tables(case) for column in columns_named(case.root, path, case.prompt)]
    free = [column for column in named if column not in values]
    found = list(values)
    for place, value in enumerate(values[1:], 1):
        if values[place - 1].startswith("-") and value in known and value not in named and free:
            found[place] = free.pop(0)
    return found
