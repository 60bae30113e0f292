"""The suite that every agent has to pass, with the real programs."""

from __future__ import annotations

import tempfile

import pytest

from selftune_build.testing import AgentContract
from selftune_build.testing.model_server import ModelServer, Say, use_skill
from tests.hosts.hosts import Bench, agent_type


class TestHost(AgentContract):
    @pytest.fixture(autouse=True)
    def _host(
        self, host: str, server: ModelServer, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bench = Bench(tmp_path_factory.mktemp("bench"), host, server)
        for name, value in bench.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(tempfile, "tempdir", str(bench.temporary))
        server.script = use_skill("Greets people", lambda conversation, skill: Say("Good morning!"))
        type(self).agent_type, type(self).model = agent_type(host), bench.model
