"""First unit tests of a skill's scripts from their texts: no model is asked and nothing is run, a human reviews."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from selftune_build.model.package import Package
from selftune_build.reading.scripts import Script, documented_options, scripts
from selftune_build.scaffold.drafting.generation import Situation
from selftune_build.scaffold.drafting.script_cases import ScriptCase, fault, new_ones

_PARSES = {
    "python3": ("python3", "-c", "import ast, sys; ast.parse(open(sys.argv[1], encoding='utf-8').read())"),
    "bash": ("bash", "-n"),
    "sh": ("sh", "-n"),
    "node": ("node", "--check"),
}
"""Commands that read a script without running it."""


def script_drafts(situation: Situation, most: int | None) -> list[ScriptCase]:
    """At most `most` cases: that each script answers `--help` and knows the options that SKILL.md names, that it refuses a call
    without arguments where its text says so, and where the text tells nothing, that it parses.

    Documented commands are not made into cases: what they do, also to the outside, cannot be told from here.
    """
    found = (case for script in scripts(situation.package) for case in _of(situation.package, script))
    return new_ones([case for case in found if fault(case, situation.package.name) is None], situation)[:most]


def _of(package: Package, script: Script) -> Iterator[ScriptCase]:
    refusal = script.refusal
    if script.helps:
        options = documented_options(package, script)
        said = "It answers --help" + (" and knows the options that SKILL.md names" if options else "")
        known = tuple({"contains": option} for option in options)
        checks = ((_usage("contains"),) if script.parser else ()) + known + ({"exit": 0},)
        yield ScriptCase((script.program, script.path, "--help"), checks, said)
    if refusal is not None:
        shown = (_usage(refusal.check),) if refusal.check else ()
        checks = (*shown, {"exit": refusal.status})
        yield ScriptCase((script.program, script.path), checks, "It refuses a call without arguments")
    if not script.helps and refusal is None:
        yield ScriptCase((*_PARSES[script.program], script.path), ({"exit": 0},), "It parses", label=f"{script.path} parses")


def _usage(check: str) -> dict[str, Any]:
    return {check: {"text": "usage", "ignore-case": True}}
