"""JSON in answers and files: taken out of text strictly, compared and quoted as JSON, not as Python."""

from __future__ import annotations

import json
import re
from typing import Any

from msgspec import Struct

from selftune_build.checks.context import CheckContext, failed, not_measured, read_file
from selftune_build.errors import InputError
from selftune_build.limits import CHECK_JSON_BYTES
from selftune_build.model.case import Arm, Check
from selftune_build.model.sample import Transcript
from selftune_build.model.verdict import CheckResult
from selftune_build.reading import json_text

_FENCE = re.compile(r"^(`{3,}|~{3,})[^\n`]*\n(.*?)^\1[`~]*[ \t]*$", re.MULTILINE | re.DOTALL)
_FENCES_READ = 50
_TWICE = "json-duplicate-key"
_BEYOND_US = frozenset({"json-too-deep", "json-huge-integer", "json-huge-number"})


class Found(Struct, frozen=True):
    """A JSON value and what it was read from, in words."""

    value: Any
    source: str


def json_of(check: Check, transcript: Transcript, context: CheckContext) -> Found | CheckResult:
    """The JSON that a check looks at: the file in `params["file"]`, else the answer (of a script: stdout).

    An answer is one JSON value as a whole, or it holds exactly one fenced block that is. Where there is none: a result that
    says why, failed where it is not JSON or a key stands twice in it (readers differ on which one counts), not measured
    where it is more than is read here.
    """
    path = check.params.get("file")
    if path is None:
        source = "stdout" if context.arm is Arm.SCRIPT else "the answer"
        return _in_text(transcript.reply.output.encode("utf-8", "surrogatepass"), source)
    content = read_file(path, transcript, context)
    return failed(f"no file {path}") if content is None else _whole(content, path)


def same(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal: 1 is 1.0 and is not true. Depth is bounded by the reader."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right) and not (isinstance(left, (dict, list)) or isinstance(right, (dict, list)))


def shown(value: Any) -> str:
    """A value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parameter(check: Check, name: str) -> Any:
    """A parameter that is any JSON value; one with fractions is kept as JSON text, since keys hold no floats."""
    text = check.params.get(f"{name}-json")
    return check.params[name] if text is None else json.loads(text)


def has_parameter(check: Check, name: str) -> bool:
    """Whether the check has that parameter, in either spelling."""
    return name in check.params or f"{name}-json" in check.params


def _in_text(content: bytes, source: str) -> Found | CheckResult:
    whole = _whole(content, source)
    if isinstance(whole, Found) or len(content) > CHECK_JSON_BYTES:
        return whole
    text = content.decode("utf-8", "replace").replace("\r\n", "\n")
    blocks = [block[2] for block, _ in zip(_FENCE.finditer(text), range(_FENCES_READ), strict=False)]
    found = [
        block for block in (_whole(block.encode(), f"the block in {source}") for block in blocks) if isinstance(block, Found)
    ]
    if len(found) > 1:
        return failed(f"{source} holds {len(found)} blocks of JSON")
    return found[0] if found else whole


def _whole(content: bytes, source: str) -> Found | CheckResult:
    if len(content) > CHECK_JSON_BYTES:
        return not_measured(f"{source} is longer than the {CHECK_JSON_BYTES} bytes that are read as JSON")
    try:
        document = json_text.load(content, source, wild=True, limit=CHECK_JSON_BYTES)
    except InputError as problem:
        told = f"{source} is not JSON: {problem.message}"
        return not_measured(told) if problem.code in _BEYOND_US else failed(told)
    twice = [finding for finding in document.findings if finding.code == _TWICE]
    return failed(f"{source}: {twice[0].message}") if twice else Found(document.data, source)
