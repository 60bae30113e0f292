"""The facets of a package: one digest for each part that somebody can see on its own (DESIGN sections 3 and 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from selftune_build.fingerprint.digest import digest_json
from selftune_build.model.package import SKILL_FILE, Facets, Skill, TreeFile

SHOWN_KEYS: Mapping[str, str] = {
    "name": "in the list of skills that every host shows",
    "description": "in the list of skills, and what decides about activation",
    "when_to_use": "Claude Code appends it to the description in the list",
    "argument-hint": "shown in the menu of commands before one is chosen",
    "disable-model-invocation": "takes the skill out of the list that the model sees",
    "user-invocable": "takes the skill out of the menu that the user sees",
    "user-invokable": "older spelling of user-invocable",
    "paths": "files that must be in play before the skill is offered",
    "globs": "as paths, in rule formats that hosts also read here",
    "alwaysApply": "puts the whole skill into every session",
    "triggers": "words in the prompt that activate the skill without the model",
    "mode": "the host's mode in which the skill is offered",
    "modeSlugs": "as mode, a list",
    "platforms": "operating systems on which the skill is offered",
    "os": "as platforms",
    "requires": "programs and settings without which the skill is not offered",
    "enabled": "whether the skill is offered at all",
    "compatibility": "a host may leave out a skill whose needs it cannot meet",
}
"""Keys that a host shows or acts on before activation, each with the reason. A key that is in doubt belongs here: here
it costs a run too many, below it would let evidence stand that no longer holds.

Everything else acts once the skill is active and so belongs to `body`: allowed-tools (permissions while it is active),
model, effort, context, agent and arguments (how it then runs), hooks and shell (registered by activation), license, version.
"""

SIDECARS: Mapping[str, str] = {
    "agents/openai.yaml": "Codex reads name, icon and policy.allow_implicit_invocation from it before activation",
}
"""Files that act before activation; where there is one, its digest is part of `metadata`."""


def facets(skill: Skill, staged: Iterable[TreeFile]) -> Facets:
    """Digests of the parts of a staged package: white space at line ends, line ends, key order, quoting and comments of
    SKILL.md change none of them; every byte of every other file changes its own."""
    present = tuple(staged)
    files = {file.path: file_facet(file) for file in present if file.path != SKILL_FILE}
    metadata = digest_json(_metadata(skill, files))
    body = digest_json({"frontmatter": _rest(skill), "text": skill.body})
    listing = digest_json(sorted(file.path for file in present))
    everything = digest_json({"metadata": metadata, "body": body, "listing": listing, "files": files})
    return Facets(metadata=metadata, body=body, listing=listing, everything=everything, files=files)


def file_facet(file: TreeFile) -> str:
    """Digest of the bytes, with `+x` for an executable and `+link` for a symbolic link."""
    return file.digest + ("+x" if file.executable else "") + ("+link" if file.link else "")


def _metadata(skill: Skill, files: Mapping[str, str]) -> Any:
    keys = {key: value for key, value in skill.frontmatter.items() if key in SHOWN_KEYS}
    shown: dict[str, Any] = {"keys": keys | {"name": skill.name, "description": skill.description}}
    blocks = _host_blocks(skill)
    sidecars = {path: files[path] for path in SIDECARS if path in files}
    return _plain(shown | ({"metadata": blocks} if blocks else {}) | ({"files": sidecars} if sidecars else {}))


def _rest(skill: Skill) -> Any:
    """The other keys, and of `metadata` what only labels the package."""
    blocks = _host_blocks(skill)
    rest = {key: value for key, value in skill.frontmatter.items() if key not in SHOWN_KEYS}
    if blocks:
        rest["metadata"] = {key: value for key, value in skill.frontmatter["metadata"].items() if key not in blocks}
    return _plain(rest)


def _host_blocks(skill: Skill) -> dict[str, Any]:
    """Mappings and lists under `metadata`: there hosts look for conditions of loading (OpenClaw, Hermes); text is a label."""
    metadata = skill.frontmatter.get("metadata")
    if not isinstance(metadata, dict):
        return {}
    return {key: value for key, value in metadata.items() if isinstance(value, dict | list)}


def _plain(value: Any) -> Any:
    """Data that has a canonical encoding: floats as their text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return repr(value) if isinstance(value, float) else value
