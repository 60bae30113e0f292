"""Findings of the gate `security` over folders of skills, counted by rule; `-v` prints each: what docs/security-rules.md reports.

    python tests/benchmarks/survey_security.py FOLDER...

Each folder is searched for SKILL.md. A skill below another skill is looked at with the other, as `selftune build` would.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from selftune_build.engine.load import load_universe
from selftune_build.engine.security import inspect_package
from selftune_build.errors import SelftuneError
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.package import Package
from selftune_build.stages.spec_rules.second_opinion import SecondOpinion


def main(arguments: list[str]) -> None:
    """Print a table of rules, findings and packages."""
    verbose = "-v" in arguments
    found: Counter[tuple[str, str]] = Counter()
    packages: Counter[tuple[str, str]] = Counter()
    failing: set[str] = set()
    read, seconds = 0, 0.0
    for folder in (each for each in arguments if each != "-v"):
        for package, findings, took in _inspected(Path(folder), verbose):
            read, seconds = read + 1, seconds + took
            kinds = [(one.severity.value, one.code) for one in findings]
            found.update(kinds)
            packages.update(set(kinds))
            failing |= {package.root} if any(one.severity is Severity.ERROR for one in findings) else set()
    print(f"{read} packages, {len(failing)} with an error, {seconds:.1f} s of processor time")
    for (severity, code), count in sorted(found.items()):
        print(f"| `{code}` | {severity} | {count} | {packages[severity, code]} |")


def _inspected(folder: Path, verbose: bool) -> Iterator[tuple[Package, tuple[Finding, ...], float]]:
    for skill in sorted(folder.rglob("SKILL.md")):
        try:
            (package,) = load_universe(skill.parent, lambda *_: SecondOpinion(True)).packages
            start = time.process_time()
            findings = inspect_package(package, ()).counted
            took = time.process_time() - start
        except (SelftuneError, ValueError) as error:
            print(f"{skill}: {error}", file=sys.stderr)
            continue
        for one in findings if verbose else ():
            print(f"{one.severity.value}\t{one.code}\t{skill.parent.relative_to(folder.parent)}\t{one.at}\t{one.message}")
        yield package, findings, took


if __name__ == "__main__":
    main(sys.argv[1:])
