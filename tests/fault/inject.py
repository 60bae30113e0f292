"""`selftune` with a fault at its n-th change of a file: python inject.py FAULT N once|sticky|count FOLDER ARGUMENT…

FAULT is an errno by name, or KILL: the process is gone before the change, a write after half of it. Only changes below FOLDER
count (names and descriptors alike). `FOLDER/fired` is made when the fault comes.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHANGES = ("open", "write", "fsync", "rename", "unlink", "link", "mkdir", "rmdir", "ftruncate", "fchmod", "chmod", "utime")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Fault:
    """Counts changes over all threads and strikes at the n-th, or from it on."""

    def __init__(self, name: str, number: int, sticky: bool, folder: str) -> None:
        self.name, self.number, self.sticky, self.folder = name, number, sticky, os.path.realpath(folder)
        self.mark = io.open  # the marks themselves must not count
        self.seen = 0
        self.guard = threading.Lock()

    def strikes(self, target: object) -> bool:
        if not self.concerns(target):
            return False
        with self.guard:
            self.seen += 1
            due = self.seen == self.number or (self.sticky and self.seen > self.number)
        if due:
            self.mark(f"{self.folder}/fired", "w").close()
        return due

    def concerns(self, target: object) -> bool:
        try:
            path = os.readlink(f"/proc/self/fd/{target}") if isinstance(target, int) else os.path.abspath(os.fsdecode(target))  # type: ignore[arg-type]
        except (OSError, TypeError):
            return False
        return path.startswith(f"{self.folder}/")

    def strike(self, path: object) -> None:
        if self.name == "KILL":
            os.kill(os.getpid(), signal.SIGKILL)
        number = getattr(errno, self.name)
        raise OSError(number, os.strerror(number), None if isinstance(path, int) else path)


def install(fault: Fault) -> None:
    """Put the fault between the program and the system."""
    for name in CHANGES:
        setattr(os, name, guarded(fault, name, getattr(os, name)))
    opened = io.open

    def open_file(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        if set(mode) & set("wax+") and fault.strikes(file):
            fault.strike(file)
        return opened(file, mode, *arguments, **options)

    io.open = open_file  # type: ignore[assignment]


def guarded(fault: Fault, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(target: Any, *arguments: Any, **options: Any) -> Any:
        reads = name == "open" and not (arguments and arguments[0] & WRITING)
        if not reads and fault.strikes(target):
            if name == "write" and fault.name == "KILL":
                real(target, bytes(arguments[0])[: len(arguments[0]) // 2])
            fault.strike(target)
        return real(target, *arguments, **options)

    return call


if __name__ == "__main__":
    name, number, how, folder, *rest = sys.argv[1:]
    from selftune_build.__main__ import main

    Path(folder, "fired").unlink(missing_ok=True)
    install(Fault(name, int(number), how == "sticky", folder))
    sys.exit(main(rest))
