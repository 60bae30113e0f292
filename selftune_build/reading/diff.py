"""Two states of files as a patch: what `git diff` would print, without times and object names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from selftune_build.reading.patch_lines import split_lines
from selftune_build.reading.patch_path import quoted

CONTEXT = 3
_NO_NEWLINE = b"\n\\ No newline at end of file\n"
_Code = tuple[str, int, int, int, int]


def diff(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> bytes:
    """The patch from `before` to `after`, files by path in their order; empty where they are equal. Both hold text alone."""
    paths = sorted({*before, *after})
    return b"".join(
        b"".join(_file(path, before.get(path), after.get(path))) for path in paths if before.get(path) != after.get(path)
    )


def _file(path: str, old: bytes | None, new: bytes | None) -> Iterator[bytes]:
    yield b"diff --git %s %s\n" % (quoted("a/", path), quoted("b/", path))
    if old is None:
        yield b"new file mode 100644\n"
    if new is None:
        yield b"deleted file mode 100644\n"
    first, second = split_lines(old or b""), split_lines(new or b"")
    if not (first or second):
        return
    yield b"--- %s\n" % (b"/dev/null" if old is None else _named("a/", path))
    yield b"+++ %s\n" % (b"/dev/null" if new is None else _named("b/", path))
    for group in SequenceMatcher(None, first, second).get_grouped_opcodes(CONTEXT):
        yield from _hunk(group, first, second)


def _hunk(group: Sequence[_Code], old: list[bytes], new: list[bytes]) -> Iterator[bytes]:
    (_, old_start, _, new_start, _), (_, _, old_end, _, new_end) = group[0], group[-1]
    yield b"@@ -%s +%s @@\n" % (_span(old_start, old_end), _span(new_start, new_end))
    for tag, from_old, to_old, from_new, to_new in group:
        if tag == "equal":
            yield from (_line(b" ", line) for line in old[from_old:to_old])
            continue
        yield from (_line(b"-", line) for line in old[from_old:to_old])
        yield from (_line(b"+", line) for line in new[from_new:to_new])


def _line(sign: bytes, line: bytes) -> bytes:
    return sign + line if line.endswith(b"\n") else sign + line + _NO_NEWLINE


def _span(start: int, end: int) -> bytes:
    """`LINE,COUNT`; of no lines the line before them."""
    return b"%d,%d" % (start + 1 if end > start else start, end - start)


def _named(prefix: str, path: str) -> bytes:
    name = quoted(prefix, path)
    return name + b"\t" if b" " in name and not name.startswith(b'"') else name
