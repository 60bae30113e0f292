"""The page docs/plugin-reference.md, made from the hook specifications: `python -m selftune_build.plugins.reference`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from selftune_build.plugins import api, hookspecs
from selftune_build.plugins.contain import DEBUG
from selftune_build.plugins.kinds import API_VERSION, GROUP, HOOKS, Kind

SECTIONS = ("Named by", "Gets", "Returns", "Errors", "Called", "Enters the key")
"""What every hook specification has to say."""

TYPES: dict[Kind, tuple[str, ...]] = {
    Kind.AGENT: (
        "AgentType",
        "AgentSettings",
        "Agent",
        "Traits",
        "RunRequest",
        "StagedSkill",
        "Workspace",
        "CompleteRequest",
        "Reply",
    ),
    Kind.GATE: ("Gate", "Facts", "CaseOutcome", "Against", "Compared", "Change", "Look", "Decision"),
    Kind.CHECK: ("Family", "CheckContext", "Transcript", "CheckResult"),
    Kind.READER: ("Format", "Source", "EvalReading"),
    Kind.MUTATOR: ("Mutator", "PackageView", "CaseEvidence", "Overlay", "Edit", "Consultation", "Question"),
    Kind.REPORT: ("ReportFormat", "PackageDetail", "ShownCase", "ShownSample", "ShownCheck", "Sample"),
    Kind.EXECUTOR: ("ExecutorType", "Executor"),
}
"""Kind → the names in `plugins.api` that its section explains."""

_SUITES = {kind: f"{kind.value.capitalize()}Contract" for kind in Kind}


def page() -> str:
    """The whole page as Markdown, ending in a newline."""
    lines = [
        "<!-- Made by `python -m selftune_build.plugins.reference > docs/plugin-reference.md`; do not edit. -->",
        "# Plugin reference",
        "",
        f"Version {API_VERSION} of the plugin API. Entry-point group: `{GROUP}`. Everything a plugin may import stands in",
        "`selftune_build.plugins` (`plugins/api.py`) and `selftune_build.testing`. [How to write one](how-to-plugins.md).",
        "",
        inspect.cleandoc(hookspecs.__doc__ or ""),
        "",
        "A module or object may say `selftune_api = 1`; another number than the version above is refused. With",
        f"`{DEBUG}=1` in the environment the traceback of a plugin's failure goes to stderr; it is not shown otherwise.",
        "",
    ]
    for kind in Kind:
        lines += _hook(kind)
    return "\n".join(lines).rstrip() + "\n"


def undocumented() -> list[str]:
    """One sentence for each thing that a hook specification does not say."""
    missing = []
    for kind in Kind:
        text = inspect.getdoc(getattr(hookspecs, HOOKS[kind])) or ""
        missing += [f"{HOOKS[kind]} says nothing under `{section}`" for section in SECTIONS if not _section(text, section)]
    return missing


def _hook(kind: Kind) -> Iterator[str]:
    hook = getattr(hookspecs, HOOKS[kind])
    text = inspect.getdoc(hook) or ""
    yield f"## {HOOKS[kind]}"
    yield ""
    yield f"`{HOOKS[kind]}{inspect.signature(hook)}`".replace("'", "")
    yield ""
    yield text.partition("\n\n")[0]
    yield ""
    for section in SECTIONS:
        yield f"- **{section}**: {_section(text, section)}"
    yield f"- **Conformance suite**: `selftune_build.testing.{_SUITES[kind]}`"
    yield ""
    for each in TYPES[kind]:
        yield from _type(getattr(api, each))


def _section(text: str, name: str) -> str:
    found = next((part for part in text.split("\n\n") if part.startswith(f"{name}: ")), "")
    return " ".join(found.removeprefix(f"{name}:").split())


def _type(each: type) -> Iterator[str]:
    yield f"### {each.__name__}"
    yield ""
    yield from [inspect.getdoc(each) or "", ""]
    fields = list(_fields(each))
    if fields:
        yield from [*fields, ""]


def _fields(each: type) -> Iterator[str]:
    """One line for each field with its type and default, then for each public method its first sentence."""
    said = _said_after(each)
    annotations = {name: kind for name, kind in inspect.get_annotations(each).items() if not name.startswith("_")}
    for name, kind in annotations.items():
        more = f": {said[name]}" if name in said else ""
        yield f"- `{name}: {kind}`{more}"
    for name, member in vars(each).items():
        text = inspect.getdoc(member.fget if isinstance(member, property) else member)
        if name.startswith("_") or name in annotations or not (callable(member) or isinstance(member, property)) or not text:
            continue
        signature = "" if isinstance(member, property) else str(inspect.signature(member)).replace("'", "").replace("self, ", "")
        yield f"- `{name}{signature.replace('(self)', '()')}`: {' '.join(text.split())}"


def _said_after(each: type) -> dict[str, str]:
    """The strings that stand below fields."""
    import ast
    import textwrap

    (node,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
    said: dict[str, str] = {}
    before: Any = None
    for statement in node.body if isinstance(node, ast.ClassDef) else ():
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name) and isinstance(statement, ast.Expr):
            said[before.target.id] = " ".join(str(getattr(statement.value, "value", "")).split())
        before = statement
    return said


if __name__ == "__main__":
    sys.stdout.write(page())
