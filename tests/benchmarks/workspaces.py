"""Workspaces of a given size, the same for everybody: packages of seven files of about 9 KB, all cases in one evals file."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

from msgspec import Struct

FILE_BYTES = 9_000
_WORDS = (
    *("alpha", "beta", "gamma", "delta", "report", "table", "column", "total", "invoice", "ledger"),
    *("paper", "margin", "header", "footer", "chart", "legend", "scale", "figure"),
)


class Size(Struct, frozen=True):
    """How many packages with how many cases each."""

    packages: int
    cases: int


SIZES = {"S": Size(10, 20), "M": Size(100, 50), "L": Size(1000, 100), "XL": Size(2000, 100)}


def write_workspace(root: Path, size: Size) -> None:
    """Write the packages and their manifest."""
    chance = random.Random(1)
    root.mkdir(parents=True)
    manifest = {"version": 1, "workspace": {"members": ["skills/*"]}, "defaults": {"competitors": "none", "gates": {"spec": {}}}}
    (root / "selftune.yaml").write_text(json.dumps(manifest))
    (root / ".gitignore").write_text("out/\n.ninja_*\n.doit.db*\n__pycache__\n")
    for number in range(size.packages):
        _write_package(root / "skills" / f"skill-{number:04}", size.cases, chance)


def commit(root: Path) -> None:
    """A git repository around everything, committed."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(root)]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *arguments], check=True)


def edit_body(root: Path, number: int) -> None:
    """Change the body of one package, each time to something else."""
    path = root / "skills" / "skill-0003" / "SKILL.md"
    text = path.read_text().partition("\nEdit ")[0]
    path.write_text(f"{text}\nEdit {number} of the body.\n")


def _write_package(folder: Path, cases: int, chance: random.Random) -> None:
    name = folder.name
    head = f"---\nname: {name}\ndescription: Makes {' '.join(chance.sample(_WORDS, 6))} for {name}.\n---\n\n"
    _write(folder / "SKILL.md", head + _prose(chance, FILE_BYTES - 200))
    for reference in range(3):
        _write(folder / f"references/part-{reference}.md", _prose(chance, FILE_BYTES))
    for script in range(2):
        _write(folder / f"scripts/tool_{script}.py", "".join(f"# {line}\n" for line in _prose(chance, FILE_BYTES).splitlines()))
    entries = [_case(name, number, chance) for number in range(cases)]
    _write(folder / "evals/evals.json", json.dumps({"skill_name": name, "evals": entries}, indent=1))


def _case(name: str, number: int, chance: random.Random) -> dict[str, object]:
    """Half of the cases name the skill, the other half have nothing to do with it: every package passes."""
    wanted = number % 2 == 0
    subject = f"{name}: make {' '.join(chance.choices(_WORDS, k=8))}" if wanted else f"sing song {number} of penguins in snow"
    return {"id": number, "prompt": f"Case {number}, please {subject}", "should_trigger": wanted}


def _prose(chance: random.Random, size: int) -> str:
    lines = []
    while size > 0:
        line = " ".join(chance.choices(_WORDS, k=12)).capitalize() + ".\n"
        lines.append(line)
        size -= len(line)
    return "".join(lines)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
