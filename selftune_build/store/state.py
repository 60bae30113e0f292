"""The no-op state: what an invocation printed that had nothing to do, and all it looked at (docs/formats/state.md).

The next identical invocation compares size, times and inode of all that and prints the same again. Standard library only, and as
little of that as possible: this and the start of the interpreter are the whole cost of a no-op.
"""

from __future__ import annotations

import os
import stat
import sys
import time

from selftune_build import __version__
from selftune_build.store.worktree import STORE_FOLDER, STORE_VARIABLE, main_worktree, upwards

try:
    from _blake2 import blake2b  # hashlib would load OpenSSL, at a tenth of the cost of a whole no-op
except ImportError:
    from hashlib import blake2b

TYPE_CHECKING = False  # importing typing costs more than everything below
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAGIC = b"selftune.state/1"
SUFFIX = ".state"
INDEX = "index"

ABSENT = b"absent"
EXACT, KIND, PLACE = b".", b":", b"="
"""How a path is compared: all of its `lstat` that a change of content, mode or place moves; whether it is there, of which kind
and whose; where it leads."""

_ANCHORS = ("selftune.yaml", "SKILL.md")
_MOST_BYTES = 64 * 1024 * 1024
_NEVER = ("--locked", "--resample")
_OF_THE_SHELL = frozenset({"_", "OLDPWD", "PWD", "SHLVL", "WINDOWID"})
"""Environment variables that differ from one command to the next and that nobody decides by."""


def recall(arguments: Sequence[str]) -> tuple[str, int] | None:
    """What `selftune build` with these arguments would print and return where nothing is to be done; None where it is unknown.

    Never raises: a state that is damaged, foreign, newer or out of date is no state.
    """
    if any(argument.startswith(_NEVER) for argument in arguments):
        return None
    try:
        name = invocation(arguments)
        start = starting_folder(arguments)
        bodies = (unwrapped(MAGIC, os.path.join(store, INDEX, name + SUFFIX)) for store in _stores(start))
        body = next((body for body in bodies if body is not None), None)
        return None if body is None else _decoded(body, name, start)
    except (OSError, ValueError):
        return None


def invocation(arguments: Sequence[str]) -> str:
    """Digest of everything but files that decides what is printed: program, interpreter, arguments, place, terminal, environment.

    The environment enters as a digest only: it may hold secrets. Raises OSError.
    """
    return name_of(list(arguments), starting_folder(arguments), _terminal())


def name_of(*parts: object) -> str:
    """Digest of some parts of an invocation by their `repr`, and of what every one has: program, place and environment."""
    environment = sorted(item for item in os.environ.items() if item[0] not in _OF_THE_SHELL)
    program = (__version__, sys.version, sys.executable, sys.path, os.geteuid(), sys.stdout.encoding)
    return digest(repr((program, os.getcwd(), environment, parts)).encode("utf-8", "surrogatepass"))


def digest(content: bytes) -> str:
    """Digest of a state, for finding accidents."""
    return blake2b(content, digest_size=16).hexdigest()


def starting_folder(arguments: Sequence[str]) -> str:
    """The real path of the folder that a command line most likely means: `-C`, or the first argument that is one, or this one.

    Only says where a state is looked for; whoever misses it there does the work. Raises OSError.
    """
    base, wanted = os.getcwd(), False
    for argument in arguments:
        value = (
            argument
            if wanted
            else next((argument[len(each) :] for each in ("--directory=", "-C") if argument.startswith(each)), "")
        )
        base = os.path.join(base, value)
        wanted = argument in ("-C", "--directory")
    words = (os.path.join(base, each.partition(":")[0]) for each in arguments if not each.startswith("-"))
    return os.path.realpath(next((word for word in words if os.path.isdir(word)), base))


def look(path: bytes, how: bytes) -> bytes:
    """What stands at a path, as a line that differs when it changes; for a link also under KIND all there is to know of it."""
    if how == PLACE:
        return PLACE + os.path.realpath(path)
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return how + ABSENT
    if how == KIND and not stat.S_ISLNK(found.st_mode):
        return b":%d %d" % (stat.S_IFMT(found.st_mode), found.st_uid)
    times = (found.st_mtime_ns, found.st_ctime_ns)
    return b"%s%d %d %d %d %d" % (how, found.st_mode, found.st_size, *times, found.st_ino)


def encoded_body(name: str, text: str, status: int, watched: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The body of a state; the first of the pairs of path and line must be a file of the workspace. Raises ValueError."""
    printed = text.encode("utf-8", "surrogatepass")
    if b"\0" in printed:
        raise ValueError("the text holds the separator")
    return b"\0".join((name.encode(), b"%d" % status, printed, *(part for pair in watched for part in pair)))


def wrapped(magic: bytes, body: bytes, noted_ns: int, written_ns: int) -> bytes:
    """A body under the line that says what it is, when it was noted, and which modification time its file has to have."""
    return b"%s %d %d %s\n%s" % (magic, written_ns, noted_ns, digest(body).encode(), body)


def unwrapped(magic: bytes, path: str) -> bytes | None:
    """The body in a file that this user wrote here and that is whole. Raises ValueError for one that is nothing of the kind."""
    content = _read_own(path)
    if content is None:
        return None
    head, _, body = content[0].partition(b"\n")
    kind, written, noted, check = head.split(b" ")
    if kind != magic or int(written) != content[1] or int(noted) > time.time_ns() or check != digest(body).encode():
        return None
    return body


def holds(watched: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether every path looks as it was noted."""
    return all(look(path, line[:1]) == line for path, line in watched)


def _terminal() -> tuple[bool, int | None]:
    try:
        width = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError, AttributeError):
        width = None
    return sys.stdout.isatty(), width


def _stores(start: str) -> list[str]:
    """Where the store of a workspace around or at `start` may be."""
    named = os.environ.get(STORE_VARIABLE)
    if named:
        return [os.path.abspath(os.path.expanduser(named))]
    root = main_worktree(start)
    return [os.path.join(folder, STORE_FOLDER) for folder in ([root] if root is not None else upwards(start))]


def _read_own(path: str) -> tuple[bytes, int] | None:
    """The content and modification time of a file that this user wrote; None for anything else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_size > _MOST_BYTES:
            return None
        return os.read(descriptor, found.st_size), found.st_mtime_ns
    finally:
        os.close(descriptor)


def _decoded(body: bytes, name: str, start: str) -> tuple[str, int] | None:
    """The answer in a state that is of this invocation and true today. Raises ValueError for one that is not even a state."""
    whose, status, printed, *watched = body.split(b"\0")
    if whose != name.encode() or len(watched) % 2 or not _is_anchored(watched[:2], start):
        return None
    if not holds(zip(watched[::2], watched[1::2], strict=True)):
        return None
    return printed.decode("utf-8", "surrogatepass"), int(status)


def _is_anchored(first: list[bytes], start: str) -> bool:
    """Whether the first thing watched is a file of the workspace around or below the folder we start from: nobody who wrote a
    state elsewhere can have known when it would be put there."""
    if len(first) < 2 or first[1][:1] != EXACT or first[1].endswith(ABSENT):
        return False
    folder, name = os.path.split(os.fsdecode(first[0]))
    return name in _ANCHORS and (folder in upwards(start) or folder.startswith(start.rstrip("/") + "/"))
