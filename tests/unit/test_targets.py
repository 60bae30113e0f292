"""What a written target names."""

from __future__ import annotations

import pytest

from selftune_build.graph.targets import stage_of, without_case


@pytest.mark.parametrize(
    ("target", "whole", "stage"),
    [
        ("pdf:replay", "pdf:replay", "replay"),
        ("pdf:replay[a]", "pdf:replay", "replay"),
        ("skills/pdf:unit-tests[a:b[c]]", "skills/pdf:unit-tests", "unit-tests"),
        ("gates", "gates", "gates"),
    ],
)
def test_a_target_is_read_without_its_case(target: str, whole: str, stage: str) -> None:
    assert (without_case(target), stage_of(target)) == (whole, stage)
