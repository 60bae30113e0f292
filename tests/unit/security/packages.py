"""Packages of a few files to look at, as a build would read them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

from selftune_build.engine.load import load_universe
from selftune_build.engine.security import Inspection, inspect_package
from selftune_build.model.finding import Finding
from selftune_build.stages.spec_rules.second_opinion import SecondOpinion

Files = Mapping[str, str | bytes]
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def skill(body: str = "Fill in the form.", **keys: str) -> str:
    """A SKILL.md with these keys; `_` in a name stands for a hyphen."""
    front = {"name": "forms", "description": "Fills in forms."} | {key.replace("_", "-"): value for key, value in keys.items()}
    return "\n".join(["---", *(f"{key}: {value}" for key, value in front.items()), "---", body, ""])


def inspected(folder: Path, files: Files, others: tuple[str, ...] = ()) -> Inspection:
    """What is found in a package of these files; a SKILL.md that is none of them is an ordinary one."""
    root = folder / "forms"
    for path, content in {"SKILL.md": skill(), **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
    (package,) = load_universe(root, lambda *_: SecondOpinion(True)).packages
    return inspect_package(package, others)


def findings(folder: Path, files: Files, others: tuple[str, ...] = ()) -> dict[str, Finding]:
    """The first finding of each code that the gate counts."""
    found: dict[str, Finding] = {}
    for one in inspected(folder, files, others).counted:
        found.setdefault(one.code, one)
    return found


def github_token(body: str = "k3Vq9ZtR7wLx2MbN5cYhJ8dFgS4pAe") -> str:
    """A token of the form that GitHub issues, its checksum right; put together here so that no scanner finds it in this file."""
    rest, digits = zlib.crc32(body.encode()), ""
    while rest:
        rest, digit = divmod(rest, 62)
        digits = _BASE62[digit] + digits
    return "gh" + "p_" + body + digits.rjust(6, "0")


def tagged(text: str) -> str:
    """The text in tag characters, which nobody sees."""
    return "".join(chr(0xE0000 + ord(letter)) for letter in text)
