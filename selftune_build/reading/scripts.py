"""The scripts of a skill as far as their text tells: how they are started, and what they say of their own arguments."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from msgspec import Struct

from selftune_build.late import late
from selftune_build.limits import DRAFTED_SCRIPTS, DRAFTED_TEXT_CHARACTERS
from selftune_build.model.package import Package, TreeFile

_BY_SUFFIX = {".py": "python3", ".sh": "bash", ".bash": "bash", ".js": "node", ".mjs": "node", ".cjs": "node"}
_SHEBANG = late(r"#!\S*?/(?:env\s+(?:-S\s+)?)?(?P<program>python3?|bash|sh|node)\b")
_SCRIPTS_FOLDER = "scripts/"
_PARSERS = late(r"^\s*(?:from|import)\s+(?P<name>argparse|click|typer)\b", re.MULTILINE)
_OPTION = late(r"(?<![\w-])--[a-z][a-z0-9-]+")
_HELP = late(r"(?<![\w-])--help\b")
_COUNTED = late(r"len\(sys\.argv\)|\$#|process\.argv\.length")
_EXIT = late(r"\bexit\(?[ \t]*([1-9][0-9]?)\b")
_BLOCK_LINES = 9
"""So many lines from where arguments are counted are looked at for what happens then."""


class Refusal(Struct, frozen=True):
    """How a call without arguments ends: its exit status, and the check by which its usage shows, where it prints one."""

    status: int
    check: str | None


class Script(Struct, frozen=True):
    """One script: its path in the package, the program that runs it, its text."""

    path: str
    program: str
    text: str

    @property
    def parser(self) -> str | None:
        """The library that reads its arguments and answers `--help`: argparse, click or typer."""
        found = _PARSERS.search(self.text) if self.program == "python3" else None
        return found["name"] if found else None

    @property
    def helps(self) -> bool:
        """Whether `--help` is something that it answers."""
        return self.parser is not None or _HELP.search(self.text) is not None

    @property
    def options(self) -> frozenset[str]:
        """The long options that its text spells out."""
        return frozenset(_OPTION.findall(self.text))

    @property
    def refusal(self) -> Refusal | None:
        """What comes of a call without arguments, where the text shows that it looks at their number first."""
        if self.parser == "argparse" and _requires(self.text):
            return Refusal(2, "stderr-contains")
        block = _block(self.text) if self.parser is None else ""
        ended = _EXIT.search(block)
        if ended is None:
            return None
        said = block[: ended.end()].lower()
        stream = "stderr-contains" if "stderr" in said or ">&2" in said else "contains"
        return Refusal(int(ended[1]), stream if "usage" in said else None)


def scripts(package: Package) -> tuple[Script, ...]:
    """The scripts below `scripts/` and those that SKILL.md names, in the order of their paths, up to a limit.

    Of Python files that SKILL.md does not name only those that can be started count: the others are parts of them. Files that
    are links, too large, no UTF-8, or of a kind that nothing here can start, are passed over.
    """
    wanted = (file for file in package.staged if not file.link and _is_named(file, package))
    found = (_read(Path(package.root), file) for file in sorted(wanted, key=lambda file: file.path))
    started = (script for script in found if script is not None and _is_started(script, package))
    return tuple(islice(started, DRAFTED_SCRIPTS))


def documented_options(package: Package, script: Script) -> tuple[str, ...]:
    """The options that SKILL.md shows in a line with the script and that the script's text has too, in order."""
    name = PurePosixPath(script.path).name
    lines = (line for line in package.skill.body.replace("\\\n", " ").splitlines() if name in line)
    shown = dict.fromkeys(option for line in lines for option in _OPTION.findall(line))
    return tuple(option for option in shown if option in script.options)


def _block(text: str) -> str:
    """The lines from where the arguments are first counted; empty where they are not."""
    lines = text.splitlines()
    start = next((at for at, line in enumerate(lines) if _COUNTED.search(line)), None)
    return "" if start is None else "\n".join(lines[start : start + _BLOCK_LINES])


def _is_named(file: TreeFile, package: Package) -> bool:
    return file.path.startswith(_SCRIPTS_FOLDER) or PurePosixPath(file.path).name in package.skill.body


def _is_started(script: Script, package: Package) -> bool:
    return script.program != "python3" or "__main__" in script.text or PurePosixPath(script.path).name in package.skill.body


def _read(root: Path, file: TreeFile) -> Script | None:
    suffix = PurePosixPath(file.path).suffix.lower()
    if file.size > DRAFTED_TEXT_CHARACTERS or (suffix and suffix not in _BY_SUFFIX) or file.path.endswith("__init__.py"):
        return None
    try:
        text = (root / file.path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    shebang = _SHEBANG.match(text)
    program = shebang["program"].replace("python3", "python").replace("python", "python3") if shebang else _BY_SUFFIX.get(suffix)
    return Script(file.path, program, text) if program else None


def _requires(text: str) -> bool:
    """Whether an argument parser of the text has an argument that must be given."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(map(_is_required, _calls(tree)))


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            yield node


def _is_required(call: ast.Call) -> bool:
    """A positional that may not be left out, or an option that says `required=True`. Parsers below a subcommand do not count:
    whether a subcommand must be named cannot be told here."""
    first = call.args[0] if call.args else None
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if not (isinstance(first, ast.Constant) and isinstance(first.value, str)) or not _is_main(call):
        return False
    if first.value.startswith("-"):
        required = given.get("required")
        return isinstance(required, ast.Constant) and required.value is True
    nargs = given.get("nargs")
    return "default" not in given and not (isinstance(nargs, ast.Constant) and nargs.value in ("?", "*"))


def _is_main(call: ast.Call) -> bool:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id in ("parser", "ap", "p", "argparser", "arg_parser")
