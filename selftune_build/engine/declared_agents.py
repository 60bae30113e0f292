"""What `selftune doctor` can say of the commands that a workspace declares as agents: nobody is asked anything."""

from __future__ import annotations

import shutil
from pathlib import Path

from selftune_build.agents.builtin import make_agent
from selftune_build.agents.protocol import Diagnosis
from selftune_build.engine.places import inside
from selftune_build.errors import SelftuneError
from selftune_build.model.manifest import Manifest
from selftune_build.model.package import MANIFEST_FILE
from selftune_build.reading.manifest import effective
from selftune_build.reading.workspace import Workspace, find_workspace, manifest_at


def declared_commands(start: Path) -> dict[str, Diagnosis]:
    """By name, the commands declared under `agents:` by the workspace around a folder, or by one of its packages.

    Empty where there is no workspace that can be read: other commands say why.
    """
    try:
        workspace = find_workspace(start)
        manifests = [_manifest(workspace, member) for member in workspace.members]
        return {name: found for manifest in manifests for name, found in _commands(manifest, workspace.root).items()}
    except SelftuneError:
        return {}


def _manifest(workspace: Workspace, member: str) -> Manifest:
    at_root = workspace.manifest_file if member == "." else None
    own = at_root or manifest_at(workspace.root / member, inside(member, MANIFEST_FILE))
    return effective(workspace.manifest_file, own, member)


def _commands(manifest: Manifest, root: Path) -> dict[str, Diagnosis]:
    names = [name for name, definition in manifest.agents.items() if definition.type == "command"]
    return {name: _diagnosis(name, manifest, root) for name in names}


def _diagnosis(name: str, manifest: Manifest, root: Path) -> Diagnosis:
    trouble = make_agent(name, manifest, root, manifest.model).unavailable()
    definition = manifest.agents[name]
    declared = definition.argv[0] if definition.argv else ""
    program = shutil.which(declared) or shutil.which(root / definition.base / declared)
    if trouble is None:
        return Diagnosis(program)
    return Diagnosis(program, problems=(trouble,), next_step=f"mend `agents: {name}` in {MANIFEST_FILE}")
