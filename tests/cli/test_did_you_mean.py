"""A typo in a stage or an agent is answered with what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from selftune_build.__main__ import main


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["pdf:repaly"], "pdf:replay"),
        (["pdf:repaly[a]"], "pdf:replay[a]"),
        (["replya"], "replay"),
        (["pdff"], "pdf"),
        (["pdf", "--agent", "embeded"], "embedded"),
        (["pdf", "--agent", "huose"], "house"),
    ],
)
def test_a_typo_is_answered_with_what_was_meant(
    words: list[str], meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pdf").mkdir()
    (tmp_path / "pdf/SKILL.md").write_text("---\nname: pdf\ndescription: Fills forms.\n---\nFill.\n")
    agents = "version: 1\nagents: {house: {type: command, argv: [cat]}}\n"
    (tmp_path / "pdf/selftune.yaml").write_text(agents)
    monkeypatch.chdir(tmp_path)
    assert main(["build", *words]) in (2, 3)
    assert f"did you mean {meant!r}?" in capsys.readouterr().err
