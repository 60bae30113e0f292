"""Short ways to make package folders and to look at what a scan says of them."""

from __future__ import annotations

from pathlib import Path

from selftune_build.fingerprint.tree import Tree, find_boundary, scan


def write(path: Path, content: bytes = b"x") -> Path:
    """A file with these bytes, its folders made where they are missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def look(package: Path, *exclude: str) -> Tree:
    """The tree of a package as the engine scans it."""
    return scan(package, exclude, find_boundary(package, package))


def paths(tree: Tree) -> list[str]:
    """The paths of its files."""
    return [file.path for file in tree.files]


def found(tree: Tree) -> list[tuple[str, str, str]]:
    """Code, severity and path of its findings."""
    return [(one.code, one.severity.value, one.at.path if one.at else "") for one in tree.findings]
