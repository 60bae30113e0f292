"""What samples are staged with: shared records, each named by the digest of its content.

A workspace of a thousand skills stages a thousand names for every sample. Writing them into each archive would cost
more than the answers, so a sample names one *staged tree*, which names each package's facets by one digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from selftune_build.fingerprint.digest import ABSENT, digest_json
from selftune_build.model.package import Facets, Package

_FACETS = ("metadata", "body", "listing", "*")

Record = dict[str, object]
"""Plain JSON, stored under the digest of its canonical encoding."""


def facet_record(facets: Facets) -> Record:
    """The facets of one package, as they are archived."""
    return {
        "metadata": facets.metadata,
        "body": facets.body,
        "listing": facets.listing,
        "*": facets.everything,
        "files": dict(facets.files),
    }


def tree_record(packages: Iterable[Package]) -> Record:
    """Skill name → digest of its facet record, for everything that is staged together."""
    return {package.name: digest_json(facet_record(package.facets)) for package in packages}


def shown_record(packages: Iterable[Package]) -> Record:
    """Skill name → `metadata`: what a host shows before any skill is activated."""
    return {package.name: package.facets.metadata for package in packages}


def is_facet_record(record: Mapping[str, object]) -> bool:
    """Whether a record names facets: a store that somebody else wrote into may hold anything under a digest."""
    return all(facet in record for facet in (*_FACETS, "files"))


def facet_names(package: str, record: Mapping[str, object]) -> dict[str, str]:
    """`PKG:metadata`, `PKG:body`, `PKG:listing`, `PKG:*` and `PKG:file:PATH` with their digests."""
    names = {f"{package}:{facet}": str(record[facet]) for facet in _FACETS}
    files = record["files"]
    if isinstance(files, dict):
        names.update({f"{package}:file:{path}": str(digest) for path, digest in files.items()})
    return names


def digests_of(names: Iterable[str], today: Mapping[str, str]) -> dict[str, str]:
    """Today's digest of each name, sorted; `absent` for a file that is not there."""
    return {name: today.get(name, ABSENT) for name in sorted(names)}
