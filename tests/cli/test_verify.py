"""`selftune verify`: the build, and how far each package is."""

from __future__ import annotations

import json

from tests.property.workspace import Workspace


def test_it_builds_with_every_option_and_then_says_how_far_each_package_is(fresh: Workspace) -> None:
    status, stdout, _ = fresh.selftune("verify", "brew", "-j", "2", "-C", str(fresh.root))
    assert status == 0
    lines = stdout.splitlines()
    assert "brew (house)  needs_live_evidence" in lines
    assert any(line.startswith("bake (house)  needs_") for line in lines)


def test_its_document_is_that_of_the_build_and_its_status_too(built: Workspace) -> None:
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")
    status, stdout, _ = built.selftune(
        "verify", "--locked", "--json", "--skill-path", str(built.root / "brew"), "-C", str(built.root)
    )
    assert status == json.loads(stdout)["exit_code"] == 1


def test_a_wrong_option_is_refused_as_by_build(built: Workspace) -> None:
    status, _, stderr = built.selftune("verify", "--fast", "-C", str(built.root))
    assert (status, "--fast" in stderr) == (2, True)
