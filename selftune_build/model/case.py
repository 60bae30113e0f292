"""The neutral case: what every eval format is read into."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from selftune_build.model.location import Location
from selftune_build.model.manifest import Limits

Profile = Literal["package", "routing"]
"""How far a run goes: `package` does the whole task, `routing` only decides which skill to use, with tools that read."""


class Arm(StrEnum):
    """Under which condition a case runs."""

    WITH_SKILL = "with_skill"
    WITHOUT_SKILL = "without_skill"
    SCRIPT = "script"


class Origin(Struct, frozen=True):
    """From which file and which element of it a case or check was read."""

    format: str
    at: Location


class CaseFile(Struct, frozen=True):
    """A file placed in the workspace of a sample before it starts: its destination there and its bytes."""

    dest: str
    content: bytes


class Check(Struct, frozen=True):
    """One assertion; `kind` names a family in `selftune_build.checks`, `params` is plain JSON.

    `files` names the package files that the check executes (a grader script in `params["run"]`): their bytes are part
    of how a sample is judged, so an edited grader judges again.
    """

    kind: str
    params: dict[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    origin: Origin | None = None
    id: str | None = None
    """As the author wrote it; never part of a key. `checks.weighing` gives every check of a case one."""
    weight: int = 1
    """Its share in the weighted score of a sample; whether the sample passes does not depend on it."""
    arms: tuple[Arm, ...] | None = None
    """Under which arms the author wants it, each once and in the order of `Arm`; None: wherever its kind applies."""

    @property
    def is_supplied(self) -> bool:
        """Whether a plugin judges it: its kind is then `NAME/VERSION`, so that what it means is part of every key."""
        return "/" in self.kind

    def is_for(self, arm: Arm) -> bool:
        """Whether the author wants it under this arm."""
        return self.arms is None or arm in self.arms


class Case(Struct, frozen=True):
    """One eval: a prompt, or with `run` a script; its files, checks and whether the skill should trigger."""

    id: str
    prompt: str = ""
    run: tuple[str, ...] = ()
    stdin: str = ""
    files: tuple[CaseFile, ...] = ()
    setup: tuple[tuple[str, ...], ...] = ()
    should_trigger: bool | None = None
    checks: tuple[Check, ...] = ()
    limits: Limits | None = None
    observe_package: bool = False
    """`observe: package`: reuse by observation is off, every edit of the package makes this case stale."""
    tags: tuple[str, ...] = ()
    origin: Origin | None = None

    def without_origin(self) -> Case:
        """All of it but where it, and its checks, were read from."""
        return replace(self, checks=tuple(replace(check, origin=None) for check in self.checks), origin=None)

    @property
    def is_script(self) -> bool:
        """Whether this case runs a script of the package instead of an agent."""
        return bool(self.run)
