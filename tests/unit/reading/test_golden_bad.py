"""Every bad manifest of `tests/golden/bad` is refused with one exact message that names place and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from selftune_build.errors import InputError
from selftune_build.reading.manifest import read_manifest

BAD = Path(__file__).parents[2] / "golden" / "bad"
FILES = sorted(BAD.glob("*.yaml"))


def test_there_is_a_bad_manifest_for_every_rule_and_an_expected_message_for_each() -> None:
    assert len(FILES) >= 100
    assert sorted(file.stem for file in FILES) == sorted(file.stem for file in BAD.glob("*.txt"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_bad_manifest_is_refused_with_place_and_remedy(file: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_manifest(file.read_bytes(), file.name)
    error = caught.value
    assert error.exit_status == 2
    assert error.at is not None
    assert error.at.line is not None
    assert error.at.column is not None
    assert error.at.pointer is not None
    assert error.hint
    assert f"{error.at}: {error.message} / {error.hint}\n" == file.with_suffix(".txt").read_text(encoding="utf-8")
