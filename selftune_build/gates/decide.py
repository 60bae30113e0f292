"""Which gates apply to a package, what they say, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from selftune_build.errors import PLUGIN_MISSING
from selftune_build.gates.builtin import BUILTIN, REGRESSION, RESERVED, Gate
from selftune_build.gates.facts import Facts
from selftune_build.meant import did_you_mean
from selftune_build.model.manifest import GateSetting
from selftune_build.model.verdict import GateResult, Verdict
from selftune_build.stats.decision import Decision

UNNAMED = GateSetting()


def decide(
    facts: Facts, settings: Mapping[str, GateSetting], confidence: float, gates: Sequence[Gate] = BUILTIN
) -> list[GateResult]:
    """The result of every gate that applies, in the order of `gates`, then of those that nobody here supplies.

    A gate that the manifest names is required unless it says otherwise, and inconclusive where nothing measures it. A gate
    that it does not name applies only where something does. A disabled gate is left out: see `disabled`. So is one that decides
    from more than tree and evidence, where the facts hold no more.
    """
    results = [result for gate in gates if (result := _result(gate, facts, settings, confidence)) is not None]
    known = {gate.id for gate in gates} | {REGRESSION}
    return results + [_absent(name, settings[name]) for name in sorted(settings) if name not in known and settings[name].enabled]


def chosen(settings: Mapping[str, GateSetting], gates: Mapping[str, Gate]) -> list[Gate]:
    """The built-in gates, and of all others those that the manifest names and turns on, where somebody supplies them."""
    named = (gates.get(name) for name, setting in sorted(settings.items()) if name not in RESERVED and setting.enabled)
    return [*BUILTIN, *(gate for gate in named if gate is not None)]


def disabled(settings: Mapping[str, GateSetting]) -> dict[str, str]:
    """Gates that the manifest turns off, each with the reason it gives or an empty one."""
    return {name: setting.reason or "" for name, setting in sorted(settings.items()) if not setting.enabled}


def overall(results: Iterable[GateResult], measured: bool) -> Verdict:
    """What the required gates amount to: any fail is a fail, else any inconclusive is inconclusive, else a pass.

    Without any case that measures something (`measures_anything`) there is no pass.
    """
    verdicts = {result.verdict for result in results if result.required}
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    if Verdict.INCONCLUSIVE in verdicts or not measured:
        return Verdict.INCONCLUSIVE
    return Verdict.PASS


def _result(gate: Gate, facts: Facts, settings: Mapping[str, GateSetting], confidence: float) -> GateResult | None:
    setting = settings.get(gate.id)
    if (setting is None and gate.asked) or (setting is not None and not setting.enabled):
        return None
    if gate.beside and facts.against is None and facts.look is None:
        return None
    decision = gate.judge(facts, setting or UNNAMED, confidence)
    if decision is None:
        if setting is None:
            return None
        decision = Decision(Verdict.INCONCLUSIVE, "no case measures this")
    if setting is None and gate.quiet and decision.verdict is Verdict.PASS:
        return None
    required = gate.required if setting is None else setting.required
    return GateResult(gate.id, decision.verdict, decision.message, required, decision.advice, code=decision.code)


def _absent(name: str, setting: GateSetting) -> GateResult:
    message = f"{PLUGIN_MISSING}: no installed plugin supplies this gate"
    return GateResult(name, Verdict.INCONCLUSIVE, message, setting.required, did_you_mean(name, RESERVED), code=PLUGIN_MISSING)
