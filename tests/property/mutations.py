"""Single changes of a workspace, each with the codes of which `--locked` has to say one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selftune_build.lock.rendering import canonical

TREE, KEY, GONE, MORE = "tree-changed", "key-changed", "case-missing", "case-extra"
TAMPERED, MALFORMED, FUTURE, MISSING = "lock-tampered", "lock-malformed", "lock-from-the-future", "lock-missing"
POLICY, AGENT, INPUT = "policy-changed", "agent-changed", "bad-input"

Write = Callable[[Path], None]


@dataclass(frozen=True)
class Mutation:
    """One change: what it does to which file, and the codes one of which names its reason."""

    name: str
    path: str
    write: Write
    codes: frozenset[str]
    whole: bool = False
    """Whether files beside the named one change, too, so that the folder has to be made anew afterwards."""


def written(content: bytes) -> Write:
    """Replace the file."""
    return lambda path: (path.unlink(missing_ok=True), path.write_bytes(content))[0]


# Files of the tree


def of_file(root: Path, path: str, codes: frozenset[str], every: int) -> Iterator[Mutation]:
    """Every `every`th byte another one, doubled and gone; and what people do to a whole file."""
    content = (root / path).read_bytes()
    for place in range(0, len(content), every):
        other = bytes([content[place] ^ 0x01])
        for name, changed in (
            ("another byte", content[:place] + other + content[place + 1 :]),
            ("a byte less", content[:place] + content[place + 1 :]),
            ("a byte twice", content[:place] + content[place : place + 1] + content[place:]),
        ):
            yield Mutation(f"{path}: {name} at {place}", path, written(changed), codes)
    for name, changed in (("empty", b""), ("longer", content + b"\n\nmore\n"), ("CRLF", content.replace(b"\n", b"\r\n"))):
        if changed != content:
            yield Mutation(f"{path}: {name}", path, written(changed), codes)
    yield Mutation(f"{path}: executable", path, lambda file: file.chmod(0o755), codes, whole=True)
    yield Mutation(f"{path}: gone", path, lambda file: file.unlink(), codes, whole=True)
    yield Mutation(
        f"{path}: renamed", path, lambda file: (file.rename(file.with_name("other-" + file.name)), None)[1], codes, True
    )
    yield Mutation(
        f"{path}: a link", path, lambda file: (file.rename(file.with_name("real")), file.symlink_to("real"))[1], codes, True
    )


def of_new_files(folder: str) -> Iterator[Mutation]:
    """A file more, with and without anything in it, in every place that a skill knows."""
    for place in (
        "new.md",
        "references/new.md",
        "scripts/new.py",
        "evals/new.json",
        "tests/new.yaml",
        "assets/a b.bin",
        ".hidden",
    ):
        for content in (b"", b"new\n"):
            yield Mutation(
                f"{folder}/{place} with {len(content)} bytes",
                f"{folder}/{place}",
                written(content),
                frozenset({TREE, INPUT}),
                True,
            )


# Cases


def of_cases(path: str, document: dict[str, Any], others: frozenset[str]) -> Iterator[Mutation]:
    """Each case asked otherwise, judged otherwise, under another name, gone, twice under two names."""

    def changed(name: str, cases: list[Any], codes: set[str]) -> Mutation:
        content = json.dumps({**document, "cases": cases}).encode()
        return Mutation(f"{path}: {name}", path, written(content), frozenset(codes))

    cases = document["cases"]
    for index, case in enumerate(cases):
        before, after = cases[:index], cases[index + 1 :]
        yield changed(f"{case['id']} gone", [*before, *after], {MORE} | others)
        yield changed(f"{case['id']} renamed", [*before, {**case, "id": "other"}, *after], {GONE})
        yield changed(f"{case['id']} twice", [*cases, {**case, "id": "second"}], {GONE})
        asked = {"prompt": case["prompt"] + "!"} if "prompt" in case else {"stdin": "more"}
        yield changed(f"{case['id']} with another question", [*before, {**case, **asked}, *after], {KEY})
        yield changed(f"{case['id']} with another limit", [*before, {**case, "timeout_s": 9}, *after], {KEY, INPUT})
        if "should_trigger" in case:
            yield changed(
                f"{case['id']} turned", [*before, {**case, "should_trigger": not case["should_trigger"]}, *after], {KEY}
            )
            without = {name: value for name, value in case.items() if name != "should_trigger"}
            yield changed(f"{case['id']} without polarity", [*before, without, *after], {KEY, MORE})
        for check in ({"contains": "other"}, {"regex": "a+"}):
            more = {**case, "checks": [*case.get("checks", []), check]}
            yield changed(f"{case['id']} also judged by {check}", [*before, more, *after], {KEY, GONE})
        for number in range(len(case.get("checks", ()))):
            left = [each for place, each in enumerate(case["checks"]) if place != number]
            yield changed(f"{case['id']} judged without check {number}", [*before, {**case, "checks": left}, *after], {KEY, MORE})


# The lock


def of_lock(path: str, content: bytes, other: bytes) -> Iterator[Mutation]:
    """Every scalar another one, every part gone or moved, every line gone, twice and in another place; other files."""
    document = json.loads(content)
    for place, value in _scalars(document):
        for name, changed in _others(value):
            yield Mutation(
                f"{path}: {'/'.join(place)} {name}", path, written(canonical(_with(document, place, changed))), _codes(place)
            )
    yield from _parts(path, document)
    yield from _lines(path, content)
    malformed = frozenset({MALFORMED})
    bad = {
        "empty": b"",
        "rubbish": b"x",
        "a list": b"[]\n",
        "cut": content[: len(content) // 2],
        "CRLF": content.replace(b"\n", b"\r\n"),
        "compact": json.dumps(document).encode(),
        "a mark in front": b"\xef\xbb\xbf" + content,
        "more behind": content + b"\n",
    }
    for name, changed in bad.items():
        yield Mutation(f"{path}: {name}", path, written(changed), malformed)
    yield Mutation(f"{path}: gone", path, lambda file: file.unlink(), frozenset({MISSING}), True)
    yield Mutation(f"{path}: of another skill", path, written(other), frozenset({TAMPERED}))
    yield Mutation(f"{path}: a folder", path, lambda file: (file.unlink(), file.mkdir())[1], malformed, True)
    conflict = b"<<<<<<< ours\n" + content + b"=======\n" + content + b">>>>>>> theirs\n"
    yield Mutation(f"{path}: markers", path, written(conflict), frozenset({"lock-conflict"}))


def _scalars(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _scalars(inner, (*place, name))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _scalars(inner, (*place, str(index)))
    else:
        yield place, value


def _others(value: Any) -> Iterator[tuple[str, Any]]:
    """Other values of the same kind, and of another one."""
    if isinstance(value, bool):
        yield "turned", not value
    elif isinstance(value, int):
        yield from (("one more", value + 1), ("one less", value - 1), ("much more", value + 1000), ("a text", str(value)))
    elif isinstance(value, str) and value.startswith("sha256:"):
        yield from (
            ("another digest", value[:-1] + ("0" if value[-1] != "0" else "1")),
            ("the digest of nothing", "sha256:" + "0" * 64),
        )
        yield from (("cut", value[:-1]), ("in capitals", value.upper()))
    elif isinstance(value, str):
        yield from (("longer", value + "x"), ("empty", ""), ("a number", 1))
        if value in ("pass", "fail", "inconclusive"):
            yield from ((word, word) for word in ("pass", "fail", "inconclusive") if word != value)
    yield "null", None


def _codes(place: tuple[str, ...]) -> frozenset[str]:
    """What names the reason, by the place: parts with a seal, and what follows from tree and manifest."""
    if place[0] == "policy":
        return frozenset({POLICY, MALFORMED})
    if place[-1] == "origin":
        return frozenset({AGENT, MALFORMED})
    if place[0] in ("version", "revision"):
        return frozenset({FUTURE, MALFORMED})
    return frozenset({TAMPERED, MALFORMED})


def _with(document: dict[str, Any], place: tuple[str, ...], value: Any) -> dict[str, Any]:
    copy = deepcopy(document)
    inner: Any = copy
    for name in place[:-1]:
        inner = inner[int(name)] if isinstance(inner, list) else inner[name]
    inner[int(place[-1]) if isinstance(inner, list) else place[-1]] = value
    return copy


def _parts(path: str, document: dict[str, Any]) -> Iterator[Mutation]:
    """Objects gone, under another name, and in the place of each other."""

    def changed(name: str, copy: dict[str, Any], *codes: str) -> Mutation:
        return Mutation(f"{path}: {name}", path, written(canonical(copy)), frozenset(codes))

    for agent, entry in document["agents"].items():
        copy = deepcopy(document)
        del copy["agents"][agent]
        yield changed(f"{agent} gone", copy, AGENT)
        copy = deepcopy(document)
        copy["agents"]["other"] = copy["agents"].pop(agent)
        yield changed(f"{agent} renamed", copy, TAMPERED, AGENT)
        for case, arms in entry["cases"].items():
            for arm, row in arms.items():
                copy = deepcopy(document)
                del copy["agents"][agent]["cases"][case][arm]
                if not copy["agents"][agent]["cases"][case]:
                    del copy["agents"][agent]["cases"][case]
                yield changed(f"{case}/{arm} gone", copy, GONE)
                for other, others in entry["cases"].items():
                    for place, there in others.items():
                        if there != row:
                            copy = deepcopy(document)
                            copy["agents"][agent]["cases"][other][place] = row
                            yield changed(f"{case}/{arm} in place of {other}/{place}", copy, TAMPERED)
            copy = deepcopy(document)
            copy["agents"][agent]["cases"]["more"] = arms
            yield changed(f"{case} under another name", copy, TAMPERED)
        for gate in entry["gates"]:
            copy = deepcopy(document)
            del copy["agents"][agent]["gates"][gate]
            yield changed(f"verdict of {gate} gone", copy, TAMPERED)
        copy = deepcopy(document)
        copy["agents"][agent]["gates"]["more"] = "pass"
        yield changed("a verdict more", copy, TAMPERED)


def _lines(path: str, content: bytes) -> Iterator[Mutation]:
    lines = content.splitlines(keepends=True)
    codes = frozenset({MALFORMED, TAMPERED, POLICY, AGENT, GONE})
    for index, line in enumerate(lines):
        for name, changed in (
            ("gone", [*lines[:index], *lines[index + 1 :]]),
            ("twice", [*lines[:index], line, *lines[index:]]),
            ("indented", [*lines[:index], b" " + line, *lines[index + 1 :]]),
            ("moved down", [*lines[:index], *lines[index + 1 : index + 2], line, *lines[index + 2 :]]),
        ):
            if changed != lines:
                yield Mutation(f"{path}: line {index + 1} {name}", path, written(b"".join(changed)), codes)
