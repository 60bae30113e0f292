"""What `selftune.yaml` declares, with the defaults of every field."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import asdict


class PoolSetting(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How much a service may be asked by everybody who shares a store; no part of any key."""

    name: str | None = None
    """Agents that name the same pool share it; None: a pool of its own for each type and model."""
    concurrent: int | None = None
    per_minute: int | None = None


class AgentDefinition(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An agent declared under `agents:`; `argv` is relative to the manifest that declares it."""

    type: str
    argv: tuple[str, ...] = ()
    deterministic: bool = False
    free: bool = False
    env: tuple[str, ...] = ()
    cache_version: str | None = None
    origin: Literal["live", "simulated"] | None = None
    options: dict[str, Any] = {}
    """What only this type of agent understands; part of its identity."""
    prices: dict[str, str] = {}
    """US dollars for a million tokens, as decimal strings: `input`, `output`, `cached_input`. In no identity."""
    pool: PoolSetting = PoolSetting()
    base: str = "."
    """Folder of the declaring manifest, relative to the workspace; filled in by the reader, never read from YAML."""


class JudgeSetting(Struct, frozen=True):
    """Who rules on the checks that need a judge: an agent in the role `complete`, and how often it is asked."""

    agent: str
    model: str | None = None
    """The judge's own: the model of the package is the agent's."""
    votes: int = 1
    """How many answers to each question decide by majority; odd. A deterministic judge is asked once."""


class Samples(Struct, frozen=True):
    """How many samples a case gets, and at which one-sided confidence the gates decide."""

    min: int = 3
    max: int = 9
    confidence: float = 0.95


class Limits(Struct, frozen=True):
    """What one sample may use: wall-clock seconds and agent turns."""

    timeout_s: int = 120
    max_turns: int = 10


class Budget(Struct, frozen=True):
    """What one invocation may spend; `max_cost_usd` is a decimal string, never a float."""

    max_calls: int | None = None
    max_cost_usd: str | None = None


class GateSetting(Struct, frozen=True):
    """What the manifest says about one gate; a gate that is named is required unless it says otherwise."""

    min: float | None = None
    required: bool = True
    enabled: bool = True
    reason: str | None = None
    profile: Literal["hosts", "strict"] = "hosts"
    """Only for `spec`: which severity its rules have."""
    options: dict[str, str] = field(default_factory=dict)
    """What only a plugin's gate understands."""


class Policy(Struct, frozen=True):
    """Which evidence a verdict may rest on; `origins` None means any."""

    origins: tuple[str, ...] | None = None
    plugins: tuple[str, ...] = ()
    served_model: str = "report"
    judge_family: Literal["report", "refuse"] = "report"
    """What to do where judge and agent are of one family of models."""
    bundle_evals: bool = False
    signatures: tuple[str, ...] = ()
    """Who may vouch for locks, as `key:…` or `sigstore:ISSUER#SUBJECT`; asked for by `--policy` and `publish` alone."""


class Waiver(Struct, frozen=True):
    """A human's signature under one stale or failing row, or under one finding of the gate `security`."""

    target: str
    key: str
    reason: str


class Manifest(Struct, frozen=True):
    """The effective settings of one package: its own manifest over the workspace defaults over the built-in ones."""

    agent: tuple[str, ...] = ("embedded",)
    model: str | None = None
    agents: dict[str, AgentDefinition] = field(default_factory=dict)
    judge: JudgeSetting | None = None
    """None: checks that need a judge are not measured."""
    evals: tuple[str, ...] | None = None
    """Package-relative globs; None: every recognised file under `evals/`."""
    unit_tests: tuple[str, ...] | None = None
    """Package-relative globs; None: every recognised file under `tests/`."""
    readers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Id of a reader → package-relative globs of the eval files that it and nobody else reads."""
    exclude: tuple[str, ...] = ()
    competitors: Literal["siblings", "none"] | int | tuple[str, ...] = "siblings"
    """`siblings`, `none`, the n nearest, or paths relative to the declaring manifest (made workspace-relative by the reader)."""
    samples: Samples = Samples()
    limits: Limits = Limits()
    budget: Budget = Budget()
    gates: dict[str, GateSetting] = field(default_factory=dict)
    policy: Policy = Policy()
    accepted: tuple[Waiver, ...] = ()
    path: str | None = None
    """Workspace-relative path of the package's own manifest, None without one."""

    def policy_fields(self) -> dict[str, Any]:
        """What the digest under `policy` in the lock covers: gates, samples and policy, without later fields at their default,
        and without who may sign: that is asked of a lock, and another signatory must not make another lock (ADR 0058)."""
        policy = asdict(self.policy)
        del policy["signatures"]
        if self.policy.judge_family == "report":
            del policy["judge_family"]
        gates = {name: _stated(setting) for name, setting in self.gates.items()}
        return {"gates": gates, "samples": self.samples, "policy": policy}


def _stated(setting: GateSetting) -> dict[str, Any]:
    fields = asdict(setting)
    if not setting.options:
        del fields["options"]
    return fields
