"""Cases that need a judge, and nobody who is named to judge them: said before anything is spent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.judging import SENTENCE, Bench

NEEDED = "1 case needs a judge and none is named: `judge:` in selftune.yaml"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A workspace of one package whose only case needs a judge."""
    return Bench(tmp_path)


@pytest.mark.parametrize("target", ["replay", "verify"])
def test_a_judge_that_nobody_names_is_missed_before_anybody_is_asked(target: str, bench: Bench) -> None:
    bench.manifest(judge=None)
    for command in (("build", target, "--dry-run"), ("plan", target)):
        assert NEEDED in " ".join(bench.run(*command).stdout.split())
    assert bench.calls == (0, 0)
    built = bench.run("build", target, "-y")
    assert NEEDED in built.stderr.splitlines()[0]
    assert "next: name a judge: `judge:` in selftune.yaml (docs/judges.md)" in built.stdout


def test_nothing_is_missed_where_one_is_named_or_none_is_needed(bench: Bench) -> None:
    assert "none is named" not in bench.run("plan").stdout
    bench.manifest(judge=None)
    bench.cases({**SENTENCE, "checks": [{"contains": "done"}]})
    assert "none is named" not in bench.run("plan").stdout


def test_a_judge_that_does_not_exist_is_an_error_also_while_nothing_needs_it(bench: Bench) -> None:
    bench.manifest(judge="nobody")
    bench.cases({**SENTENCE, "checks": [{"contains": "done"}]})
    built = bench.run("build", "-y")
    assert built.status != 0
    assert "nobody" in built.stdout + built.stderr
    assert bench.calls == (0, 0)
