"""The one renderer of errors."""

from __future__ import annotations

import json

from selftune_build.errors import InputError
from selftune_build.model.location import Location
from selftune_build.report.errors import render_json, render_text


def test_message_place_and_fix_stand_on_a_line_each() -> None:
    error = InputError("bad", at=Location("a.yaml", 2, 5, "/x"), hint="mend it")
    assert render_text(error) == "error: bad\n  at a.yaml:2:5 (/x)\n  fix: mend it"


def test_what_is_not_known_is_left_out() -> None:
    assert render_text(InputError("bad")) == "error: bad"


def test_a_message_cannot_forge_lines_or_colours() -> None:
    error = InputError("bad\nerror: forged\x1b[31m", at=Location("a\nb"), hint="x\u202ey")
    lines = render_text(error).split("\n")
    assert len(lines) == 3
    assert "\x1b" not in lines[0]
    assert "\u202e" not in lines[2]


def test_the_document_holds_code_place_fix_and_exit_status() -> None:
    document = json.loads(render_json(InputError("bad", at=Location("a.yaml", 2, 5, "/x"), hint="mend it", code="odd")))
    assert document == {
        "schema": "selftune.error/1",
        "ok": False,
        "exit_code": 2,
        "error": {"code": "odd", "message": "bad", "path": "a.yaml", "line": 2, "column": 5, "pointer": "/x", "fix": "mend it"},
    }
