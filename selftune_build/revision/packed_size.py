"""How large a packed object will be, before a byte of it is inflated (gitformat-pack).

A delta of a few bytes can ask for terabytes; the library believes it.
"""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

from selftune_build.limits import GIT_DELTAS

if TYPE_CHECKING:
    from dulwich.objects import RawObjectID
    from dulwich.pack import Pack

_BY_OFFSET, _BY_NAME = 6, 7
_HEADER = 64
_SIZES = 20
"""Bytes that hold the two sizes at the start of a delta."""


def packed_size(pack: Pack, path: str, name: RawObjectID) -> int:
    """Bytes that inflating an object takes: the most that any link of its chain of deltas declares, plus all deltas.

    `path` is the file of the pack. Raises ValueError, IndexError or KeyError for a chain that is none, or longer than git
    makes them.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return _chain(pack, file, name)
    finally:
        os.close(file)


def _chain(pack: Pack, file: int, name: RawObjectID) -> int:
    offset, largest, deltas = pack.index.object_offset(name), 0, 0
    for _ in range(GIT_DELTAS):
        kind, size, place = _header(file, offset)
        if kind not in (_BY_OFFSET, _BY_NAME):
            return max(largest, size) + deltas
        if kind == _BY_OFFSET:
            back, place = _distance(file, place)
            offset -= back
        else:
            length = pack.object_format.oid_length
            base, place = os.pread(file, length, place), place + length
            offset = pack.index.object_offset(type(name)(base))
        largest, deltas = max(largest, _target(file, place)), deltas + size
    raise ValueError("the chain of deltas does not end")


def _header(file: int, offset: int) -> tuple[int, int, int]:
    """Kind, declared size and the place behind the header of an entry."""
    if offset < 0:
        raise ValueError("an entry before the start of the pack")
    head = os.pread(file, _HEADER, offset)
    kind, size, shift, used = (head[0] >> 4) & 7, head[0] & 15, 4, 1
    while head[used - 1] & 0x80:
        size |= (head[used] & 0x7F) << shift
        shift, used = shift + 7, used + 1
    return kind, size, offset + used


def _distance(file: int, place: int) -> tuple[int, int]:
    """How far before this entry its base starts, and the place behind that number."""
    head = os.pread(file, _HEADER, place)
    distance, used = head[0] & 0x7F, 1
    while head[used - 1] & 0x80:
        distance = ((distance + 1) << 7) | (head[used] & 0x7F)
        used += 1
    if not distance:
        raise ValueError("an entry is its own base")
    return distance, place + used


def _target(file: int, place: int) -> int:
    """The size that a delta says its result has: the second number of its content."""
    start = zlib.decompressobj().decompress(os.pread(file, 2 * _HEADER, place), _SIZES)
    place, sizes = 0, []
    for _ in range(2):
        size = shift = 0
        while True:
            byte, place = start[place], place + 1
            size, shift = size | (byte & 0x7F) << shift, shift + 7
            if not byte & 0x80:
                break
        sizes.append(size)
    return max(sizes)
