"""Workspaces of a given size, the same for everybody: packages of seven files of about 9 KB, all cases in one evals file."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
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


SIZES = {"S": Size(10, 20), "M": Size(100, 50), "L": Size(1000, 100)}


def write_workspace(root: Path, size: Size) -> None:
    """Write the packages, their manifest, a git repository around them, and the build file that ninja gets."""
    chance = random.Random(1)
    root.mkdir(parents=True)
    manifest = {"version": 1, "workspace": {"members": ["skills/*"]}, "defaults": {"competitors": "none", "gates": {"spec": {}}}}
    (root / "selftune.yaml").write_text(json.dumps(manifest))
    for number in range(size.packages):
        _write_package(root / "skills" / f"skill-{number:04}", size.cases, chance)
    (root / "build.ninja").write_text("\n".join(_ninja(root, size)) + "\n")
    (root / ".gitignore").write_text("out/\n.ninja_*\n")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(root)]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *arguments], check=True)


def build_once(root: Path) -> None:
    """Bring everything up to date. Raises CalledProcessError for exit statuses other than of a verdict."""
    ninja = shutil.which("ninja", path=str(Path(sys.executable).parent)) or "ninja"
    subprocess.run([ninja, "-C", str(root), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    argv = [sys.executable, "-m", "selftune_build", "build", "-q", "-C", str(root)]
    built = subprocess.run(argv, stdout=subprocess.DEVNULL)
    if built.returncode not in (0, 1, 3):
        raise subprocess.CalledProcessError(built.returncode, "selftune build")


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


def _ninja(root: Path, size: Size) -> list[str]:
    """One task for each case, then evals, unit tests, replay, baseline and package, and one that needs all packages."""
    lines = ["rule touch", "  command = touch $out", ""]
    ends = []
    for folder in sorted((root / "skills").iterdir()):
        at, out = f"skills/{folder.name}", f"out/{folder.name}"
        cases = [f"{out}/case-{number}" for number in range(size.cases)]
        lines += [f"build {case}: touch {at}/SKILL.md {at}/evals/evals.json" for case in cases]
        files = " ".join(f"{at}/{path.relative_to(folder).as_posix()}" for path in sorted(folder.rglob("*")) if path.is_file())
        before = " ".join(cases)
        for stage in ("evals", "unit-tests", "replay", "baseline", "package"):
            lines.append(f"build {out}/{stage}: touch {before} {files}")
            before = f"{out}/{stage}"
        ends.append(before)
    return [*lines, f"build out/all: touch {' '.join(ends)}"]
