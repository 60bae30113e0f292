"""What a stranger can hand over as a published skill: never a hang, never a bug, and nothing that does not fit together."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selftune_build.publish.attestation import attested
from selftune_build.publish.bundle import check_bundle, read_bundle
from tests.property.workspace import Workspace

ARCHIVE, ATTESTATION, LOCK = "brew.skill", "brew.skill.intoto.jsonl", "brew.skill.lock"
Statement = dict[str, Any]


@pytest.fixture(scope="module")
def published(live_kitchen: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what nobody signed."""
    out = tmp_path_factory.mktemp("out")
    workspace = Workspace(live_kitchen / "workspace", live_kitchen / "ledger")
    words = ("publish", "brew", "--out", str(out), "-C", str(workspace.root))
    assert workspace.selftune(*words)[0] == 0
    return out


def rewritten(published: Path, change: Callable[[Statement], Any]) -> list[str]:
    """Codes of what is found where the statement says something else, written as we write it."""
    bundle = read_bundle(published / ARCHIVE)
    statement = json.loads(base64.b64decode(json.loads(bundle.attestation)["payload"]))
    change(statement)
    payload = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    changed = type(bundle)(bundle.name, bundle.archive, attested(payload, None), bundle.lock)
    return [flaw.code for flaw in check_bundle(changed).flaws]


def _entry(statement: Statement) -> Statement:
    found: Statement = statement["predicate"]["contents"][0]
    return found


def _agent(statement: Statement) -> Statement:
    found: Statement = statement["predicate"]["agents"][0]
    return found


CHANGES: dict[str, tuple[Callable[[Statement], Any], list[str]]] = {
    "nothing": (lambda _: None, []),
    "executable": (lambda said: _entry(said).update(executable=True), ["contents-changed"]),
    "size": (lambda said: _entry(said).update(size=1), ["contents-changed"]),
    "another digest": (lambda said: _entry(said).update(sha256="0" * 64), ["contents-changed"]),
    "an entry less": (lambda said: said["predicate"]["contents"].pop(), ["contents-changed"]),
    "an entry twice": (lambda said: said["predicate"]["contents"].append(_entry(said)), ["contents-changed"]),
    "another skill": (lambda said: said["predicate"].update(skill="bake"), ["archive-changed", "tree-changed"]),
    "another origin": (lambda said: _agent(said).update(origin="recorded"), ["attestation-damaged"]),
    "another agent": (lambda said: _agent(said).update(name="other"), ["attestation-damaged"]),
    "another verdict": (lambda said: _agent(said)["gates"].update({"trigger-recall": "fail"}), ["attestation-damaged"]),
    "agents that are none": (lambda said: said["predicate"].update(agents="abc"), ["attestation-damaged"]),
    "agents that are numbers": (lambda said: said["predicate"].update(agents=[1, None]), ["attestation-damaged"]),
    "a predicate that is none": (lambda said: said.update(predicate=[]), ["attestation-damaged"]),
    "a subject twice": (lambda said: said["subject"].append({"name": "archive", "digest": {"sha256": "0"}}), ["archive-changed"]),
    "a subject without a name": (lambda said: said["subject"].append({"name": [], "digest": {}}), ["attestation-damaged"]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_statement_that_nobody_signed_has_to_fit_archive_and_lock(published: Path, name: str) -> None:
    change, codes = CHANGES[name]
    assert rewritten(published, change) == codes


def test_a_statement_that_reads_in_two_ways_is_damaged(published: Path) -> None:
    bundle = read_bundle(published / ARCHIVE)
    payload = base64.b64decode(json.loads(bundle.attestation)["payload"])
    for other in (b'{"_type":"x",' + payload[1:], payload.replace(b":", b": ", 1), b"[" * 100_000, b"\xff"):
        changed = type(bundle)(bundle.name, bundle.archive, attested(other, None), bundle.lock)
        assert [flaw.code for flaw in check_bundle(changed).flaws] == ["attestation-damaged"]


@pytest.mark.parametrize("part", [ARCHIVE, ATTESTATION, LOCK])
@pytest.mark.parametrize("kind", ["pipe", "link to itself", "device"])
def test_a_file_that_makes_a_reader_wait_is_refused(published: Path, tmp_path: Path, part: str, kind: str) -> None:
    for each in (ARCHIVE, ATTESTATION, LOCK):
        (tmp_path / each).write_bytes((published / each).read_bytes())
    place = tmp_path / part
    place.unlink()
    if kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(place.name if kind == "link to itself" else "/dev/zero")
    status, stdout, stderr = Workspace(tmp_path, tmp_path / "ledger").selftune("publish", "--check", str(tmp_path / ARCHIVE))
    assert (status, stdout, "cannot be read" in stderr) == (2, "", True)


def test_what_lies_elsewhere_may_be_named_by_a_link(published: Path, tmp_path: Path) -> None:
    for each in (ARCHIVE, ATTESTATION, LOCK):
        (tmp_path / each).symlink_to(published / each)
    assert check_bundle(read_bundle(tmp_path / ARCHIVE)).flaws == ()
