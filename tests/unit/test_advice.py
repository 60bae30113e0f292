"""Commands to type next."""

from __future__ import annotations

from selftune_build.advice import command
from selftune_build.model.repeated import Repeated


def test_words_are_quoted_for_a_shell_and_the_place_comes_last() -> None:
    assert command("build", "pdf:replay[it's a]") == "selftune build 'pdf:replay[it'\"'\"'s a]'"
    assert command("eval list", "pdf", place="my skills") == "selftune eval list pdf -C 'my skills'"


def test_agents_are_repeated_for_the_verbs_that_ask_them() -> None:
    place = Repeated("there", ("house", "guest"), "large")
    for verb in ("build", "show", "explain"):
        assert command(verb, "pdf", place=place) == f"selftune {verb} pdf --agent house --agent guest --model large -C there"
    assert command("eval generate", "pdf", place=place) == "selftune eval generate pdf -C there"
