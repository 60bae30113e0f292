"""System calls of a child, seen and answered before the kernel acts on them (seccomp user notification, Linux 5.9).

Whatever makes them is seen: Python, SQLite, a call by ctypes, a child of the child. Nothing is replaced in the program.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import struct
from dataclasses import dataclass, field

AT_FDCWD = -100
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_CHILD_SUBREAPER = 36
_NEW_LISTENER = 1 << 3
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_CONTINUE = 1
_RECV, _SEND = 0xC0502100, 0xC0182101  # _IOWR('!', 0, 80 bytes) and _IOWR('!', 1, 24 bytes)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06

# Where a call names what it changes: `f` a descriptor, `p` a path, `a` descriptor of a folder and path; `_` is skipped.
CHANGES = {
    "write": "f", "pwrite64": "f", "writev": "f", "fsync": "f", "fdatasync": "f", "ftruncate": "f", "fchmod": "f",
    "rename": "pp", "renameat": "aa", "renameat2": "aa", "unlink": "p", "unlinkat": "a", "rmdir": "p", "link": "pp",
    "linkat": "aa", "symlink": "_p", "symlinkat": "_a", "mkdir": "p", "mkdirat": "a", "truncate": "p", "chmod": "p",
    "fchmodat": "a", "utimensat": "a", "open": "p", "openat": "a", "creat": "p",
}  # fmt: skip
READS = {"read": "f", "pread64": "f", "readv": "f", "getdents64": "f", "open": "p", "openat": "a"}
_FLAGS = {"open": 1, "openat": 2}
"""Which argument holds the flags: opening changes something if they say so, else it reads."""

_NUMBERS = {
    "x86_64": (0xC000003E, 317, {
        "read": 0, "write": 1, "open": 2, "pread64": 17, "pwrite64": 18, "readv": 19, "writev": 20, "fsync": 74, "fdatasync": 75,
        "truncate": 76, "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85, "link": 86, "unlink": 87,
        "symlink": 88, "chmod": 90, "fchmod": 91, "getdents64": 217, "openat": 257, "mkdirat": 258, "unlinkat": 263,
        "renameat": 264, "linkat": 265, "symlinkat": 266, "fchmodat": 268, "utimensat": 280, "renameat2": 316,
    }),
    "aarch64": (0xC00000B7, 277, {
        "mkdirat": 34, "unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38, "truncate": 45, "ftruncate": 46,
        "fchmod": 52, "fchmodat": 53, "openat": 56, "getdents64": 61, "read": 63, "write": 64, "readv": 65, "writev": 66,
        "pread64": 67, "pwrite64": 68, "fsync": 82, "fdatasync": 83, "utimensat": 88, "renameat2": 276,
    }),
}  # fmt: skip
_ARCHITECTURE, _SECCOMP, _NUMBER = _NUMBERS[platform.machine()]
_NAME = {number: name for name, number in _NUMBER.items()}
_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def watch(reads: bool) -> int:
    """From now on this process and its children wait for an answer at each change of a file, and at each read if that is asked;
    the descriptor that the questions come from. Raises OSError."""
    code = _program(reads)
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    buffer = ctypes.create_string_buffer(code)
    program = _Program(len(code) // 8, ctypes.addressof(buffer))
    return _check(_libc.syscall(_SECCOMP, 1, _NEW_LISTENER, ctypes.byref(program)))


def adopt_orphans() -> None:
    """Be the parent of what children leave behind, so that its end can be told."""
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _program(reads: bool) -> bytes:
    """Classic BPF over `struct seccomp_data`: number at 0, architecture at 4, arguments from 16 on, 8 bytes each."""
    code = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, _ARCHITECTURE), (_RETURN, 0, 0, _ALLOW), (_LOAD, 0, 0, 0)]
    for name, number in _NUMBER.items():
        if name in _FLAGS and not reads:
            code += [
                (_EQUAL, 0, 4, number),
                (_LOAD, 0, 0, 16 + 8 * _FLAGS[name]),
                (_ANY_BIT, 0, 1, _WRITING),
                (_RETURN, 0, 0, _NOTIFY),
                (_RETURN, 0, 0, _ALLOW),
            ]
        elif name in CHANGES or reads:
            code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _NOTIFY)]
    return b"".join(struct.pack("=HBBI", *each) for each in [*code, (_RETURN, 0, 0, _ALLOW)])


@dataclass
class Notice:
    """One call that waits for its answer; paths are absolute, those of descriptors as the kernel tells them."""

    id: int
    thread: int
    name: str
    arguments: tuple[int, ...]
    paths: list[str] = field(default_factory=list)

    @property
    def process(self) -> int:
        """The process that the thread belongs to."""
        with open(f"/proc/{self.thread}/status", encoding="ascii", errors="replace") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Tgid:"))

    @property
    def changes(self) -> bool:
        """Whether it changes something, rather than reads."""
        if self.name in _FLAGS:
            return bool(self.arguments[_FLAGS[self.name]] & _WRITING)
        return self.name in CHANGES

    def memory(self, address: int, size: int) -> bytes:
        """Bytes of the process."""
        with open(f"/proc/{self.thread}/mem", "rb", buffering=0) as file:
            file.seek(address)
            return file.read(size)

    def content(self) -> bytes:
        """What a write is about to write."""
        if self.name in ("write", "pwrite64"):
            return self.memory(self.arguments[1], self.arguments[2])
        vector = self.memory(self.arguments[1], 16 * self.arguments[2])
        return b"".join(self.memory(*struct.unpack_from("=QQ", vector, at)) for at in range(0, len(vector), 16))

    def offset(self) -> int:
        """Where a write goes to."""
        if self.name == "pwrite64":
            return self.arguments[3]
        with open(f"/proc/{self.thread}/fdinfo/{self.arguments[0]}", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        if int(fields["flags"], 8) & os.O_APPEND:
            return os.stat(f"/proc/{self.thread}/fd/{self.arguments[0]}").st_size
        return int(fields["pos"])

    def write_half(self) -> int:
        """Do the first half of a write in its stead; how many bytes that were."""
        content, offset = self.content(), self.offset()
        descriptor = os.open(f"/proc/{self.thread}/fd/{self.arguments[0]}", os.O_WRONLY)
        try:
            done = os.pwrite(descriptor, content[: len(content) // 2], offset)
        finally:
            os.close(descriptor)
        return done

    def _resolve(self) -> None:
        kinds, at = (CHANGES if self.changes else READS).get(self.name, ""), 0
        for kind in kinds:
            if kind == "f":
                self.paths.append(os.readlink(f"/proc/{self.thread}/fd/{_signed(self.arguments[at])}"))
            elif kind == "p":
                self.paths.append(self._path(AT_FDCWD, self.arguments[at]))
            elif kind == "a":
                self.paths.append(self._path(_signed(self.arguments[at]), self.arguments[at + 1]))
                at += 1
            at += 1

    def _path(self, folder: int, address: int) -> str:
        text = self._text(address) if address else b""  # utimensat of a descriptor has none
        where = "cwd" if folder == AT_FDCWD else f"fd/{folder}"
        base = "" if text.startswith(b"/") else os.readlink(f"/proc/{self.thread}/{where}")
        return os.path.normpath(os.path.join(base, os.fsdecode(text)))

    def _text(self, address: int) -> bytes:
        found = b""
        while b"\0" not in found:
            part = self.memory(address + len(found), 4096 - (address + len(found)) % 4096)
            if not part:
                raise OSError("the path leads out of memory")
            found += part
        return found.partition(b"\0")[0]


def _signed(argument: int) -> int:
    return ctypes.c_int(argument).value


class Listener:
    """Where the questions of a watched process come from."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def receive(self) -> Notice | None:
        """The next question; None where whoever asked is gone."""
        buffer = bytearray(80)
        try:
            fcntl.ioctl(self.descriptor, _RECV, buffer)
        except (FileNotFoundError, InterruptedError):
            return None
        asked, thread, _flags, number, _architecture, _at, *arguments = struct.unpack("=QIIiIQ6Q", buffer)
        notice = Notice(asked, thread, _NAME.get(number, "?"), tuple(arguments))
        try:
            notice._resolve()
        except OSError:
            notice.paths.clear()
        return notice

    def go_on(self, notice: Notice) -> None:
        """Let the kernel do it."""
        self._answer(notice, 0, 0, _CONTINUE)

    def refuse(self, notice: Notice, error: int) -> None:
        """It fails, and nothing is done."""
        self._answer(notice, 0, -error, 0)

    def pretend(self, notice: Notice, result: int) -> None:
        """It succeeds, and the kernel does nothing."""
        self._answer(notice, result, 0, 0)

    def _answer(self, notice: Notice, value: int, error: int, flags: int) -> None:
        try:
            fcntl.ioctl(self.descriptor, _SEND, struct.pack("=QqiI", notice.id, value, error, flags))
        except FileNotFoundError:
            return  # killed meanwhile
