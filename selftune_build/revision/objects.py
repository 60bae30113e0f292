"""Objects of a repository by their name: loose or packed, checked against their digest, and bounded before they are inflated."""

from __future__ import annotations

import os
import traceback
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from selftune_build.errors import SelftuneError
from selftune_build.limits import GIT_ALTERNATES, GIT_CONFIG_BYTES, GIT_OBJECT_BYTES, GIT_PACK_BYTES, GIT_PACKS
from selftune_build.revision.packed_size import packed_size
from selftune_build.revision.plain import is_regular, read_plain, unusable
from selftune_build.revision.repository import Repository

if TYPE_CHECKING:
    from dulwich.objects import ShaFile
    from dulwich.pack import Pack


@contextmanager
def parsing(what: str) -> Iterator[None]:
    """Whatever a parser of objects raises for bytes that are none, as the error for a repository that cannot be read."""
    try:
        yield
    except SelftuneError:
        raise
    except Exception as error:
        _forget(error)
        raise unusable(f"{what} is damaged ({type(error).__name__})") from error


def _forget(error: BaseException | None) -> None:
    """Let go of the variables of the frames behind an error: views of a pack among them keep it from being closed."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


class Objects:
    """Reads one repository. Only its packs stay open, so memory does not grow with what is asked."""

    def __init__(self, repository: Repository) -> None:
        from dulwich.object_format import get_object_format

        self._format = get_object_format(repository.object_format)
        self._folders = list(_object_folders(os.path.join(repository.common, "objects")))
        self._opened: list[tuple[str, Pack]] = []
        self._looked = False
        weakref.finalize(self, _let_go, self._opened)  # the library complains about packs that nobody closed

    @property
    def digits(self) -> int:
        """Length of a whole object name in hexadecimal digits."""
        return self._format.hex_length

    def read(self, name: str) -> ShaFile | None:
        """The object of a whole name, None where this clone does not have it. Raises UndecidedError for a damaged or huge one."""
        if len(name) != self.digits:
            return None
        with parsing(f"object {name[:12]}"):
            found = self._packed(name) or self._loose(name)
            if found is not None and _digest(found, self._format) != name:
                raise unusable(f"object {name[:12]} is damaged")
        return found

    def names(self, start: str) -> set[str]:
        """Whole names of the objects that begin with these hexadecimal digits, at least four of them."""
        found: set[str] = set()
        for folder in self._folders:
            found.update(start[:2] + rest for rest in _listed(os.path.join(folder, start[:2])) if rest.startswith(start[2:]))
        for _, pack in self._packs():
            even = bytes.fromhex(start[: len(start) // 2 * 2])
            found.update(each.hex() for each in pack.index.iter_prefix(even))
        return {name for name in found if len(name) == self.digits and name.startswith(start)}

    def _loose(self, name: str) -> ShaFile | None:
        from dulwich.objects import ObjectID, ShaFile

        for folder in self._folders:
            path = os.path.join(folder, name[:2], name[2:])
            if is_regular(path, GIT_OBJECT_BYTES):
                return ShaFile.from_path(path, ObjectID(name.encode()), object_format=self._format, max_size=GIT_OBJECT_BYTES)
        return None

    def _packed(self, name: str) -> ShaFile | None:
        from dulwich.objects import ObjectID, RawObjectID, ShaFile

        raw = RawObjectID(bytes.fromhex(name))
        for base, pack in self._packs():
            if raw not in pack:
                continue
            if packed_size(pack, base + ".pack", raw) > GIT_OBJECT_BYTES:
                raise unusable(f"object {name[:12]} is larger than {GIT_OBJECT_BYTES} bytes")
            kind, content = pack.get_raw(raw)
            return ShaFile.from_raw_string(kind, content, ObjectID(name.encode()), object_format=self._format)
        return None

    def _packs(self) -> list[tuple[str, Pack]]:
        if not self._looked:
            self._looked = True
            bases = (base for folder in self._folders for base in _pack_bases(os.path.join(folder, "pack")))
            self._opened.extend(self._open(base) for base in bases)
        return self._opened

    def _open(self, base: str) -> tuple[str, Pack]:
        from dulwich.pack import Pack

        return base, Pack(base, object_format=self._format)


def _let_go(packs: list[tuple[str, Pack]]) -> None:
    for _, pack in packs:
        pack.close()


def _digest(found: ShaFile, object_format: Any) -> str:
    """The name that the content has by its bytes, whatever it was found under."""
    content = found.as_raw_string()
    name: str = object_format.hash_func(b"%s %d\0%s" % (found.type_name, len(content), content)).hexdigest()
    return name


def _object_folders(objects: str) -> Iterator[str]:
    """The folder of the objects and those that it borrows from (`git clone --shared`), each once."""
    pending, seen = [objects], set[str]()
    while pending:
        folder = os.path.realpath(pending.pop(0))
        if folder in seen or not os.path.isdir(folder):
            continue
        seen.add(folder)
        if len(seen) > GIT_ALTERNATES:
            raise unusable(f"it borrows objects from more than {GIT_ALTERNATES} folders")
        yield folder
        lines = (read_plain(os.path.join(folder, "info", "alternates"), GIT_CONFIG_BYTES) or b"").splitlines()
        named = (os.fsdecode(line) for line in lines if line and not line.startswith(b"#") and b"\0" not in line)
        pending.extend(os.path.join(folder, name) for name in named)


def _pack_bases(folder: str) -> Iterator[str]:
    """The packs of a folder that have an index, without the ends of their names."""
    names = _listed(folder)
    bases = [os.path.join(folder, name.removesuffix(".pack")) for name in names if name.endswith(".pack")]
    if len(bases) > GIT_PACKS:
        raise unusable(f"it has more than {GIT_PACKS} packs", "`git gc`")
    for base in bases:
        if is_regular(base + ".idx", GIT_PACK_BYTES) and is_regular(base + ".pack", GIT_PACK_BYTES):
            yield base


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
