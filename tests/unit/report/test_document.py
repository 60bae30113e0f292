"""The JSON document of a command."""

from __future__ import annotations

import pytest

from selftune_build.report.document import envelope


@pytest.mark.parametrize(("status", "ok"), [(0, "true"), (1, "false"), (3, "false")])
def test_schema_and_status_come_before_the_fields(status: int, ok: str) -> None:
    document = envelope("selftune.some/1", status, name="pdf")
    assert document == f'{{\n "schema": "selftune.some/1",\n "ok": {ok},\n "exit_code": {status},\n "name": "pdf"\n}}'


def test_what_no_reader_of_json_takes_is_never_written() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        envelope("selftune.some/1", 0, value=float("nan"))
