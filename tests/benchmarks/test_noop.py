"""The benchmark of builds with nothing to do, on the small workspace."""

from __future__ import annotations

import pytest

from tests.benchmarks import noop


@pytest.mark.benchmark
def test_a_build_with_nothing_to_do_is_measured_against_its_peers() -> None:
    lines = noop.main("S", "3")
    print("\n".join(lines))
    names = [line.split(" | ")[0].strip("| ") for line in lines[2:]]
    assert names[:4] == ["`python -S -c pass`", "`python -c pass`", "`git status`", "`ninja`"]
    assert names[4:] == ["`selftune build`", "`selftune build`, no state", "`selftune build --locked`"]
