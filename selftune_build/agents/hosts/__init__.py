"""What agents around a real host program have in common: finding it, logging in, confining it, reading its event stream."""

from __future__ import annotations

from selftune_build.agents.hosts.completing import COMPLETE_PROMPT, with_schema
from selftune_build.agents.hosts.diagnosis import diagnose
from selftune_build.agents.hosts.endpoint import URL, is_of_endpoint
from selftune_build.agents.hosts.host import Host, HostAgent, Invocation, Session, type_of
from selftune_build.agents.hosts.login import Login, LoginFile, Variable
from selftune_build.agents.hosts.messages import blocks, last_words, uses_of
from selftune_build.agents.hosts.program import Program
from selftune_build.agents.hosts.refusal import refusal, seconds
from selftune_build.agents.hosts.replying import closing_program, replied
from selftune_build.agents.hosts.search import stop_search
from selftune_build.agents.hosts.stream import Opening, Stream, bounded, called_names, records, refusals_in
from selftune_build.agents.hosts.uses import Tools, Use, activated, calls_of, files_read, refused
from selftune_build.agents.hosts.watching import refused_request, watched

__all__ = [
    "COMPLETE_PROMPT",
    "URL",
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
    "blocks",
    "bounded",
    "called_names",
    "calls_of",
    "closing_program",
    "diagnose",
    "files_read",
    "is_of_endpoint",
    "last_words",
    "records",
    "refusal",
    "refusals_in",
    "refused",
    "refused_request",
    "replied",
    "seconds",
    "stop_search",
    "type_of",
    "uses_of",
    "watched",
    "with_schema",
]
