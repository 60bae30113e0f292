"""Samples on a Dask cluster: `selftune build verify --executor dask://HOST:PORT`."""

from __future__ import annotations

from collections.abc import Iterable

from selftune_build.plugins import Executor, ExecutorType, hookimpl


def _open(url: str) -> Executor:
    from selftune_executor_dask.executor import DaskExecutor

    return DaskExecutor(url)


EXECUTOR = ExecutorType("dask", _open, "the workers of a Dask cluster, by the address of its scheduler: dask://HOST:PORT")


@hookimpl
def selftune_executors() -> Iterable[ExecutorType]:
    """`dask`."""
    return [EXECUTOR]
