"""`--executor URL`: whose workers take the samples of a build."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from selftune_build.errors import UsageError

if TYPE_CHECKING:
    from selftune_build.engine.executing.cluster import Cluster
    from selftune_build.plugins.registry import Plugins


@contextmanager
def cluster_at(url: str | None, plugins: Plugins, root: Path, jobs: int | None) -> Iterator[Cluster | None]:
    """The workers behind a URL, reached when a sample is missing and let go of in the end; None without one.

    Raises UsageError where no plugin supplies its scheme.
    """
    if url is None:
        yield None
        return
    from selftune_build.engine.executing.cluster import Cluster
    from selftune_build.store.location import find_store

    scheme, separator, _ = url.partition("://")
    found = plugins.executors.get(scheme) if separator else None
    if found is None:
        hint = "such as --executor dask://HOST:PORT, with selftune-executor-dask installed; see `selftune plugins list`"
        raise UsageError(f"no executor is known for --executor {url!r}", hint=hint)
    cluster = Cluster(url, found.open, find_store(root), root, jobs)
    try:
        yield cluster
    finally:
        cluster.close()
