"""docs/formats/lock.md: a build of its example writes its lock, and a reader made from that page alone agrees with it.

The reader below imports nothing of the product.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.property.workspace import CHECKOUT, Workspace

PAGE = (CHECKOUT / "docs/formats/lock.md").read_text(encoding="utf-8")
SCHEMA = json.loads((CHECKOUT / "schemas/selftune-lock-1.json").read_text())
FILES = dict(re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
(TEXT,) = re.findall(r"^`selftune.lock` after `selftune build`:\n\n```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LOCK: dict[str, Any] = json.loads(TEXT)


def of_bytes(content: str) -> str:
    return "sha256:" + hashlib.sha256(content.encode()).hexdigest()


def of_data(data: object) -> str:
    return of_bytes(json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def sealed_parts() -> Iterator[tuple[list[str], dict[str, Any]]]:
    name = LOCK["package"]["name"]
    yield ["package"], LOCK["package"]
    for agent, entry in LOCK["agents"].items():
        yield ["identity", name, agent], entry["identity"]
        for case, arms in entry["cases"].items():
            yield from (([name, agent, case, arm], row) for arm, row in arms.items())


@pytest.fixture
def greet(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "greet", tmp_path / "ledger")
    for path, content in FILES.items():
        workspace.write(path, content)
    return workspace


def test_a_build_of_the_example_writes_the_lock_on_the_page(greet: Workspace) -> None:
    assert set(FILES) == {"SKILL.md", "agent.py", "selftune.yaml", "evals/evals.yaml"}
    assert greet.build().status == 0
    assert greet.read("selftune.lock") == TEXT
    assert greet.build("--locked").status == 0


def test_the_example_is_its_own_rendering_and_satisfies_the_schema() -> None:
    assert json.dumps(LOCK, indent=1, sort_keys=True, ensure_ascii=False) + "\n" == TEXT
    jsonschema.validate(LOCK, SCHEMA)


def test_its_seals_are_what_the_page_says() -> None:
    for place, part in sealed_parts():
        assert part["seal"] == of_data([place, {name: value for name, value in part.items() if name != "seal"}])


def test_its_tree_is_what_the_page_says() -> None:
    assert LOCK["package"]["tree"] == of_data([[path, of_bytes(FILES[path]), False, False] for path in sorted(FILES)])


def test_its_keys_are_what_the_page_says() -> None:
    entry = LOCK["agents"]["house"]
    metadata = of_data({"keys": {"name": "greet", "description": "Greets people by their name."}})
    body = of_data({"frontmatter": {}, "text": FILES["SKILL.md"].split("---\n")[2].rstrip()})
    agent = {f"agent {name}": value for name, value in entry["identity"].items() if name != "seal"}
    check = {"check 1": {"kind": "contains", "params": {"text": "Good morning"}}}
    asked = {"format": "selftune.key/1", "prompt": "Greet Ada", **agent}
    shown, alone = (of_data({**asked, "skills": of_data(skills)}) for skills in ({"greet": metadata}, {}))
    rows = entry["cases"]["ada"]
    assert rows["with_skill"]["observed"] == ["greet:body"]
    assert rows["with_skill"]["key"] == of_data({"asked": shown, "observed greet:body": body, **check, "should_trigger": True})
    assert rows["without_skill"]["key"] == of_data({"asked": alone, **check})


def test_every_code_on_the_page_is_one_that_refuses_or_leaves_undecided() -> None:
    from selftune_build.engine.report import REFUSING

    rows = PAGE.partition("| code | when |")[2].partition("\n\n")[0]
    assert {
        code for line in rows.splitlines() for code in re.findall(r"`([a-z-]+)`", line.split("|")[1] if "|" in line else "")
    } == {
        *REFUSING,
        "plugin-missing",
    }
