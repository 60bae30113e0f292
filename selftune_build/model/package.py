"""A skill package as read from disk: its files, its facets and what was noticed on the way."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from selftune_build.model.case import Case
from selftune_build.model.finding import Finding
from selftune_build.model.manifest import Manifest

SKILL_FILE = "SKILL.md"
MANIFEST_FILE = "selftune.yaml"
LOCK_FILE = "selftune.lock"


class TreeFile(Struct, frozen=True):
    """One file of the package tree: slash-separated package-relative path, digest of its bytes, mode facts."""

    path: str
    digest: str
    size: int
    executable: bool = False
    link: bool = False
    """Whether it is a symbolic link; the digest is then that of the target's bytes."""


class Skill(Struct, frozen=True):
    """SKILL.md, read the way hosts read it."""

    name: str
    description: str
    frontmatter: dict[str, Any] = field(default_factory=dict)
    """Every key, as plain JSON data."""
    body: str = ""
    """The text after the closing delimiter, line ends LF, no trailing white space."""
    body_line: int = 1
    """One-based line of SKILL.md where the body starts."""


class Facets(Struct, frozen=True):
    """Digest of everything that somebody can see of a staged package on its own (DESIGN section 3)."""

    metadata: str
    body: str
    listing: str
    everything: str
    files: dict[str, str] = field(default_factory=dict)
    """Digest by staged path, SKILL.md left out (that is `metadata` and `body`)."""


class Package(Struct, frozen=True):
    """One skill folder of a workspace, read whole; nothing here knows how it will be run."""

    name: str
    path: str
    """Folder relative to the workspace, `.` for the workspace itself."""
    root: str
    """Absolute folder."""
    skill: Skill
    manifest: Manifest
    tree: tuple[TreeFile, ...]
    tree_digest: str
    staged: tuple[TreeFile, ...]
    """The tree without manifest, evals and tests: what an agent gets."""
    facets: Facets
    evals: tuple[Case, ...] = ()
    unit_tests: tuple[Case, ...] = ()
    findings: tuple[Finding, ...] = ()
    handle: str = ""
    """How commands and reports address it: its name, or its folder where the name is not enough. Set by whoever knows all."""
    declared: Manifest | None = None
    """What its own files declare; `manifest` differs from it where the package is judged by the policy of another place."""
    overlay: dict[str, bytes] = field(default_factory=dict)
    """Bytes of the files that an overlay puts in place of those on disk, by their path in `tree`; empty without one."""
