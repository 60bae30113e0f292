"""Keys in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from selftune_build.errors import InputError
from selftune_build.limits import KEY_FILE_BYTES
from selftune_build.signing.keys import new_key, public_key, signer


def test_a_key_that_goes_on_beyond_the_limit_is_refused_and_not_cut(tmp_path: Path) -> None:
    private, public = new_key()
    for content, read in ((private, signer), (public, public_key)):
        path = tmp_path / "key"
        path.write_bytes(content.ljust(KEY_FILE_BYTES, b"\n"))
        read(path)
        path.write_bytes(content.ljust(KEY_FILE_BYTES + 1, b"\n"))
        with pytest.raises(InputError, match="larger than"):
            read(path)
