"""Commands to type next."""

from __future__ import annotations

from selftune_build.advice import command


def test_words_are_quoted_for_a_shell_and_the_place_comes_last() -> None:
    assert command("build", "pdf:replay[it's a]") == "selftune build 'pdf:replay[it'\"'\"'s a]'"
    assert command("eval list", "pdf", place="my skills") == "selftune eval list pdf -C 'my skills'"
