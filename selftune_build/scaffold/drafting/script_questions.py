"""Unit tests that a model drafts and criticises, from the texts of the scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from selftune_build.engine.paying.completing import Completer, Completion
from selftune_build.fence import MATERIAL, cut, sections
from selftune_build.limits import (
    CASE_CHECKS,
    DRAFTED_CONTEXT_CHARACTERS,
    DRAFTED_SCRIPT_CHARACTERS,
    DRAFTED_SKILL_CHARACTERS,
    DRAFTED_TESTS,
)
from selftune_build.reading.scripts import Script, scripts
from selftune_build.relpath import fault as path_fault
from selftune_build.scaffold.drafting.briefing import data, skill_data
from selftune_build.scaffold.drafting.drafts import Rejection
from selftune_build.scaffold.drafting.generation import Situation
from selftune_build.scaffold.drafting.phrasing import printable
from selftune_build.scaffold.drafting.script_cases import ScriptCase, fault, new_ones
from selftune_build.scaffold.drafting.two_questions import CRITIQUE_ANSWER, CRITIQUE_SCHEMA, Sieve, TwoQuestions, numbered

MOST = 10
"""Cases, unless the user names another number."""
_KINDS = ("contains", "not-contains", "regex", "stderr-contains", "exit", "file-exists", "file-absent", "file-contains")


def ask_for_tests(
    situation: Situation, completer: Completer, seed: int, most: int | None
) -> tuple[list[ScriptCase], list[Rejection]]:
    """The unit tests that drafting and critique leave, and what was rejected; none where there is no script.

    Raises UndecidedError where the agent gives no valid answer, StoreError where one cannot be kept.
    """
    if not scripts(situation.package):
        return [], []
    sieve = Sieve()
    kept = _questions(situation, seed, most).ask(completer, sieve)
    limit = MOST if most is None else most
    for each in kept[limit:]:
        sieve.reject(each.shown, "test", "there are enough")
    return kept[:limit], sieve.rejected


def missing_tests(situation: Situation, completer: Completer, seed: int, most: int | None) -> int:
    """How many questions have no answer in the store yet. Asks nobody."""
    return _questions(situation, seed, most).missing(completer) if scripts(situation.package) else 0


def _questions(situation: Situation, seed: int, most: int | None) -> TwoQuestions[ScriptCase]:
    known = {script.path: script for script in scripts(situation.package)}
    return TwoQuestions(
        draft=_draft(situation, known, seed, MOST if most is None else most),
        read=lambda answer: [_case(test, known) for test in answer["tests"]],
        sift=lambda drafts, sieve: _sifted(drafts, known, situation, sieve),
        critique=lambda sifted: _critique(situation, known, sifted, seed),
        shown=lambda each: (each.shown, "test"),
    )


def _case(test: Mapping[str, Any], known: Mapping[str, Script]) -> ScriptCase:
    """A test as our format spells it; of an unknown script the program is left empty, and the case is rejected later."""
    script = known.get(test["script"])
    return ScriptCase(
        run=(script.program if script else "", test["script"], *test["args"]),
        checks=tuple(_check(check) for check in test["checks"]),
        source=_line(test["why"]),
        stdin=test["stdin"],
        files=tuple({"dest": file["dest"], "content": file["content"]} for file in test["files"]),
    )


def _check(check: Mapping[str, Any]) -> dict[str, Any]:
    kind, value, path = check["kind"], check["value"], check["path"]
    if kind == "exit":
        return {kind: int(value) if value.isascii() and value.isdigit() and len(value) <= 3 else value}
    if kind in ("file-exists", "file-absent"):
        return {kind: path}
    return {kind: {"path": path, "text": value}} if kind == "file-contains" else {kind: value}


def _line(text: str) -> str:
    return printable(text[:DRAFTED_CONTEXT_CHARACTERS]).rstrip(".") or "Drafted without a reason"


def _sifted(drafts: Sequence[ScriptCase], known: Mapping[str, Script], situation: Situation, sieve: Sieve) -> list[ScriptCase]:
    readable = []
    for each in drafts:
        why = _why_not(each, known, situation)
        if why is None:
            readable.append(each)
        else:
            sieve.reject(each.shown, "test", why)
    kept = new_ones(readable, situation)
    for each in readable:
        if not any(each is other for other in kept):
            sieve.reject(each.shown, "test", "another test runs the same")
    return kept


def _why_not(each: ScriptCase, known: Mapping[str, Script], situation: Situation) -> str | None:
    """Why a draft is no unit test of this package, None for one that is."""
    if each.run[1] not in known:
        return "it runs something else than a script of the skill"
    outside = next((word for word in each.run[2:] if _leaves(word)), None)
    if outside is not None:
        return f"it reaches out of its folder: {outside}"
    if any(path_fault(file["dest"]) is not None for file in each.files):
        return "it places a file out of its folder"
    return fault(each, situation.package.name)


def _leaves(word: str) -> bool:
    """Whether an argument, or the value of an option, names a place outside of the workspace."""
    value = word.rpartition("=")[2]
    return value.startswith(("/", "~")) or ".." in value.replace("\\", "/").split("/") or "://" in value


def _draft(situation: Situation, known: Mapping[str, Script], seed: int, most: int) -> Completion:
    existing = [" ".join(case.run) for case in situation.existing if case.is_script]
    prompt = sections(
        _TASK,
        f"Write {2 * most} tests, the most telling first.",
        _MATERIALS,
        MATERIAL,
        skill_data(situation.package),
        *_sources(known),
        data("tests that exist already", "\n".join(existing)) if existing else "",
        f"Seed: {seed}. Another seed asks for another choice of tests.",
        'Answer with JSON alone: {"tests": [{"script", "args", "stdin", "files", "checks", "why"}, …]}',
    )
    return Completion(prompt, _SCHEMA)


def _critique(situation: Situation, known: Mapping[str, Script], drafts: Sequence[ScriptCase], seed: int) -> Completion:
    shown = (
        {"run": each.run, "stdin": each.stdin, "files": each.files, "checks": each.checks, "why": each.source} for each in drafts
    )
    prompt = sections(
        _CRITIQUE, MATERIAL, skill_data(situation.package), *_sources(known), numbered(shown), f"Seed: {seed}.", CRITIQUE_ANSWER
    )
    return Completion(prompt, CRITIQUE_SCHEMA)


def _sources(known: Mapping[str, Script]) -> list[str]:
    """The texts of the scripts, together no longer than a brief may be."""
    shown, room = [], 2 * DRAFTED_SKILL_CHARACTERS
    for script in known.values():
        text = cut(script.text, max(0, min(room, DRAFTED_SCRIPT_CHARACTERS)))
        room -= len(text)
        shown.append(data(f"script {printable(script.path)}", text))
    return shown


_TASK = """\
You write unit tests for the scripts that an agent skill brings along. Each test runs one script in an empty folder that holds
only the files which the test places there, and checks how it ended, what it printed, and what files it left."""

_MATERIALS = f"""\
- `script`: the path of the script as given; `args`: its arguments, one a word, no shell; `stdin`: text or "".
- `files`: small files that the script works on, {{"dest": relative path, "content": text}}. Nothing else is there.
- `checks`: {{"kind", "value", "path"}} with kind one of {", ".join(_KINDS)}. `value` is the text, pattern or exit status;
  `path` is a relative path for the kinds about files, else "".
- Derive every expected value from the text of the script: what it computes, prints and refuses. Cover ordinary use, edge cases
  and errors. No network, no keys, no clock, no chance, nothing outside of the folder.
- `why`: what the test shows, in one short sentence."""

_CRITIQUE = """\
You review unit tests that somebody else wrote for the scripts of an agent skill. Each runs one script in an empty folder that
holds only the test's files. Keep a test only if all of this holds: by the text of the script every check must come out as
stated; it would fail if the script were broken in the way it is about; it needs no network, key, clock, chance or file beside
its own; no other test that you keep shows the same. Give one verdict for every number."""

_TEXT = {"type": "string"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}


def _list(items: dict[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "maxItems": most, "items": items}


_SCHEMA = _object(
    tests=_list(
        _object(
            script=_TEXT,
            args=_list(_TEXT, CASE_CHECKS),
            stdin=_TEXT,
            files=_list(_object(dest=_TEXT, content=_TEXT), CASE_CHECKS),
            checks=_list(_object(kind={"type": "string", "enum": list(_KINDS)}, value=_TEXT, path=_TEXT), CASE_CHECKS),
            why=_TEXT,
        ),
        DRAFTED_TESTS,
    )
)
