"""Sharing through S3 on a network that fails: what was sent is there, what was taken is whole, and nothing waits for ever."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from selftune_build.sharing.patience import Patient
from selftune_build.sharing.remote import RemoteError
from selftune_build.sharing.url import seconds
from tests.cli.storing import SAMPLES, archives, clone, keys, paid_kitchen, store
from tests.fault.storage import Proxy, Rule, credentials, put
from tests.property.workspace import Workspace


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A store of eight samples; nothing here changes it."""
    return paid_kitchen(tmp_path_factory.mktemp("paid"))


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return keys(tmp_path_factory.mktemp("keys") / "k")


class Bucket:
    """A bucket of its own behind the proxy, and the two who share through it."""

    def __init__(self, name: str, server: int, proxy: Proxy, paid: Workspace, other: Workspace, key: tuple[Path, Path]) -> None:
        put(server, f"/{name}")
        self.name, self.server, self.proxy, self.paid, self.other, self.key = name, server, proxy, paid, other, key
        self.url = f"s3://{name}/samples-of-us"
        self.environment = credentials(proxy)

    def push(self) -> tuple[int, dict[str, Any]]:
        return store(self.paid, "push", self.url, "--key", str(self.key[0]), **self.environment)

    def pull(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        return store(self.other, "pull", self.url, "--trust", str(self.key[1]), *arguments, **self.environment)

    def pulls_everything(self) -> None:
        """The oracle: all samples arrive, sound."""
        assert self.pull("--remote-required")[1]["taken"] == SAMPLES
        assert store(self.other, "fsck")[1]["findings"] == []
        assert [path.read_bytes() for path in archives(self.other)] == [path.read_bytes() for path in archives(self.paid)]


@pytest.fixture
def bucket(server: int, proxy: Proxy, paid: Workspace, key: tuple[Path, Path], tmp_path: Path) -> Bucket:
    name = f"b{time.time_ns()}"
    return Bucket(name, server, proxy, paid, clone(paid, tmp_path / "elsewhere"), key)


def test_what_one_pushes_the_other_pulls_and_builds_for_nothing(bucket: Bucket) -> None:
    status, document = bucket.push()
    assert (status, document["sent"]) == (0, SAMPLES)
    assert bucket.push()[1]["there"] == SAMPLES
    assert set(bucket.proxy.asked("PUT", ".sample")) == {200}
    bucket.pulls_everything()
    for path in bucket.other.root.glob("*/selftune.lock"):
        path.unlink()
    assert bucket.other.build().calls == []


def test_every_upload_is_one_conditional_write(bucket: Bucket) -> None:
    bucket.proxy.rules = [Rule("PUT", ".sample", first=True)]
    status, document = bucket.push()
    assert (status, document["there"], document["sent"]) == (0, 1, SAMPLES - 1)
    assert bucket.proxy.asked("PUT", ".sample").count(412) == 1
    bucket.pulls_everything()


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_what_passes_is_borne(bucket: Bucket, status: int) -> None:
    bucket.proxy.rules = [
        Rule("PUT", ".sample", times=2, status=status),
        Rule("PUT", "records", status=status),
        Rule("GET", "list-type", status=status),
    ]
    assert bucket.push()[1]["sent"] == SAMPLES
    bucket.proxy.rules = [Rule("GET", ".sample", times=2, status=status), Rule("GET", "key.json", status=status)]
    bucket.pulls_everything()


def test_the_remote_says_how_long_to_wait(bucket: Bucket) -> None:
    bucket.proxy.rules = [Rule("PUT", "records", status=429, headers={"Retry-After": "2"})]
    start = time.monotonic()
    assert bucket.push()[1]["sent"] == SAMPLES
    assert time.monotonic() - start > 2


def test_nobody_waits_for_an_hour(bucket: Bucket) -> None:
    bucket.proxy.rules = [Rule("PUT", ".sample", times=99, status=429, headers={"Retry-After": "3600"})]
    status, document = bucket.push()
    assert (status, document["sent"] + document["failed"]) == (4, SAMPLES)
    assert "asks to come back in 3600 s" in document["trouble"]


def test_an_upload_whose_answer_was_lost_counts_as_done(bucket: Bucket) -> None:
    bucket.proxy.rules = [Rule("PUT", ".sample", times=3, lose=True), Rule("PUT", "key.json", lose=True)]
    status, document = bucket.push()
    assert (status, document["sent"] + document["there"]) == (0, SAMPLES)
    bucket.pulls_everything()


def test_a_download_that_breaks_off_is_asked_for_again(bucket: Bucket) -> None:
    bucket.push()
    bucket.proxy.rules = [Rule("GET", ".sample", times=3, cut=True), Rule("GET", "records", cut=True)]
    bucket.pulls_everything()


def test_a_push_that_fails_in_the_middle_goes_on_where_it_was(bucket: Bucket) -> None:
    bucket.proxy.rules = [Rule("PUT", f".{digit}", times=99, status=500) for digit in "0123456789abcdef"][:8]
    status, document = bucket.push()
    assert status == 4
    assert document["failed"] > 0
    before = document["sent"]
    bucket.proxy.rules = []
    status, document = bucket.push()
    assert (status, document["sent"], document["there"]) == (0, SAMPLES - before, before)
    bucket.pulls_everything()


def test_samples_come_after_what_they_need(bucket: Bucket) -> None:
    """Wherever an upload ends, no sample stands there without its records and its key."""
    bucket.push()
    paths = [path for method, path, status in bucket.proxy.requests if method == "PUT"]
    for position, path in enumerate(paths):
        if path.endswith(".sample"):
            assert f"{path.rpartition('/')[0]}/key.json" in paths[:position]
    assert max(number for number, path in enumerate(paths) if "/records/" in path) < len(paths) - 1


def test_what_is_listed_and_gone_is_missing_and_no_more(bucket: Bucket) -> None:
    bucket.push()
    bucket.proxy.rules = [Rule("GET", ".sample", times=1, status=404), Rule("HEAD", ".sample", times=1, status=404)]
    status, document = bucket.pull("--remote-required")
    assert status == 0
    assert {each["code"] for each in document["refused"]} == {"missing"}
    assert document["taken"] == SAMPLES - len(document["refused"])


def test_a_remote_that_is_down_is_a_warning_until_it_is_required(bucket: Bucket) -> None:
    bucket.push()
    bucket.proxy.rules = [Rule("GET", "", times=99, status=503)]
    status, document = bucket.pull()
    assert (status, document["taken"]) == (0, 0)
    assert "503" in document["trouble"]
    assert bucket.pull("--remote-required")[0] == 4


def test_a_bucket_that_is_not_there_and_a_user_who_may_not_are_told(bucket: Bucket) -> None:
    status, document = store(bucket.other, "pull", "s3://nothing-here/x", "--unsigned", "--remote-required", **bucket.environment)
    assert (status, "there is no bucket nothing-here" in document["trouble"]) == (4, True)
    bucket.proxy.rules = [Rule("PUT", "", times=99, status=403)]
    status, document = bucket.push()
    assert (status, document["failed"]) == (4, SAMPLES)
    assert len(bucket.proxy.asked("PUT", "")) < SAMPLES + 1


def test_waiting_grows_and_ends() -> None:
    waits: list[float] = []

    class Down:
        def list(self, prefix: str) -> dict[str, int]:
            raise RemoteError("down", transient=True)

        def get(self, name: str, limit: int) -> bytes | None:
            raise RemoteError("refused")

        def create(self, name: str, content: bytes) -> bool:
            raise RemoteError("busy", transient=True, retry_after_s=7.0)

    patient = Patient(Down(), waits.append)
    with pytest.raises(RemoteError, match="down"):
        patient.list("")
    assert len(waits) == 4
    assert waits[0] < waits[2]
    with pytest.raises(RemoteError, match="refused"):
        patient.get("x", 1)
    assert len(waits) == 4
    with pytest.raises(RemoteError, match="busy"):
        patient.create("x", b"")
    assert waits[4:] == [7.0] * 4


@pytest.mark.parametrize(
    ("text", "wait"),
    [("3", 3.0), ("0", 0.0), ("", None), ("soon", None), ("-1", None), ("1e9", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0)],
)
def test_retry_after_is_seconds_or_a_date(text: str, wait: float | None) -> None:
    assert seconds(text) == wait
