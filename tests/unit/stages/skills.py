"""Short ways to write a SKILL.md and to judge it."""

from __future__ import annotations

from pathlib import Path

from selftune_build.model.finding import Finding
from selftune_build.model.package import TreeFile
from selftune_build.reading.skill import read_skill
from selftune_build.stages.spec import check_spec
from selftune_build.stages.spec_rules.catalogue import Profile
from selftune_build.stages.spec_rules.second_opinion import SecondOpinion

ROOT = Path(__file__).parents[3]
FILES = ("SKILL.md", "scripts/run.py", "references/forms.md", "references/deep/xfa.md")


def check(
    content: str | bytes,
    folder: str = "pdf",
    profile: Profile = "hosts",
    files: tuple[str, ...] = FILES,
    second_opinion: SecondOpinion | None = None,
) -> tuple[Finding, ...]:
    """The findings of the stage on a SKILL.md in a folder with these files."""
    raw = content.encode() if isinstance(content, str) else content
    reading = read_skill(raw, "SKILL.md", folder)
    tree = [TreeFile(path, "sha256:0", 1) for path in files]
    return check_spec(
        reading.skill, reading.findings, tree, folder, profile, locations=reading.locations, second_opinion=second_opinion
    )


def skill(body: str = "Do it.", **keys: str) -> str:
    """A SKILL.md with these further keys, `_` in them standing for a hyphen."""
    frontmatter = {"name": "pdf", "description": "Reads forms."} | {key.replace("_", "-"): value for key, value in keys.items()}
    return "\n".join(["---", *(f"{key}: {value}" for key, value in frontmatter.items()), "---", body, ""])


def severities(found: tuple[Finding, ...]) -> dict[str, str]:
    """Severity by code."""
    return {one.code: one.severity.value for one in found}
