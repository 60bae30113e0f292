"""What a change of settings makes easier to pass, and what it makes harder, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from selftune_build.gates.builtin import GATES, LIFT_MINIMUM, RATE_MINIMUM, RESERVED
from selftune_build.model.manifest import AgentDefinition, GateSetting, Limits, Manifest, Policy, Samples, Waiver

Difference = tuple[bool, str]
"""Whether it loosens, and the sentence that says what differs."""

_DECLARED = ("type", "argv", "deterministic", "origin", "cache_version", "options", "base")
"""What of a declared agent decides whose answers count; price and environment do not."""


def differences(before: Manifest, after: Manifest) -> list[Difference]:
    """Every difference between two effective manifests that bears on a verdict.

    What cannot be put in an order (another agent, another model) loosens: somebody has to look. Evals are compared as cases.
    """
    return [
        *_gates(before, after),
        *_samples(before.samples, after.samples),
        *_policy(before.policy, after.policy),
        *_limits(before.limits, after.limits),
        *_agents(before, after),
        *_competitors(before, after),
        *((True, f"`exclude` leaves out {pattern!r}") for pattern in after.exclude if pattern not in before.exclude),
        *_waivers(before.accepted, after.accepted),
    ]


def _gates(before: Manifest, after: Manifest) -> Iterator[Difference]:
    for name in sorted(before.gates.keys() | after.gates.keys()):
        yield from _gate(name, before.gates.get(name), after.gates.get(name))


def _gate(name: str, before: GateSetting | None, after: GateSetting | None) -> Iterator[Difference]:
    if before is not None and after is None:
        yield True, f"the gate {name} is named no more, so it decides only where a case measures it"
    was, now = _Effect(name, before), _Effect(name, after)
    if was.enabled != now.enabled:
        yield (False, f"the gate {name} is turned on") if now.enabled else (True, f"the gate {name} is turned off")
    elif now.enabled:
        if was.required != now.required:
            yield was.required, f"the gate {name} is {'required' if now.required else 'not required'}"
        if was.minimum != now.minimum:
            yield now.minimum < was.minimum, f"the gate {name} asks for {now.minimum:g} instead of {was.minimum:g}"
        if was.profile != now.profile:
            yield now.profile == "hosts", f"the gate {name} has the profile {now.profile}"
        if was.options != now.options:
            yield True, f"the gate {name} has other options"


class _Effect:
    """What a gate does under a setting, or without one."""

    def __init__(self, name: str, setting: GateSetting | None) -> None:
        default = LIFT_MINIMUM if name == "lift" else RATE_MINIMUM
        unnamed = GATES[name].required if name in GATES else name in RESERVED
        self.enabled = setting.enabled if setting is not None else name in GATES or name in RESERVED
        self.required = setting.required if setting is not None else unnamed
        self.minimum = float(default if setting is None or setting.min is None else setting.min)
        self.profile = setting.profile if setting is not None else "hosts"
        self.options = setting.options if setting is not None else {}


def _samples(before: Samples, after: Samples) -> Iterator[Difference]:
    if before.min != after.min:
        yield after.min < before.min, f"a case needs {after.min} samples instead of {before.min}"
    if before.confidence != after.confidence:
        looser = after.confidence < before.confidence
        yield looser, f"gates decide at a confidence of {after.confidence:g} instead of {before.confidence:g}"


def _policy(before: Policy, after: Policy) -> Iterator[Difference]:
    if before.origins != after.origins:
        added = before.origins is not None and (after.origins is None or set(after.origins) - set(before.origins))
        yield bool(added), f"evidence may be {' or '.join(after.origins) if after.origins is not None else 'of any origin'}"
    for name in sorted(set(after.plugins) - set(before.plugins)):
        yield True, f"the plugin {name} may read and decide"
    for name in sorted(set(before.plugins) - set(after.plugins)):
        yield False, f"the plugin {name} is asked for no more"
    if before.served_model != after.served_model:
        yield True, f"another model than the one asked for is met with {after.served_model!r}"
    yield from _signatures(before.signatures, after.signatures)


def _signatures(before: Sequence[str], after: Sequence[str]) -> Iterator[Difference]:
    """Each of them is enough, so one more loosens."""
    if before and not after:
        yield True, "nobody has to sign locks any more"
    elif not before and after:
        yield False, f"locks have to be signed by {' or '.join(after)}"
    else:
        yield from ((True, f"locks may be signed by {word}") for word in after if word not in before)
        yield from ((False, f"locks are not signed by {word} any more") for word in before if word not in after)


def _limits(before: Limits, after: Limits) -> Iterator[Difference]:
    if before.timeout_s != after.timeout_s:
        yield after.timeout_s > before.timeout_s, f"a sample may take {after.timeout_s} s instead of {before.timeout_s} s"
    if before.max_turns != after.max_turns:
        yield after.max_turns > before.max_turns, f"a sample may take {after.max_turns} turns instead of {before.max_turns}"


def _agents(before: Manifest, after: Manifest) -> Iterator[Difference]:
    if before.agent != after.agent:
        lost = sorted(set(before.agent) - set(after.agent))
        yield bool(lost), f"the agent is {_listed(after.agent)} instead of {_listed(before.agent)}"
    if before.model != after.model:
        default = "the default of the agent"
        yield True, f"the model is {after.model or default} instead of {before.model or default}"
    for name in sorted(set(before.agent) & set(after.agent)):
        changed = _changed_fields(before.agents.get(name), after.agents.get(name))
        if changed:
            yield True, f"the agent {name} is declared with another {_listed(changed)}"


def _changed_fields(before: AgentDefinition | None, after: AgentDefinition | None) -> list[str]:
    if before is None or after is None:
        return [] if before is after else ["type"]
    return [field for field in _DECLARED if getattr(before, field) != getattr(after, field)]


def _competitors(before: Manifest, after: Manifest) -> Iterator[Difference]:
    if before.competitors != after.competitors:
        stricter = before.competitors == "none" or after.competitors == "siblings"
        yield not stricter, "the skills that are staged beside this one are others"


def _waivers(before: Iterable[Waiver], after: Iterable[Waiver]) -> Iterator[Difference]:
    known = {(waiver.target, waiver.key) for waiver in before}
    for waiver in after:
        if (waiver.target, waiver.key) not in known:
            yield True, f"{waiver.target} is accepted as it is: {waiver.reason}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
