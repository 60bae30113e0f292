"""What an A/A run measured, for people and as JSON (schema `selftune.noise/1`)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

from selftune_build.limits import NOISE_SPLITS, SHOWN_CASES
from selftune_build.model.noise import Firing, Noise, PackageNoise
from selftune_build.model.sample import EvidenceOrigin
from selftune_build.report.cells import name, sentence, wrap
from selftune_build.wording import counted, listed

ADVICE = (
    "to do: a gate that gives another verdict on the same bytes has too few cases, or too flaky ones, to rely on one run: add "
    "cases, and mend those that `selftune build` calls flaky. A wide interval says that little was compared"
)
KEPT = "every sample is kept and counts like any other"


def render_json(noise: Noise) -> str:
    """One document, newline at the end."""
    document = {"schema": "selftune.noise/1", "ok": noise.exit_code == 0, **msgspec.to_builtins(noise)}
    return json.dumps({**document, "cost_usd": float(noise.cost_usd)}, indent=1, allow_nan=False) + "\n"


def render(noise: Noise, width: int) -> str:
    """Each package with what told its two groups apart, then the sum. Ends in a newline."""
    lines = [line for package in noise.packages for line in _package(package, width)]
    lines += [line for problem in noise.problems for line in wrap(f"problem: {sentence(problem)}", width, "  ")]
    if noise.gates.n + noise.comparisons.n:
        lines += ["", *_total("gates gave another verdict, or saw a lift", noise.gates, width)]
        lines += [*_total("comparisons showed a difference", noise.comparisons, width), *wrap(ADVICE, width, "  ")]
    lines.append(
        f"{counted(noise.agent_calls, 'agent call')}, {noise.cost_usd} USD; every sample is kept and counts as any other"
    )
    return "\n".join(lines) + "\n"


def _package(package: PackageNoise, width: int) -> Iterator[str]:
    origin = "" if package.origin == EvidenceOrigin.LIVE else f", {package.origin}"
    yield f"{name(package.name)} (agent {name(package.agent)}{origin})"
    if package.remark:
        yield from wrap(f"  {sentence(package.remark)}", width, "  ")
    else:
        groups = f"{package.samples} samples of each against {package.samples} others of the same bytes"
        yield f"  {counted(package.cases, 'case')}, {groups}"
    if package.left_out:
        names = listed([*map(name, package.left_out)], SHOWN_CASES)
        yield from wrap(f"  left out, without enough samples: {names}", width, "    ")
    widest = max((len(firing.id) for firing in package.firings), default=0)
    for firing in package.firings:
        said = "told them apart" if firing.fired else "same answer"
        yield f"  {firing.id.ljust(widest)}  {said}; in {round(firing.again * NOISE_SPLITS)} of {NOISE_SPLITS} other splits"


def _total(what: str, firing: Firing, width: int) -> list[str]:
    return wrap(f"{what} in {firing.fired} of {firing.n} [{firing.low:.2f}, {firing.high:.2f}]", width, "  ")
