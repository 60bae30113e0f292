"""A small world of skills as plain values, how it is written to disk, and how it can be edited."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests.property.workspace import Workspace

NAMES = ("bake", "boil", "brew")
DESCRIPTIONS: Mapping[str, tuple[str, ...]] = {
    "bake": ("Bakes bread.", "Bakes bread, butter included.", "Bakes coffee cake."),
    "boil": ("Boils eggs.", "Boils milk.", "Boils coffee."),
    "brew": ("Brews coffee.", "Brews coffee, milk included.", "Brews leaves."),
}
PROMPTS = ("Strong coffee", "Coffee, milk on top", "Bread, butter and milk", "Hot milk", "Sing a lullaby", "Eggs, butter on top")
BODIES = (
    "First text.",
    "Second text, see references/milk.md",
    "Third text, see references/butter.md and references/milk.md",
)
REFERENCES = ("milk", "butter", "milk", "unread")
EXPECTED = ("First", "references", "page 1", "nowhere")


@dataclass(frozen=True)
class Case:
    """One eval; `expected` is the text that its only check looks for."""

    id: str
    prompt: str
    should_trigger: bool
    expected: str | None


@dataclass(frozen=True)
class Skill:
    """One package; `pages` is the version of each reference that is there."""

    description: str
    body: str
    pages: tuple[tuple[str, int], ...] = ()
    cases: tuple[Case, ...] = ()
    spaces: bool = False
    """Whether lines of SKILL.md end in white space."""

    def files(self) -> dict[str, str]:
        """What an agent gets beside SKILL.md: text by path."""
        return {f"references/{name}.md": f"{name} page {version}\n" for name, version in self.pages}


Tree = Mapping[str, Skill]


def start() -> dict[str, Skill]:
    """Two skills with three cases."""
    cases = (Case("c0", PROMPTS[0], True, "First"), Case("c1", PROMPTS[1], True, "milk page"))
    brew = Skill(DESCRIPTIONS["brew"][0], BODIES[1], (("milk", 0), ("unread", 0)), cases)
    return {"brew": brew, "bake": Skill(DESCRIPTIONS["bake"][0], BODIES[0], (), (Case("c0", PROMPTS[2], True, "First"),))}


def readers() -> dict[str, Skill]:
    """One skill whose cases all read the same page."""
    prompts = ("Coffee, milk on top", "Bread, butter and milk", "Hot milk")
    cases = tuple(Case(f"c{number}", prompt, True, "milk page") for number, prompt in enumerate(prompts))
    return {"brew": Skill("Brews coffee, milk included.", BODIES[1], (("milk", 0),), cases)}


def write(workspace: Workspace, tree: Tree) -> None:
    """Make the packages on disk these, locks left alone; a package that is gone takes its lock along."""
    for name in NAMES:
        if name not in tree:
            shutil.rmtree(workspace.root / name, ignore_errors=True)
    for name, skill in tree.items():
        _write_skill(workspace, name, skill)


def _write_skill(workspace: Workspace, name: str, skill: Skill) -> None:
    space = "  \t" if skill.spaces else ""
    text = f"---\nname: {name}\ndescription: {skill.description}\n---\n{space}\n{skill.body}{space}\n"
    cases = [
        {"id": case.id, "prompt": case.prompt, "should_trigger": case.should_trigger}
        | ({"checks": [{"contains": case.expected}]} if case.expected is not None else {})
        for case in skill.cases
    ]
    evals = json.dumps({"format": "selftune.evals/1", "cases": cases}, indent=1)
    wanted = {"SKILL.md": text, **({"evals/evals.yaml": evals} if cases else {}), **skill.files()}
    there = {path.relative_to(workspace.root / name).as_posix() for path in (workspace.root / name).rglob("*") if path.is_file()}
    for path in there - wanted.keys() - {"selftune.lock"}:
        (workspace.root / name / path).unlink()
    for path, content in wanted.items():
        workspace.write(f"{name}/{path}", content)


@dataclass(frozen=True)
class Edit:
    """One random edit: what kind, of which package, where in it, and to which variant."""

    kind: str
    package: int
    place: int
    variant: int


KINDS = (
    "body",
    "description",
    "page",
    "remove page",
    "prompt",
    "check",
    "polarity",
    "add case",
    "remove case",
    "add package",
    "remove package",
    "spaces",
    "touch",
    "revert",
    "delete lock",
    "delete samples",
)


def edited(tree: Tree, edit: Edit) -> dict[str, Skill]:
    """The tree after an edit of its text; the same tree where the edit finds nothing to do."""
    if edit.kind == "add package":
        name = NAMES[edit.package % len(NAMES)]
        return {**tree, name: tree.get(name, Skill(_pick(DESCRIPTIONS[name], edit.variant), _pick(BODIES, edit.place)))}
    name = sorted(tree)[edit.package % len(tree)]
    if edit.kind == "remove package":
        return {other: skill for other, skill in tree.items() if other != name or len(tree) == 1}
    return {**tree, name: _edited_skill(name, tree[name], edit)}


def _edited_skill(name: str, skill: Skill, edit: Edit) -> Skill:
    if edit.kind == "body":
        return replace(skill, body=_other(BODIES, skill.body, edit.variant))
    if edit.kind == "description":
        return replace(skill, description=_other(DESCRIPTIONS[name], skill.description, edit.variant))
    if edit.kind == "spaces":
        return replace(skill, spaces=not skill.spaces)
    if edit.kind in ("page", "remove page"):
        pages, page = dict(skill.pages), _pick(REFERENCES, edit.place)
        version = pages.pop(page, edit.variant) + 1
        added = {page: version % 3} if edit.kind == "page" else {}
        return replace(skill, pages=tuple(sorted({**pages, **added}.items())))
    return replace(skill, cases=_edited_cases(skill.cases, edit))


def _edited_cases(cases: tuple[Case, ...], edit: Edit) -> tuple[Case, ...]:
    if edit.kind == "add case":
        free = next(f"c{number}" for number in range(100) if f"c{number}" not in {case.id for case in cases})
        return (*cases, Case(free, _pick(PROMPTS, edit.variant), edit.place % 2 == 0, _expected(edit.place)))[:4]
    if not cases or edit.kind not in ("prompt", "check", "polarity", "remove case"):
        return cases
    at = edit.place % len(cases)
    old = cases[at]
    new = {
        "prompt": (replace(old, prompt=_other(PROMPTS, old.prompt, edit.variant)),),
        "check": (replace(old, expected=_expected(edit.variant)),),
        "polarity": (replace(old, should_trigger=not old.should_trigger),),
        "remove case": (),
    }[edit.kind]
    return (*cases[:at], *new, *cases[at + 1 :])


def _expected(variant: int) -> str | None:
    return (*EXPECTED, None)[variant % (len(EXPECTED) + 1)]


def _pick(pool: tuple[str, ...], number: int) -> str:
    return pool[number % len(pool)]


def _other(pool: tuple[str, ...], current: str, number: int) -> str:
    """One of the pool that is not the current one."""
    return _pick(tuple(each for each in pool if each != current), number)


def touch(workspace: Workspace) -> None:
    """Give every file of the packages another time."""
    for path in workspace.root.glob("b*/**/*"):
        later = path.stat().st_mtime + 7
        os.utime(path, (later, later))


def delete_samples(workspace: Workspace, prompt: str) -> None:
    """Remove what the store holds for a prompt, whatever was on offer."""
    for key in workspace.root.glob(".selftune/samples/*/*/key.json"):
        if json.loads(key.read_text())["prompt"] == prompt:
            shutil.rmtree(key.parent)
