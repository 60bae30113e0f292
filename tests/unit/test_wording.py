"""Numbers and lists in a sentence."""

from __future__ import annotations

import pytest

from selftune_build.wording import counted, listed


@pytest.mark.parametrize(("number", "said"), [(0, "0 calls"), (1, "1 call"), (2, "2 calls")])
def test_only_one_is_singular(number: int, said: str) -> None:
    assert counted(number, "call") == said


@pytest.mark.parametrize(
    ("names", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a, b"), (["a", "b", "c", "d"], "a, b and 2 more")]
)
def test_a_list_is_named_up_to_a_number_and_the_rest_is_counted(names: list[str], said: str) -> None:
    assert listed(names, 2) == said
