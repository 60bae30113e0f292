"""What agents around a real host program have in common: finding it, logging in, confining it, reading its event stream."""

from __future__ import annotations

from selftune_build.agents.hosts.completing import COMPLETE_PROMPT, with_schema
from selftune_build.agents.hosts.diagnosis import diagnose
from selftune_build.agents.hosts.host import Host, HostAgent, Invocation, Session, type_of
from selftune_build.agents.hosts.login import Login, LoginFile, Variable
from selftune_build.agents.hosts.program import Program
from selftune_build.agents.hosts.refusal import refusal, seconds
from selftune_build.agents.hosts.stream import Opening, Stream, bounded, called_names, refusals_in
from selftune_build.agents.hosts.uses import Tools, Use, activated, calls_of, files_read, refused

__all__ = [
    "COMPLETE_PROMPT",
    "Host",
    "HostAgent",
    "Invocation",
    "Login",
    "LoginFile",
    "Opening",
    "Program",
    "Session",
    "Stream",
    "Tools",
    "Use",
    "Variable",
    "activated",
    "bounded",
    "called_names",
    "calls_of",
    "diagnose",
    "files_read",
    "refusal",
    "refusals_in",
    "refused",
    "seconds",
    "type_of",
    "with_schema",
]
