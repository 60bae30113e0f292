"""A package as the gate `security` sees it: its files read once more, the rules, the waivers of its manifest."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from selftune_build.errors import InputError, refuse_machine
from selftune_build.fingerprint.digest import digest_bytes, digest_json
from selftune_build.fingerprint.regular import read_regular
from selftune_build.limits import SECURITY_HEAD_BYTES, SECURITY_TEXT_BYTES, SECURITY_TOTAL_BYTES
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.package import Package, TreeFile
from selftune_build.model.report import Accepted
from selftune_build.security.catalogue import SHARED
from selftune_build.security.files import Head
from selftune_build.security.inspect import inspect
from selftune_build.security.subject import Subject, Text, found
from selftune_build.security.surface import surface
from selftune_build.security.waivers import target_of, weigh

_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Inspection(Struct, frozen=True):
    """What was found in a package and what became of it. Places are relative to the workspace."""

    findings: tuple[Finding, ...]
    """What counts for the gate and is told by nobody else, waivers of nothing among it."""
    shared: tuple[Finding, ...]
    """What the stage `spec` tells and counts here as well."""
    accepted: tuple[Accepted, ...]
    surface: dict[str, Location]

    @property
    def counted(self) -> tuple[Finding, ...]:
        """What the gate decides from."""
        return (*self.shared, *self.findings)


NOTHING = Inspection((), (), (), {})
"""Of a package that nobody looked at."""


def inspect_package(package: Package, others: Iterable[str]) -> Inspection:
    """Read the files and look at them. Raises InputError where one changed since the package was read."""
    staged = {file.path for file in package.staged}
    texts: list[Text] = []
    heads: list[Head] = []
    unread: list[Finding] = []
    left = SECURITY_TOTAL_BYTES
    for file in package.tree:
        content = _read(package, file, min(SECURITY_TEXT_BYTES, left))
        text = _decode(content)
        if file.path in staged:
            heads.append(Head(file.path, file.digest, content[:SECURITY_HEAD_BYTES], text is not None))
        if text is not None:
            left -= len(content)
            texts.append(Text(file.path, text, executable=file.executable, staged=file.path in staged))
            unread.extend(_unread(file, content))
    subject = _subject(package, texts, others)
    shared = [replace(one, key=_shared_key(package, one)) for one in package.findings if one.code in SHARED]
    own = [_placed(package, one) for one in (*inspect(subject, heads), *unread)]
    weighed = weigh(
        [*shared, *own], package.manifest.accepted, {package.handle, package.name, package.path}, package.manifest.path
    )
    return Inspection(
        findings=(*(_advised(package, one) for one in weighed.open if one.code not in SHARED), *weighed.unused),
        shared=tuple(one for one in weighed.open if one.code in SHARED),
        accepted=weighed.accepted,
        surface={name: _inside(package, at) for name, at in surface(subject).items()},
    )


def _subject(package: Package, texts: Iterable[Text], others: Iterable[str]) -> Subject:
    frontmatter = package.skill.frontmatter
    tools = frontmatter.get("allowed-tools")
    return Subject(
        texts=tuple(texts),
        name=package.skill.name,
        description=package.skill.description,
        allowed_tools=" ".join(map(str, tools)) if isinstance(tools, list) else None if tools is None else str(tools),
        compatibility=str(frontmatter.get("compatibility", "")),
        others=tuple(others),
    )


def _read(package: Package, file: TreeFile, limit: int) -> bytes:
    """The first bytes of a file; all of them where it is not longer, and then they are those of the tree."""
    laid = package.overlay.get(file.path)
    if laid is not None:
        return laid[: max(limit, SECURITY_HEAD_BYTES)]
    path, wanted = f"{package.root}/{file.path}", max(limit, SECURITY_HEAD_BYTES)
    try:
        content = read_regular(path, wanted) or b""
    except OSError as error:
        refuse_machine(error, path)
        content = b""
    if file.size <= wanted and digest_bytes(content) != file.digest:
        raise InputError("it changed while it was read", at=Location(_path(package, file.path)), hint="run it again")
    return content


def _decode(content: bytes) -> str | None:
    """The text of a file, None for one that is none: it has NUL characters, or is no UTF-8 in its first part."""
    if content.startswith(_WIDE_MARKS):
        return content.decode("utf-16", "replace")
    head = content[:SECURITY_HEAD_BYTES]
    if b"\0" in head:
        return None
    text = content.decode("utf-8", "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    return text if text.count("\ufffd", 0, SECURITY_HEAD_BYTES) <= len(head) // 20 else None


def _unread(file: TreeFile, content: bytes) -> list[Finding]:
    if len(content) >= file.size:
        return []
    said = f"only the first {len(content)} of {file.size} bytes were looked at"
    return [found("security-not-scanned", file.path, None, said, file.digest, show="", hint="split the file")]


def _shared_key(package: Package, one: Finding) -> str:
    path = one.at.path.removeprefix(package.path + "/") if one.at else ""
    return digest_json([one.code, path, one.message])


def _placed(package: Package, one: Finding) -> Finding:
    return replace(one, at=_inside(package, one.at)) if one.at else one


def _inside(package: Package, at: Location) -> Location:
    return replace(at, path=_path(package, at.path))


def _path(package: Package, path: str) -> str:
    return path if package.path == "." else f"{package.path}/{path}"


def _advised(package: Package, one: Finding) -> Finding:
    """With the waiver to write where it is meant as it is."""
    if one.severity is not Severity.ERROR or one.key is None:
        return one
    waiver = f'accepted: [{{target: "{target_of(package.handle, one.code)}", key: "{one.key}", reason: "…"}}]'
    first = f"{one.hint}; or" if one.hint else "mend it, or"
    return replace(one, hint=f"{first} accept it in selftune.yaml with {waiver}")
