"""Drafts of unit tests: a script of the skill, what it is given, what must come of it. A human reviews them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from selftune_build.errors import InputError
from selftune_build.limits import NAME_CHARACTERS
from selftune_build.model.case import Case
from selftune_build.model.finding import Severity
from selftune_build.reading.evals.identifiers import derived_id
from selftune_build.reading.evals.native import UNIT_TESTS
from selftune_build.reading.evals.suite import read_unit_tests
from selftune_build.reading.scripts import scripts
from selftune_build.scaffold.drafting.drafts import Rejection, listed
from selftune_build.scaffold.drafting.generation import Generated, Situation
from selftune_build.scaffold.drafting.phrasing import printable
from selftune_build.wording import counted

_FILE = "tests/draft.yaml"
_REVIEW = """\
# They run the scripts for real when they are built: read each before, and see that it needs no network, no key and no file
# that is not here. A test that fails shows a fault of the script, of the instructions, or of the test.
"""
FROM_WORDS = f"""\
# Written by `selftune eval unit-test --generate` from words alone: the texts of the scripts and of SKILL.md. No model was asked,
# nothing was run, and nobody has read it yet.
{_REVIEW}\
# These tests only show that the scripts start and know the options that SKILL.md names. Add what they should do: arguments,
# `files:` to work on, `contains:` and `file-contains:` to check.
"""
FROM_A_MODEL = f"""\
# Written by `selftune eval unit-test --generate`: a model drafted and criticised these tests. Nothing was run, and nobody has
# read them yet.
{_REVIEW}"""


class ScriptCase(Struct, frozen=True):
    """One script case in the spelling of our format; `source` says in words where it comes from."""

    run: tuple[str, ...]
    checks: tuple[dict[str, Any], ...]
    source: str
    stdin: str = ""
    files: tuple[dict[str, str], ...] = ()
    label: str = ""
    """What its id is made of instead of the command."""

    @property
    def id(self) -> str:
        """From what is run and what it is given: the same for the same call, whatever is checked."""
        words = [self.label] if self.label else self.run[1:]
        return derived_id(" ".join([*words, self.stdin, *(f"{file['dest']} {file['content']}" for file in self.files)]))

    @property
    def shown(self) -> str:
        """The call in one line."""
        return printable(" ".join(self.run))[:NAME_CHARACTERS]


def fault(drafted: ScriptCase, package: str) -> str | None:
    """Why the reader of unit tests would not take this case, None where it does."""
    try:
        reading = read_unit_tests([_FILE], lambda _: render([drafted], "", 0), True, package_name=package)
    except InputError as error:
        return error.message
    errors = [finding.message for finding in reading.findings if finding.severity is Severity.ERROR]
    return errors[0] if errors else None if reading.cases else "it holds no case"


def new_ones(drafts: Sequence[ScriptCase], situation: Situation) -> list[ScriptCase]:
    """The drafts that no existing case runs already, each once, their ids other than those taken."""
    seen = {_asked(case) for case in situation.existing if case.is_script}
    ids = set(situation.taken)
    kept = []
    for each in drafts:
        asked = (each.run, each.stdin, tuple((file["dest"], file["content"].encode()) for file in each.files))
        if asked not in seen and each.id not in ids:
            seen.add(asked)
            ids.add(each.id)
            kept.append(each)
    return kept


def generated(
    situation: Situation, drafts: Sequence[ScriptCase], head: str, seed: int, rejected: Sequence[Rejection] = ()
) -> Generated:
    """The file of these drafts."""
    covered = {word for each in drafts for word in each.run}
    count = sum(script.path in covered for script in scripts(situation.package))
    return Generated(
        package=situation.package,
        path=situation.path,
        content=render(drafts, head, seed) if drafts else b"",
        counts={"cases": len(drafts), "scripts": count},
        says=f"{counted(len(drafts), 'case')} for {counted(count, 'script')} of {situation.package.name}",
        notes=() if drafts else ("no script that could be tested: nothing below scripts/, nothing that SKILL.md names",),
        rejected=tuple(rejected),
    )


def render(drafts: Sequence[ScriptCase], head: str, seed: int) -> bytes:
    """The bytes of a file of unit tests; `head` is a comment of whole lines."""
    return (f"format: {UNIT_TESTS}\n{head}# seed: {seed}\ncases:\n" + listed(drafts, _entry)).encode()


def _entry(each: ScriptCase) -> str:
    lines = [f"  - id: {each.id}", f"    run: {_flow(each.run)}", "    tags: [generated]"]
    lines += [f"    stdin: {_flow(each.stdin)}"] if each.stdin else []
    lines += ["    files:", *(f"      - {_flow(file)}" for file in each.files)] if each.files else []
    return "\n".join([*lines, "    checks:", *(f"      - {_flow(check)}" for check in each.checks)])


def _flow(value: Any) -> str:
    """JSON, which is flow style of YAML as long as the strings hold nothing that only JSON can escape."""
    return json.dumps(value, ensure_ascii=False)


def _asked(case: Case) -> tuple[object, ...]:
    return (case.run, case.stdin, tuple((file.dest, file.content) for file in case.files))
