"""Locks to take apart: one that has everything, arbitrary ones, and their documents with seals that hold."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from selftune_build.lock.rendering import canonical, render
from selftune_build.lock.seal import SEAL, sealed
from selftune_build.model.lock import AgentEntry, Lock, Row
from selftune_build.model.manifest import Waiver

Document = dict[str, Any]
SCHEMA: Document = json.loads((Path(__file__).parents[3] / "schemas" / "selftune-lock-1.json").read_text())


def digest(character: str) -> str:
    """A digest that can be told apart."""
    return "sha256:" + character * 64


ROW = Row(digest("1"), ("pdf:body", "pdf:file:a.md"), 3, digest("2"), triggered=3, passed=2)
LOCK = Lock(
    package="pdf",
    tree=digest("a"),
    policy=digest("b"),
    agents={
        "house": AgentEntry(
            identity={"plugin": "command", "argv": ["python3", "agent.py"], "deterministic": True},
            origin="simulated",
            cases={
                "fill": {"with_skill": ROW, "without_skill": Row(digest("3"), (), 3, digest("4"), passed=0)},
                "chat": {"with_skill": Row(digest("5"), (), 3, digest("6"), triggered=0)},
                "pours": {"script": Row(digest("7"), ("pdf:*",), 1, digest("8"), passed=1)},
            },
            gates={"trigger-recall": "pass", "lift": "inconclusive"},
        ),
        "guest": AgentEntry(identity={"plugin": "guest", "model": "é"}, origin="live"),
    },
)

LATER = replace(
    LOCK,
    surface=("host:example.net", "script:scripts/fill.py", "tool:Bash(git:*)"),
    accepted=(Waiver("pdf:security[security-secret]", digest("c"), "It is revoked."),),
)
"""With what came with revision 2."""

SIGNED = replace(LATER, signatures={"e" * 64: "c2lnbmF0dXJl"})
"""With what came with revision 3."""


def document(lock: Lock = LOCK) -> Document:
    """A lock as plain data that can be changed."""
    parsed: Document = json.loads(render(lock))
    return parsed


def resealed(changed: Document) -> Document:
    """The document with the seal that each of its parts should have, wherever there is such a part."""
    copy = deepcopy(changed)
    package = copy.get("package")
    name = package.get("name") if isinstance(package, dict) else None
    if isinstance(package, dict):
        copy["package"] = sealed(package, "package")
    for agent, entry in copy["agents"].items() if isinstance(copy.get("agents"), dict) else ():
        if isinstance(entry, dict):
            _reseal_entry(name, agent, entry)
    for target, keys in copy["accepted"].items() if isinstance(copy.get("accepted"), dict) else ():
        for key, waiver in keys.items() if isinstance(keys, dict) else ():
            if isinstance(waiver, dict):
                keys[key] = sealed(waiver, "accepted", name, target, key)
    return copy


def _reseal_entry(package: Any, agent: str, entry: Document) -> None:
    if isinstance(entry.get("identity"), dict):
        entry["identity"] = sealed(entry["identity"], "identity", package, agent)
    for case, arms in entry["cases"].items() if isinstance(entry.get("cases"), dict) else ():
        for arm, row in arms.items() if isinstance(arms, dict) else ():
            if isinstance(row, dict):
                arms[arm] = sealed(row, package, agent, case, arm)


def written(changed: Document, *, seals: bool = True) -> bytes:
    """The canonical bytes of a document, its seals made to fit unless they are what is tested."""
    return canonical(resealed(changed) if seals else changed)


def parts(whole: Document) -> list[tuple[str, Document]]:
    """Every sealed part with the place that its seal names."""
    found = [("package", whole["package"])]
    for agent, entry in whole["agents"].items():
        found.append((f"identity of {agent}", entry["identity"]))
        found += [(f"{agent} {case} {arm}", row) for case, arms in entry["cases"].items() for arm, row in arms.items()]
    waivers = whole.get("accepted", {}).items()
    return found + [(f"accepted {target} {key}", keys[key]) for target, keys in waivers for key in keys]


_digests = st.text("0123456789abcdef", min_size=64, max_size=64).map(lambda digits: f"sha256:{digits}")
_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """Any row that can be."""
    n = draw(st.integers(1, 20))
    counts = st.integers(0, n) | st.just(UNSET)
    observed = tuple(sorted(draw(st.sets(_texts, max_size=4))))
    return Row(draw(_digests), observed, n, draw(_digests), triggered=draw(counts), passed=draw(counts))


_entries = st.builds(
    AgentEntry,
    identity=st.dictionaries(_texts.filter(lambda name: name != SEAL), _plain, max_size=4),
    origin=st.sampled_from(["live", "simulated", "recorded"]),
    cases=st.dictionaries(
        _texts,
        st.dictionaries(st.sampled_from(["with_skill", "without_skill", "script"]), rows(), min_size=1),
        max_size=4,
    ),
    gates=st.dictionaries(_texts, st.sampled_from(["pass", "fail", "inconclusive"]), max_size=3),
    extra=st.just({}),
)
locks = st.builds(
    Lock,
    package=_texts,
    tree=_digests,
    policy=_digests,
    agents=st.dictionaries(_texts, _entries, max_size=3),
    surface=st.sets(_texts, max_size=4).map(lambda names: tuple(sorted(names))),
    accepted=st.lists(
        st.builds(Waiver, target=_texts, key=_digests, reason=_texts), max_size=3, unique_by=lambda one: one.key
    ).map(lambda waivers: tuple(sorted(waivers, key=lambda one: (one.target, one.key)))),
    revision=st.just(1),
    extra=st.just({}),
    package_extra=st.just({}),
).map(lambda lock: replace(lock, revision=2 if lock.surface or lock.accepted else 1))
"""Any lock of the revisions that this release knows."""
