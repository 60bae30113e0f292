"""`--executor URL`: whose workers take the samples of a build."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from selftune_build.errors import UsageError

if TYPE_CHECKING:
    from selftune_build.engine.executing.cluster import Cluster
    from selftune_build.plugins.registry import Plugins


def cluster_at(url: str, plugins: Plugins, root: Path, jobs: int | None) -> Cluster:
    """The workers behind a URL, not reached yet.

    Raises UsageError where no plugin supplies its scheme.
    """
    from selftune_build.engine.executing.cluster import Cluster
    from selftune_build.store.location import find_store

    scheme, separator, _ = url.partition("://")
    found = plugins.executors.get(scheme) if separator else None
    if found is None:
        hint = "such as --executor dask://HOST:PORT, with selftune-executor-dask installed; see `selftune plugins list`"
        raise UsageError(f"no executor is known for --executor {url!r}", hint=hint)
    return Cluster(url, found.open, find_store(root), root, jobs)
