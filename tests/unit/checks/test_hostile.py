"""Whatever an agent leaves behind and a stranger asks of it: a result, on one printable line, and soon."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selftune_build.checks.context import CheckContext, Command, CommandEnd
from selftune_build.checks.registry import FAMILIES, check_id, judge
from selftune_build.checks.weighing import check_ids, score
from selftune_build.errors import InputError
from selftune_build.limits import CHECK_EVIDENCE_CHARACTERS
from selftune_build.model.case import Arm, CaseFile, Check
from selftune_build.model.sample import FileChange, Reply, ToolCall, Transcript, Usage
from selftune_build.model.verdict import CheckResult
from selftune_build.reading.evals import read_eval_files

TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            *(
                "",
                "\x00",
                "\x1b[2J",
                "\u202e",
                "\ud800",
                "a" * 60 + "!",
                "NaN",
                "[" * 3000,
                '{"a": 1, "a": 2}',
                "1e999",
                "9" * 500,
            ),
            *(
                '{"a": {"b": [1, 2.5, null, true]}}',
                '```json\n{"a": 1}\n```',
                "```json\n[" * 30,
                "\r\n" * 50,
                '"\\ud800"',
                "{}",
                "[]",
            ),
        ]
    ),
)
PATTERNS = st.one_of(TEXTS, st.sampled_from(["^(a|a)*$", "(?R)", "(?:a{999}){999}", "[", "(?<=a+)b", "\\p{L}+", "(a)(?1)"]))
PATHS = st.sampled_from(
    ["out.json", "../secret", "/etc/passwd", "a/../../b", "out.json/", "C:\\x", "\x00", "*", "[a", "a" * 2000, "é"]
)
QUERIES = st.one_of(TEXTS, st.sampled_from(["$", "$..*", "/a/b/0", "/", "$..[?@.a == $]", "$[?search(@, '^(a|a)*$')]", "$['a']"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=8
)
SCHEMAS = st.one_of(
    st.booleans(),
    st.dictionaries(
        st.sampled_from(["type", "$ref", "pattern", "items", "anyOf", "properties", "enum", "minimum", "$id", "x"]), VALUES
    ),
    st.sampled_from([{"$ref": "#"}, {"$ref": "https://example.com/s"}, {"$id": "http://[", "$ref": "x"}, {"not": {"$ref": "#"}}]),
)
COUNTS = st.integers(min_value=0, max_value=10**9)
DECIMALS = st.sampled_from(["0", "0.5", "1", "0.000001"])
ARGV = st.lists(TEXTS, min_size=1, max_size=3)
NAMES = st.lists(TEXTS, min_size=1, max_size=4)


def fixed(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(strategies)


TEXT = st.fixed_dictionaries({"text": TEXTS}, optional={"ignore-case": st.booleans()})
PATTERN = st.fixed_dictionaries({"pattern": PATTERNS}, optional={"ignore-case": st.booleans()})
CALL = st.fixed_dictionaries(
    {"name": TEXTS},
    optional={"input-contains": TEXTS, "arguments": st.dictionaries(st.sampled_from(["/", "/a", "/a/0"]), PATTERNS)},
)
ANY_PARAMS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "contains": TEXT,
    "not-contains": TEXT,
    "regex": PATTERN,
    "not-regex": PATTERN,
    "stderr-contains": TEXT,
    "exit": fixed(status=COUNTS),
    "file-exists": fixed(path=PATHS),
    "file-absent": fixed(path=PATHS),
    "file-contains": fixed(path=PATHS, text=TEXTS),
    "file-not-contains": fixed(path=PATHS, text=TEXTS),
    "file-regex": fixed(path=PATHS, pattern=PATTERNS),
    "file-equals": st.one_of(fixed(path=PATHS, text=TEXTS), fixed(path=PATHS, base64=st.just("AP8="))),
    "json-path": st.one_of(
        st.fixed_dictionaries({"path": QUERIES}, optional={"equals": VALUES, "file": PATHS}),
        st.fixed_dictionaries({"path": QUERIES}, optional={"pattern": PATTERNS, "exists": st.just(False)}),
    ),
    "json-schema": st.one_of(
        st.fixed_dictionaries({"schema": SCHEMAS}, optional={"file": PATHS}),
        fixed(**{"schema-json": st.just('{"minimum": 0.5}')}),
    ),
    "command": st.fixed_dictionaries({"run": ARGV}, optional={"exit": COUNTS, "stdout-contains": TEXTS}),
    "score": fixed(run=ARGV, min=DECIMALS),
    "skill-invoked": st.fixed_dictionaries({}, optional={"skill": TEXTS}),
    "skill-not-invoked": st.fixed_dictionaries({}, optional={"skill": TEXTS}),
    "tool-called": CALL,
    "tool-not-called": CALL,
    "tool-count": st.fixed_dictionaries({"name": TEXTS}, optional={"min": COUNTS, "max": COUNTS}),
    "tool-order": fixed(names=NAMES),
    "tool-sequence": fixed(names=NAMES),
    "max-turns": fixed(value=COUNTS),
    "max-tokens": fixed(value=COUNTS),
    "max-seconds": fixed(value=COUNTS),
    "max-cost": fixed(usd=DECIMALS),
    "sentence": fixed(text=TEXTS),
    "unsupported": fixed(name=TEXTS, reason=TEXTS, content=TEXTS),
}
CONTENTS = st.one_of(st.none(), st.binary(max_size=40), TEXTS.map(lambda text: text.encode("utf-8", "replace")))
TRANSCRIPTS = st.builds(
    Transcript,
    reply=st.builds(
        Reply,
        output=TEXTS,
        skills_used=st.none() | st.lists(TEXTS).map(tuple),
        tool_calls=st.none() | st.lists(st.builds(ToolCall, name=TEXTS, input=st.dictionaries(TEXTS, VALUES))).map(tuple),
        usage=st.none()
        | st.builds(Usage, input_tokens=COUNTS, cost_usd=DECIMALS, unpriced=st.booleans(), turns=st.none() | COUNTS),
    ),
    files=st.lists(st.builds(FileChange, path=PATHS, content=CONTENTS), max_size=4).map(tuple),
    exit_status=st.none() | st.integers(-64, 255),
    stderr=TEXTS,
    limit=st.sampled_from([False, False, False, True]),
    milliseconds=st.none() | COUNTS,
)
ENDS = st.builds(CommandEnd, exit_status=st.none() | st.integers(-64, 255), stdout=TEXTS, stderr=TEXTS, reason=TEXTS)


def test_the_property_below_knows_every_kind() -> None:
    known = {kind for kind, family in FAMILIES.items() if not family.needs_judge} | {"sentence"}
    assert set(ANY_PARAMS) == known


@pytest.mark.parametrize("kind", sorted(ANY_PARAMS))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_check_on_no_transcript_raises_and_the_same_is_judged_the_same(kind: str, data: st.DataObject) -> None:
    check = Check(kind, data.draw(ANY_PARAMS[kind]))
    transcript, end = data.draw(TRANSCRIPTS), data.draw(ENDS)

    def execute(command: Command) -> CommandEnd:
        return end

    context = CheckContext("pdf", data.draw(st.sampled_from(list(Arm))), (CaseFile("out.json", b"{}"),), execute=execute)
    result = judge(check, transcript, context)
    assert isinstance(result, CheckResult)
    assert result.evidence.isprintable()
    assert len(result.evidence) <= CHECK_EVIDENCE_CHARACTERS
    assert check_id(check).isprintable()
    again = judge(check, transcript, context)
    assert again == result or "took" in result.evidence  # a search that was given up may be given up a little later


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../b", "C:\\x", "", "a\x00b"])
@pytest.mark.parametrize(
    "check",
    [
        {"file-equals": {"path": "PATH", "text": "x"}},
        {"file-equals": {"path": "x", "expected": "PATH"}},
        {"json-path": {"path": "$", "file": "PATH"}},
        {"json-schema": {"schema": {}, "file": "PATH"}},
    ],
)
def test_a_path_that_leads_out_is_refused_where_it_is_read(path: str, check: dict[str, dict[str, Any]]) -> None:
    ((kind, params),) = check.items()
    written = {kind: {name: path if value == "PATH" else value for name, value in params.items()}}
    suite = {"format": "selftune.evals/1", "cases": [{"id": "a", "prompt": "p", "checks": [written]}]}
    with pytest.raises(InputError):
        read_eval_files(["evals/a.json"], {"evals/a.json": json.dumps(suite).encode()}.__getitem__, True)


def test_a_path_in_a_transcript_names_a_file_of_the_transcript_and_nothing_on_this_machine() -> None:
    context = CheckContext("pdf", Arm.WITH_SKILL)
    check = Check("json-path", {"path": "$", "file": "/etc/passwd"})
    assert judge(check, Transcript(Reply("")), context) == CheckResult(False, "no file /etc/passwd")
    left = Transcript(Reply(""), files=(FileChange("/etc/passwd", b'{"a": 1}'),))
    assert judge(check, left, context).evidence == '$ of /etc/passwd is {"a":1}'


def test_ids_of_checks_are_made_of_what_they_say_and_stay_when_others_come_before() -> None:
    total, error = Check("contains", {"text": "Total"}), Check("not-contains", {"text": "error"}, id="no-error")
    ids = check_ids([total, error])
    assert ids[1] == "no-error"
    assert check_ids([error, Check("exit", {"status": 0}), total])[2] == ids[0]
    assert check_ids([total, total]) == (ids[0], f"{ids[0]}-2")
    assert len(set(check_ids([Check("contains", {"text": "Total"}, id=ids[0]), total]))) == 2


def test_checks_add_up_by_weight_and_what_is_not_measured_is_told_apart() -> None:
    checks = [
        Check("contains", {"text": "a"}, weight=3),
        Check("contains", {"text": "b"}),
        Check("sentence", {"text": "c"}, weight=2),
    ]
    results = [CheckResult(True, "e"), CheckResult(False, "e"), CheckResult(None, "e")]
    found = score(zip(checks, results, strict=True))
    assert (found.held, found.unknown, found.total) == (3, 2, 6)
