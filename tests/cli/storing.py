"""A paid store for the tests of `selftune store`, and the words with which it is looked after."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema

from selftune_build.signing.keys import new_key
from selftune_build.store.archive import Archive, decode, encode
from tests.property.kitchen import kitchen
from tests.property.workspace import CHECKOUT, Workspace

SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "schemas/selftune-store-1.json").read_text())
SAMPLES = 8
PRICE = 0.0125
COSTING = ["python3", "-I", "-S", "tools/agent.py", "--cost", str(PRICE)]


def paid_kitchen(folder: Path, **agent: Any) -> Workspace:
    """Two packages, built by an agent that bills every call."""
    workspace = kitchen(folder / "workspace", folder / "ledger", **{"argv": COSTING, "free": False, **agent})
    assert workspace.build().status == 0
    return workspace


def store(workspace: Workspace, *arguments: str, **environment: str) -> tuple[int, dict[str, Any]]:
    """`selftune store … --json` on a workspace: exit status and document."""
    status, stdout, stderr = workspace.selftune("store", *arguments, "--json", "-C", str(workspace.root), environment=environment)
    assert "Traceback" not in stderr, stderr
    document = json.loads(stdout)
    assert document["exit_code"] == status
    if document["schema"].startswith("selftune.store-"):
        jsonschema.validate(document, SCHEMA)
    return status, document


def said(workspace: Workspace, *arguments: str, **environment: str) -> tuple[int, str]:
    """`selftune store …` for people: exit status, and everything it said."""
    status, stdout, stderr = workspace.selftune("store", *arguments, "-C", str(workspace.root), environment=environment)
    assert "Traceback" not in stderr, stderr
    return status, stdout + stderr


def archives(workspace: Workspace) -> list[Path]:
    """Every finished sample."""
    return [path for path in sorted((workspace.root / ".selftune/samples").glob("*/*/*.zst")) if ".err." not in path.name]


def archive(path: Path) -> Archive:
    """What a sample's file holds."""
    return decode(path.read_bytes(), Archive)


def put(path: Path, record: Archive) -> None:
    """Write a sample's file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(record))


def keys(folder: Path, name: str = "k") -> tuple[Path, Path]:
    """A new private key and the public one of it."""
    secret, public = new_key()
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.pem").write_bytes(secret)
    (folder / f"{name}.pub").write_bytes(public)
    return folder / f"{name}.pem", folder / f"{name}.pub"


def clone(workspace: Workspace, folder: Path) -> Workspace:
    """The same workspace on another machine: with its locks, and without its store."""
    shutil.copytree(workspace.root, folder / "workspace", symlinks=True, ignore=shutil.ignore_patterns(".selftune"))
    return Workspace(folder / "workspace", folder / "ledger")


def without_locks(workspace: Workspace) -> Workspace:
    """What has to be measured again, unless the store has it."""
    for path in workspace.root.glob("*/selftune.lock"):
        path.unlink()
    return workspace
