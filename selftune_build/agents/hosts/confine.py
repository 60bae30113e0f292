"""Keeps a program and all it starts from writing anywhere but below named folders, by the kernel (Landlock, Linux 5.13).

Run as a script it confines itself and becomes the program: `confine.py WRITABLE… -- PROGRAM ARGUMENT…`. It imports nothing but
the standard library, so that it starts with `python -I -S`.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable, Sequence

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_NO_NEW_PRIVILEGES = 38
_WRITE_FILE, _REMOVE_DIR, _MAKE_SYM = 1 << 1, 1 << 4, 1 << 12
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_EVERY_CHANGE = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
"""Write a file; remove a folder or file; make a device, folder, file, socket, pipe or link."""
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/ptmx", "/dev/pts")
"""Places outside of which no ordinary program works, and which keep nothing."""
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_NETWORK_VERSION = 4
"""Linux 6.7: from here on it can keep a program from TCP."""
_CAPABILITIES = 0x20080522
"""Version 3 of the structure of capset(2), two words for each set."""


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def supported() -> bool:
    """Whether the kernel can do it."""
    return sys.platform == "linux" and _version(_libc()) > 0


def confined(argv: Sequence[str], writable: Iterable[str]) -> list[str]:
    """The command that runs `argv` so that it can write only below the folders in `writable`."""
    return [sys.executable, "-I", "-S", os.path.abspath(__file__), *writable, "--", *argv]


def offline_supported() -> bool:
    """Whether the kernel can keep a program from TCP."""
    return sys.platform == "linux" and _version(_libc()) >= _NETWORK_VERSION


def confine(writable: Iterable[str], offline: bool = False) -> None:
    """From now on this process, and whatever it becomes or starts, writes only below `writable`, and with `offline` opens no
    TCP connection and listens for none, where `offline_supported`. Root keeps its name and loses its rights. Raises OSError."""
    libc = _libc()
    version = _version(libc)
    rights = _EVERY_CHANGE | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    ports = _BIND_TCP | _CONNECT_TCP if offline and version >= _NETWORK_VERSION else 0
    attribute = (ctypes.c_uint64 * 2)(rights, ports)  # an older kernel takes more than it knows, as long as that is 0
    ruleset = _checked(libc.syscall(_CREATE_RULESET, ctypes.byref(attribute), ctypes.c_size_t(ctypes.sizeof(attribute)), 0))
    for place in (*writable, *(device for device in DEVICES if os.path.exists(device))):
        parent = os.open(place, os.O_PATH | os.O_CLOEXEC)
        allowed = rights if os.path.isdir(place) else rights & (_WRITE_FILE | _TRUNCATE)
        rule = _Beneath(allowed, parent)
        _checked(libc.syscall(_ADD_RULE, ruleset, 1, ctypes.byref(rule), 0))
        os.close(parent)
    _checked(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _checked(libc.syscall(_RESTRICT_SELF, ruleset, 0))
    _drop_rights(libc)


def _drop_rights(libc: ctypes.CDLL) -> None:
    """Be root by name alone: with its rights it could read the environment of any process in spite of Landlock. No program that
    it becomes gets them back, because it may have no new ones."""
    _checked(libc.capset((ctypes.c_uint32 * 2)(_CAPABILITIES, 0), (ctypes.c_uint32 * 6)()))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _version(libc: ctypes.CDLL) -> int:
    found: int = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    return found


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock: {os.strerror(number)}")
    return result


def main(arguments: Sequence[str]) -> None:
    """Confine this process and become the program."""
    split = arguments.index("--")
    confine(arguments[:split])
    os.execvp(arguments[split + 1], list(arguments[split + 1 :]))


if __name__ == "__main__":
    main(sys.argv[1:])
