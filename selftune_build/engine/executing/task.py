"""What is sent to a worker and what comes back, as MessagePack; both sides have to be of one version."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from selftune_build import __version__
from selftune_build.agents.protocol import Agent
from selftune_build.fingerprint.digest import digest_json
from selftune_build.model.case import Arm, Case, Profile
from selftune_build.model.manifest import AgentDefinition, Manifest
from selftune_build.model.package import Facets, Package, Skill, TreeFile
from selftune_build.model.sample import ErrorKind, Usage
from selftune_build.stages.row import RowSpec, StagedSet

_STAGED = "staged"


class Shipped(Struct, frozen=True):
    """A package as far as whoever runs a sample has to know it: where its files lie, and what they are."""

    name: str
    path: str
    root: str
    description: str
    staged: tuple[TreeFile, ...]
    facets: Facets
    overlay: dict[str, bytes]

    def package(self) -> Package:
        """The package, as if nothing else had been read of it."""
        skill = Skill(self.name, self.description)
        return Package(self.name, self.path, self.root, skill, Manifest(), (), "", self.staged, self.facets, overlay=self.overlay)


class Site(Struct, frozen=True):
    """What a worker has to see as the build sees it, by absolute paths."""

    store: str
    root: str
    """Folder of the workspace."""
    token: str
    """Digest of a record of the store that nobody else has written: names the invocation too."""
    file: str
    digest: str
    """A file of the workspace, and of its bytes."""
    version: str = __version__


class Asked(Struct, frozen=True):
    """The agent that a worker makes for itself; `identity`: digest of what it has to turn out to be."""

    name: str
    definition: AgentDefinition | None
    model: str | None
    identity: str
    allow_exec: bool


class Probe(Struct, frozen=True, tag="probe"):
    """Say whether this place is seen."""

    site: Site


class Task(Struct, frozen=True, tag="task"):
    """Make one attempt at a sample, and keep it."""

    site: Site
    agent: Asked
    """Who is asked, unless the arm is a script."""
    staged: str
    """Digest of the record of the packages it is staged from."""
    package: str
    """Name of the one under test, which need not be among them."""
    case: Case
    arm: Arm
    key: str
    index: int
    number: int
    """Which attempt at it this is, 1 the first: another run of the same task finds more kept than that, and asks nobody."""
    profile: Profile


class Cancel(Struct, frozen=True, tag="cancel"):
    """End every task of an invocation."""

    token: str


class Done(Struct, frozen=True):
    """What came of it; `message` and `hint` are those of an error."""

    outcome: str
    """`seen` or `refused`: nothing was begun, and `message` says why. Of a task also `kept`; `failed`: a failed attempt was kept;
    `begun`: by another run of the same task, nothing was done; `input` and `store`: an error of that family."""
    message: str = ""
    hint: str | None = None
    digest: str = ""
    """Of the file of the sample that was kept."""
    usage: Usage | None = None
    kind: ErrorKind | None = None
    retry_after_s: float | None = None
    code: str = ""


def encoded(message: Probe | Task | Cancel | Done) -> bytes:
    """A message as bytes."""
    return msgspec.msgpack.encode(message)


def message_in(content: bytes) -> Probe | Task | Cancel:
    """What a worker was sent. Raises ValueError for what another version sends."""
    return msgspec.msgpack.decode(content, type=Probe | Task | Cancel)


def done_in(content: bytes) -> Done:
    """What a worker said. Raises ValueError."""
    return msgspec.msgpack.decode(content, type=Done)


def staged_record(staged: StagedSet) -> dict[str, Any]:
    """The packages of a staged set as a record of the store, without what no agent gets to see."""
    return {_STAGED: [msgspec.to_builtins(_shipped(package)) for package in staged.packages.values()]}


def staged_in(record: Any) -> StagedSet:
    """The staged set of a record. Raises ValueError."""
    return StagedSet(each.package() for each in msgspec.convert(record[_STAGED], type=list[Shipped]))


def package_without_files(name: str) -> Package:
    """Stands for a package that is not staged."""
    return Shipped(name, "", "", "", (), Facets("", "", "", ""), {}).package()


def task_of(spec: RowSpec, index: int, number: int, site: Site, agent: Asked, staged: str) -> Task:
    """One attempt at a sample of a row."""
    limits = spec.case.limits or spec.package.manifest.limits
    case = replace(spec.case, limits=limits, checks=(), tags=(), origin=None)
    return Task(site, agent, staged, spec.package.name, case, spec.arm, spec.key, index, number, spec.profile)


def asked_of(agent: Agent, definition: AgentDefinition | None, model: str | None, allow_exec: bool) -> Asked:
    """An agent as a worker has to make it."""
    return Asked(agent.name, definition, model, digest_json(agent.identity), allow_exec)


def _shipped(package: Package) -> Shipped:
    return Shipped(
        package.name,
        package.path,
        package.root,
        package.skill.description,
        package.staged,
        package.facets,
        package.overlay,
    )
