"""Which profile a case runs under, and what that does to its key."""

from __future__ import annotations

from selftune_build.fingerprint.keys import Question, static_inputs
from selftune_build.model.case import Case, Check
from selftune_build.model.manifest import Limits
from selftune_build.stages.row import profile_of

HOST = {"plugin": "claude", "profiles": {"package": ["Bash"], "routing": ["Read"]}}
CHECK = Check("contains", {"text": "x"})


def test_only_a_case_about_triggering_alone_is_routed_and_only_where_the_agent_can() -> None:
    assert profile_of(Case("a", "p", should_trigger=True), HOST) == "routing"
    assert profile_of(Case("a", "p", should_trigger=False), HOST) == "routing"
    assert profile_of(Case("a", "p", should_trigger=True, checks=(CHECK,)), HOST) == "package"
    assert profile_of(Case("a", "p", checks=(CHECK,)), HOST) == "package"
    assert profile_of(Case("a", "p"), HOST) == "package"
    assert profile_of(Case("a", "p", should_trigger=True), {"plugin": "embedded", "cache_version": "1"}) == "package"
    assert profile_of(Case("a", "p", should_trigger=True), {"plugin": "x", "profiles": ["routing"]}) == "package"


def test_the_profile_is_in_the_key_only_where_it_is_not_the_default() -> None:
    case = Case("a", "p", should_trigger=True)
    assert "profile" not in static_inputs(Question(case, Limits(), agent=HOST))
    assert static_inputs(Question(case, Limits(), agent=HOST, profile="routing"))["profile"] == "routing"
