"""The canonical encoding is that of the standard library, whatever encodes it: keys of released versions depend on it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftune_build.fingerprint.digest import canonical_json
from selftune_build.lock.rendering import canonical

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
def test_it_is_what_the_standard_library_writes(value: Any) -> None:
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    assert canonical_json(value) == written.encode()


@given(st.dictionaries(TEXTS, PLAIN, max_size=4))
def test_a_lock_document_is_rendered_as_the_standard_library_indents_it(document: dict[str, Any]) -> None:
    written = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    assert canonical(document) == written.encode() + b"\n"


@pytest.mark.parametrize("odd", [1.5, float("nan"), b"bytes", {1, 2}, object()], ids=["float", "nan", "bytes", "set", "object"])
def test_what_is_no_plain_data_is_refused_wherever_it_stands(odd: object) -> None:
    for value in (odd, [odd], {"a": [{"b": odd}]}):
        with pytest.raises(TypeError):
            canonical_json(value)
