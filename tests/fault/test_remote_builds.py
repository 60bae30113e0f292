"""Builds that share through S3 on a network that fails: what can be had is not paid for, and a build never hangs on a remote."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from selftune_build.sharing import folder, s3
from selftune_build.sharing.folder import Folder
from selftune_build.sharing.patience import Patient
from selftune_build.sharing.remote import RemoteError, TooMuch
from selftune_build.sharing.url import Url
from tests.cli.storing import SAMPLES
from tests.cli.team import Team
from tests.fault.storage import Proxy, Rule, credentials, put


@pytest.fixture
def bucket(server: int) -> str:
    name = f"b{time.time_ns()}"
    put(server, f"/{name}")
    return name


@pytest.fixture
def team(tmp_path: Path, proxy: Proxy, bucket: str) -> Team:
    return Team(tmp_path, f"s3://{bucket}/skills", **credentials(proxy))


@pytest.fixture
def url(bucket: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Url:
    """The same bucket from inside, with two seconds for each question."""
    for name, value in credentials(proxy).items():
        monkeypatch.setenv(name, value)
    return Url(f"s3://{bucket}/skills", seconds=2)


def test_what_one_machine_paid_for_another_does_not_and_asks_only_for_its_own_keys(
    team: Team, proxy: Proxy, server: int, bucket: str
) -> None:
    for number in range(20):
        put(server, f"/{bucket}/skills/main/samples/{number:02x}/{number:064x}/x.sample", b"of others")
    assert len(team.machine("main", write="main").build().calls) == SAMPLES
    proxy.requests.clear()
    ada = team.machine("ada")
    done = ada.build()
    assert (done.calls, done.report["remote"]["taken"]) == ([], SAMPLES)
    listings = [path for method, path, _ in proxy.requests if method == "GET" and "list-type" in path]
    assert 0 < len(listings) <= SAMPLES
    assert all("samples%2F" in path and len(path.partition("prefix=")[2].partition("&")[0]) > 64 for path in listings)
    assert {method for method, _, _ in proxy.requests} == {"GET"}
    proxy.requests.clear()
    assert (ada.build().calls, ada.build("--locked").status, proxy.requests) == ([], 0, [])


def test_409_412_429_and_500_cost_time_and_no_call(team: Team, proxy: Proxy) -> None:
    proxy.rules = [
        Rule("PUT", ".sample", status=409),
        Rule("PUT", ".sample", first=True),
        Rule("PUT", ".sample", status=429, headers={"Retry-After": "1"}),
        Rule("PUT", "key.json", status=500),
        Rule("PUT", ".sample", lose=True),
    ]
    done = team.machine("main", write="main").build("--remote-required")
    assert (done.status, done.report["remote"]["unsent"]) == (0, 0)
    assert {409, 412, 429, 0} <= set(proxy.asked("PUT", ".sample"))
    proxy.rules = [
        Rule("GET", "list-type", status=429, headers={"Retry-After": "1"}),
        Rule("GET", "list-type", status=500),
        Rule("GET", ".sample", status=409),
        Rule("GET", ".sample", cut=True),
        Rule("GET", "records", status=503),
    ]
    done = team.machine("ada").build("--remote-required")
    assert (done.calls, done.report["remote"]["taken"], proxy.rules and proxy.rules[0].times) == ([], SAMPLES, 0)


def test_a_service_that_takes_nothing_fails_a_build_that_requires_it_and_the_next_one_makes_it_good(
    team: Team, proxy: Proxy
) -> None:
    proxy.rules = [Rule("PUT", "", times=999, status=403)]
    ci = team.machine("main", write="main")
    done = ci.build("--remote-required")
    assert (done.status, done.report["verdict"], len(done.calls)) == (4, "pass", SAMPLES)
    assert (done.report["remote"]["sent"], done.report["remote"]["unsent"]) == (0, SAMPLES)
    assert "403" in done.report["remote"]["trouble"]
    proxy.rules = []
    done = ci.build("--remote-required")
    assert (done.status, done.calls, done.report["remote"]["sent"]) == (0, [], SAMPLES)


def test_a_service_that_is_down_is_a_warning_and_paid_for_once(team: Team, proxy: Proxy) -> None:
    team.machine("main", write="main").build()
    proxy.rules = [Rule("GET", "", times=999, status=503)]
    ada = team.machine("ada")
    done = ada.build()
    assert (done.status, len(done.calls)) == (0, SAMPLES)
    assert "503" in done.stderr
    bob = team.machine("bob").build("--remote-required")
    assert (bob.status, bob.calls) == (4, [])


def test_a_service_that_answers_byte_by_byte_is_left_in_time(url: Url, proxy: Proxy, server: int, bucket: str) -> None:
    put(server, f"/{bucket}/skills/x", b"y" * 100)
    assert url.get("x", 100) == b"y" * 100
    proxy.rules = [Rule("GET", "x", drip=True), Rule("GET", "list-type", drip=True)]
    for ask in (lambda: url.get("x", 100), lambda: url.list("")):
        with pytest.raises(RemoteError, match="did not answer in time") as caught:
            ask()
        assert caught.value.transient


def test_patience_ends_with_the_clock_as_well() -> None:
    asked: list[float] = []
    clock = iter([0.0, 30.0, 61.0])

    class Slow:
        def reach(self) -> None:
            raise RemoteError("slow", transient=True)

        def folders(self, prefix: str) -> list[str]:
            raise RemoteError("slow", transient=True)

        def list(self, prefix: str) -> dict[str, int]:
            asked.append(0.0)
            raise RemoteError("slow", transient=True)

        def get(self, name: str, limit: int) -> bytes | None:
            return None

        def create(self, name: str, content: bytes) -> bool:
            return False

    with pytest.raises(RemoteError, match="slow"):
        Patient(Slow(), lambda _seconds: None, lambda: next(clock)).list("")
    assert len(asked) == 2


def test_of_an_object_that_is_too_large_no_more_is_asked_for_than_would_be_taken(
    url: Url, proxy: Proxy, server: int, bucket: str
) -> None:
    put(server, f"/{bucket}/skills/x", b"y" * 1_000_000)
    put(server, f"/{bucket}/skills/empty")
    with pytest.raises(TooMuch, match="larger than 10 bytes"):
        url.get("x", 10)
    assert proxy.sent < 10_000
    assert url.get("empty", 10) == b""
    assert url.get("nothing", 10) is None


PAGE = """<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>
{}</ListBucketResult>"""
NAMES = "".join(f"<Contents><Key>skills/main/{number}</Key><Size>1</Size></Contents>" for number in range(100))


@pytest.mark.parametrize("names", [NAMES, ""])
def test_a_listing_without_end_ends(url: Url, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, names: str) -> None:
    """A hundred names on each page, of which the second to last is never reached; or none at all."""
    monkeypatch.setattr(s3, "REMOTE_NAMES", 50 if names else 4_000)
    proxy.rules = [Rule("GET", "list-type", times=99, answer=PAGE.format(names).encode())]
    with pytest.raises(TooMuch):
        url.list("main")
    assert len(proxy.asked("GET", "list-type")) < 10


def test_a_folder_with_too_many_names_is_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "REMOTE_NAMES", 3)
    for number in range(4):
        (tmp_path / str(number)).touch()
    with pytest.raises(TooMuch):
        Folder(tmp_path).list("")


def test_a_place_with_too_many_names_hides_no_other(team: Team, proxy: Proxy) -> None:
    """One key of the remote is flooded by somebody who may write: the other seven are taken."""
    team.machine("main", write="main").build()
    flooded = PAGE.format("".join(f"<Contents><Key>skills/main/{n}</Key><Size>1</Size></Contents>" for n in range(1000)))
    first = next(path.rpartition("/")[0] for method, path, _ in proxy.requests if method == "PUT" and path.endswith(".sample"))
    prefix = first.partition("/skills/")[2].replace("/", "%2F")
    proxy.rules = [Rule("GET", f"prefix=skills%2F{prefix}", times=999, answer=flooded.encode())]
    done = team.machine("ada").build()
    assert (len(done.calls), done.report["remote"]["taken"]) == (1, SAMPLES - 1)
    assert "does not end" in done.report["remote"]["trouble"]
