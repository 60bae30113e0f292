"""What agents around a real host program have in common: finding it, logging in, confining it, reading its event stream."""

from __future__ import annotations

from selftune_build.agents.hosts.diagnosis import diagnose
from selftune_build.agents.hosts.host import Host, HostAgent, Invocation, Session
from selftune_build.agents.hosts.login import Login, LoginFile, Variable
from selftune_build.agents.hosts.program import Program
from selftune_build.agents.hosts.stream import Opening, Stream, called_names, refusals_in

__all__ = [
    "Host",
    "HostAgent",
    "Invocation",
    "Login",
    "LoginFile",
    "Opening",
    "Program",
    "Session",
    "Stream",
    "Variable",
    "called_names",
    "diagnose",
    "refusals_in",
]
