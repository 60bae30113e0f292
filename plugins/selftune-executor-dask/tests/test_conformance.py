"""The executor against the suite that every one has to pass, with workers in processes of their own."""

from __future__ import annotations

from typing import Any

import pytest
from selftune_executor_dask import EXECUTOR

from selftune_build.testing import ExecutorContract


class TestDask(ExecutorContract):
    executor_type = EXECUTOR

    @pytest.fixture
    def url(self, cluster: Any) -> str:
        return str(cluster.url)
