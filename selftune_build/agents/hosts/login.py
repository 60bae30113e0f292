"""The login of a host: the one thing of the user's own set-up that goes into a sample, and that never gets into the store."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from selftune_build.errors import StoreError
from selftune_build.limits import HOST_LOGIN_FILE_BYTES, HOST_SECRET_CHARACTERS, MIB
from selftune_build.store.atomic import write_all, write_atomic

MASK = b"[login]"
NETWORK = (
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
)
"""How this machine reaches the network: part of every login, never secret."""


class Variable(Struct, frozen=True):
    """An environment variable that belongs to a login."""

    name: str
    secret: bool = True
    descriptor: str | None = None
    """The variable that names a file descriptor to read the value from, where the host has one: then the tools it starts
    do not inherit the value."""


class LoginFile(Struct, frozen=True):
    """A file in which the host keeps a login."""

    folder_variable: str
    """The variable that names the host's folder of settings."""
    folder: str
    """That folder where the variable is not set, relative to HOME."""
    name: str

    def of_user(self) -> Path:
        """Where the user has it."""
        named = os.environ.get(self.folder_variable)
        return (Path(named) if named else Path.home() / self.folder) / self.name


class Login(Struct, frozen=True):
    """What may be passed on: variables as they are named, files copied for the time of one sample."""

    variables: tuple[Variable, ...] = ()
    files: tuple[LoginFile, ...] = ()

    def values(self) -> dict[Variable, str]:
        """The variables that are set."""
        return {variable: value for variable in self.variables if (value := os.environ.get(variable.name))}

    def found(self) -> str | None:
        """What of it is there: the first secret variable or file; None without any."""
        named = [variable.name for variable in self.values() if variable.secret]
        return next(iter([*named, *(file.name for file in self.files if file.of_user().is_file())]), None)


class Given(Struct, frozen=True):
    """A login as one sample gets it."""

    environment: dict[str, str]
    descriptors: tuple[int, ...] = ()
    secrets: tuple[bytes, ...] = ()
    """What must not be in an answer."""
    has_file: bool = False


class _Copy(Struct):
    """A credentials file in a sample's home: hosts renew what is in it, and then the old one is void."""

    original: Path
    copy: Path
    content: bytes = field(default=b"")


@contextmanager
def given(login: Login, home: Path) -> Iterator[Given]:
    """Give a sample its login, its HOME being `home`; afterwards take it away.

    A file that the host renewed meanwhile goes back to the user's place, if that still holds what was copied: hosts void the
    old token when they fetch a new one, so without it a run would log its user out.
    """
    copies = [copied for each in login.files if (copied := _copy(each, home)) is not None]
    descriptors: list[int] = []
    try:
        environment = {name: os.environ[name] for name in NETWORK if name in os.environ}
        for variable, value in login.values().items():
            if variable.descriptor is None:
                environment[variable.name] = value
            else:
                descriptors.append(_pipe(value))
                environment[variable.descriptor] = str(descriptors[-1])
        yield Given(environment, tuple(descriptors), _secrets(login, copies), bool(copies))
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
        for copied in copies:
            _take_back(copied)


def written(descriptor: int, start: int) -> bytes:
    """What is in the answer file from `start` on."""
    content = bytearray()
    while part := os.pread(descriptor, MIB, start + len(content)):
        content += part
    return bytes(content)


def scrub(descriptor: int, start: int, content: bytes, secrets: tuple[bytes, ...]) -> bytes:
    """Take a login out of an answer that is in a file from `start` on, where a host repeated it; the answer as it now stands."""
    return rewritten(descriptor, start, content, masked(content, secrets))


def rewritten(descriptor: int, start: int, before: bytes, after: bytes) -> bytes:
    """`after`, which now stands in the file from `start` on instead of `before`."""
    if after != before:
        os.ftruncate(descriptor, start)
        os.lseek(descriptor, start, os.SEEK_SET)
        write_all(descriptor, after)
    return after


def masked(content: bytes, secrets: tuple[bytes, ...]) -> bytes:
    """The bytes with every secret replaced."""
    for secret in secrets:
        content = content.replace(secret, MASK)
    return content


def _copy(file: LoginFile, home: Path) -> _Copy | None:
    original = file.of_user()
    try:
        with original.open("rb") as stream:
            content = stream.read(HOST_LOGIN_FILE_BYTES)
    except OSError:
        return None
    target = home / file.folder / file.name
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(descriptor, content)
    finally:
        os.close(descriptor)
    return _Copy(original, target, content)


def _take_back(copied: _Copy) -> None:
    with suppress(OSError, StoreError):
        now = copied.copy.read_bytes()
        renewed = now != copied.content and _is_json_object(now)
        if renewed and not copied.original.is_symlink() and copied.original.read_bytes() == copied.content:
            write_atomic(copied.original, now)
    copied.copy.unlink(missing_ok=True)


def _is_json_object(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content), dict)
    except ValueError:
        return False


def _pipe(value: str) -> int:
    """A descriptor from which the value can be read once."""
    reader, writer = os.pipe()
    try:
        write_all(writer, value.encode())
    finally:
        os.close(writer)
    return reader


def _secrets(login: Login, copies: list[_Copy]) -> tuple[bytes, ...]:
    """Longest first, so that a part of one never leaves the rest of it behind."""
    found = {value for variable, value in login.values().items() if variable.secret}
    for copied in copies:
        with suppress(ValueError):
            found.update(_leaves(json.loads(copied.content)))
    encoded = {value.encode() for value in found if len(value) >= HOST_SECRET_CHARACTERS}
    return tuple(sorted(encoded, key=len, reverse=True))


def _leaves(document: Any) -> Iterator[str]:
    pending = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)
