"""`selftune.yaml`: read and held against its schema, then laid over the workspace's defaults (DESIGN 8.2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from selftune_build.errors import InputError
from selftune_build.limits import MANIFEST_BYTES
from selftune_build.model.location import Location
from selftune_build.model.manifest import (
    AgentDefinition,
    Budget,
    GateSetting,
    JudgeSetting,
    Limits,
    Manifest,
    Policy,
    Samples,
    Waiver,
)
from selftune_build.reading.document import Document, pointer_of
from selftune_build.reading.schema import validate
from selftune_build.reading.strict_yaml import load
from selftune_build.relpath import fault, join, safe_glob

SCHEMA = "selftune-manifest-1"
_GLOB_KEYS = ("evals", "unit_tests", "exclude")
_SETTING_KEYS = frozenset(Manifest.__struct_fields__) - {"path", "accepted"}
_MERGED_KEYS: dict[str, Any] = {
    "samples": Samples,
    "limits": Limits,
    "budget": Budget,
    "gates": dict[str, GateSetting],
    "readers": dict[str, tuple[str, ...]],
    "policy": Policy,
}


class ManifestFile(Struct, frozen=True):
    """One `selftune.yaml` that fits its schema and names safe paths only."""

    document: Document

    @property
    def path(self) -> str:
        """The path it was read under, as locations show it."""
        return self.document.path

    @property
    def data(self) -> dict[str, Any]:
        """Its content, as plain data."""
        data: dict[str, Any] = self.document.data
        return data

    @property
    def is_workspace(self) -> bool:
        """Whether it makes its folder the root of a workspace."""
        return "workspace" in self.data

    def locate(self, pointer: str = "") -> Location:
        """Where the value under a JSON pointer starts."""
        return self.document.locate(pointer)

    def settings(self) -> tuple[str, ...]:
        """The package settings that stand at its top level, in their order there."""
        return tuple(key for key in self.data if key in _SETTING_KEYS or key == "accepted")


class _Layer(Struct, frozen=True):
    """The settings of one manifest, and where they stand."""

    file: ManifestFile
    data: dict[str, Any]
    pointer: str
    base: str


def read_manifest(content: bytes, path: str) -> ManifestFile:
    """A manifest from its bytes; `path` is how messages name it.

    Raises InputError with line, column, pointer and hint for whatever is not strict YAML, does not fit the schema, names an
    unsafe path or glob, or asks for more samples than its own maximum.
    """
    document = load(content, path, limit=MANIFEST_BYTES)
    validate(document, SCHEMA)
    file = ManifestFile(document)
    for pointer, settings in (("", file.data), ("/defaults", file.data.get("defaults", {}))):
        _check_paths(file, settings, pointer)
        _check_samples(file, settings.get("samples", {}), pointer)
    for index, pattern in enumerate(file.data.get("workspace", {}).get("members", ())):
        safe_glob(pattern, at=file.locate(f"/workspace/members/{index}"))
    return file


def effective(workspace: ManifestFile | None, package: ManifestFile | None, package_path: str) -> Manifest:
    """The settings of one package: its own over the workspace's `defaults` over the built-in ones.

    Mappings are merged key by key, one level deep (gates and agents by name), lists replace. `package_path` is the package's
    folder relative to the workspace. Raises InputError where a path leaves the workspace or the merged samples contradict.
    """
    layers = tuple(_layers(workspace, package, package_path))
    merged = _merge(layers)
    _check_merged_samples(merged.get("samples", Samples()), layers)
    waivers = tuple(msgspec.convert(waiver, Waiver) for waiver in package.data.get("accepted", ())) if package else ()
    return Manifest(**merged, accepted=waivers, path=package.path if package else None)


def _layers(workspace: ManifestFile | None, package: ManifestFile | None, package_path: str) -> Iterator[_Layer]:
    if workspace is not None:
        yield _Layer(workspace, workspace.data.get("defaults", {}), "/defaults", ".")
    if package is not None:
        own = {key: value for key, value in package.data.items() if key in _SETTING_KEYS}
        yield _Layer(package, own, "", package_path)


def _merge(layers: tuple[_Layer, ...]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    agents: dict[str, AgentDefinition] = {}
    for layer in layers:
        for key, value in layer.data.items():
            if key == "competitors":
                merged[key] = _competitors(layer)
            elif key == "agents":
                agents |= {name: _agent(definition, layer.base) for name, definition in value.items()}
            else:
                merged[key] = {**merged.get(key, {}), **value} if key in _MERGED_KEYS else value
    return {key: _typed(key, value) for key, value in merged.items()} | ({"agents": agents} if agents else {})


def _agent(definition: dict[str, Any], base: str) -> AgentDefinition:
    return msgspec.convert({**definition, "base": base}, AgentDefinition)


def _typed(key: str, value: Any) -> Any:
    """Raw data of one setting as the type that Manifest declares for it."""
    if key in _MERGED_KEYS:
        return msgspec.convert(value, _MERGED_KEYS[key])
    if key == "agent" and isinstance(value, str):
        return (value,)
    if key == "judge":
        return msgspec.convert({"agent": value} if isinstance(value, str) else value, JudgeSetting)
    return tuple(value) if isinstance(value, list) else value


def _competitors(layer: _Layer) -> str | int | tuple[str, ...]:
    value = layer.data["competitors"]
    if isinstance(value, dict):
        return int(value["nearest"])
    if isinstance(value, str):
        return value
    places = (layer.file.locate(f"{layer.pointer}/competitors/{index}") for index in range(len(value)))
    return tuple(join(layer.base, path, at=at) for path, at in zip(value, places, strict=True))


def _check_paths(file: ManifestFile, settings: dict[str, Any], pointer: str) -> None:
    lists = {key: settings.get(key, ()) for key in _GLOB_KEYS}
    lists |= {"readers" + pointer_of([name]): globs for name, globs in settings.get("readers", {}).items()}
    for key, patterns in lists.items():
        for index, pattern in enumerate(patterns):
            safe_glob(pattern, at=file.locate(f"{pointer}/{key}/{index}"))
    competitors = settings.get("competitors")
    for index, path in enumerate(competitors if isinstance(competitors, list) else ()):
        found = fault(path, climb=True)
        if found:
            raise InputError(found.message, at=file.locate(f"{pointer}/competitors/{index}"), hint=found.hint, code="unsafe-path")


def _check_samples(file: ManifestFile, samples: dict[str, Any], pointer: str) -> None:
    if "min" in samples and "max" in samples and samples["min"] > samples["max"]:
        raise _contradiction(samples["min"], samples["max"], file.locate(f"{pointer}/samples/min"))


def _check_merged_samples(samples: Samples, layers: tuple[_Layer, ...]) -> None:
    if samples.min <= samples.max:
        return
    layer = next(layer for layer in reversed(layers) if {"min", "max"} & layer.data.get("samples", {}).keys())
    raise _contradiction(samples.min, samples.max, layer.file.locate(f"{layer.pointer}/samples"))


def _contradiction(least: int, most: int, at: Location) -> InputError:
    message = f"samples.min is {least}, more than samples.max, which is {most}"
    return InputError(message, at=at, hint="raise `max` or lower `min`", code="samples-contradict")
