"""Notes that samples may have been paid for which the remote has not got yet.

Written before the first call, removed when all is sent: `unsent/<remote>.<process>` in the store, where `<remote>` are 16 digits
of the digest of URL and tier. The content is when that invocation began to pay, in nanoseconds since 1970. Losing one loses
nothing but that the next build sends by itself. The folder is theirs alone: a build that has nothing to do watches it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from selftune_build.fingerprint.digest import digest_json
from selftune_build.limits import UNSENT_NOTES, UNSENT_SLACK_S
from selftune_build.sharing.named import Named
from selftune_build.store.atomic import store_errors, write_atomic
from selftune_build.store.reading import read_bounded

_NAME = re.compile(r"(?P<remote>[0-9a-f]{16})\.(?P<process>[0-9]{1,10})")
FOLDER = "unsent"
_DIGITS = 20


def note(store: Path, named: Named) -> Path | None:
    """Note that this process begins to pay; None where an earlier process of this number left its note. Raises StoreError."""
    path = store / FOLDER / f"{_remote(named)}.{os.getpid()}"
    if path.exists():
        return None
    with store_errors("create the folder", path.parent):
        path.parent.mkdir(exist_ok=True)
    write_atomic(path, b"%d\n" % time.time_ns())
    return path


def noted(store: Path, named: Named) -> list[Path]:
    """The notes for a remote of this process, and of those that have ended."""
    return [path for path in _notes(store, named) if _is_over(path)]


def since(notes: Sequence[Path]) -> int:
    """When the first of them was written, nanoseconds since 1970, with some room for clocks; 0 where one cannot be read."""
    times = [_time(path) for path in notes]
    return max(0, min(times, default=0) - UNSENT_SLACK_S * 10**9)


def forget(notes: Iterable[Path]) -> None:
    """Remove them; one that cannot be removed costs a look the next time."""
    for path in notes:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _notes(store: Path, named: Named) -> Iterator[Path]:
    try:
        names = sorted(os.listdir(store / FOLDER))
    except OSError:
        return
    remote = _remote(named)
    mine = (name for name in names if (found := _NAME.fullmatch(name)) and found["remote"] == remote)
    for _, name in zip(range(UNSENT_NOTES), mine, strict=False):
        yield store / FOLDER / name


def _remote(named: Named) -> str:
    return digest_json([named.url, named.write]).rpartition(":")[2][:16]


def _time(path: Path) -> int:
    content = (read_bounded(path, _DIGITS) or b"").strip()
    return int(content) if content.isdigit() else 0


def _is_over(path: Path) -> bool:
    process = int(path.name.rpartition(".")[2])
    if process == os.getpid():
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
