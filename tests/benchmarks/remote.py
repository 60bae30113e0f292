"""What sharing very many samples costs: `python -m tests.benchmarks.remote [SAMPLES [folder|s3|names]]` prints a table.

`folder` and `s3` (moto's server, in a process of its own) share sound, signed samples, three of each key. `names` shares nothing:
on both sides lie empty files named as so many samples are, which is all that `status`, and `pull` of what is here, may look at.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selftune_build.fingerprint.digest import canonical_json, digest_bytes, digest_json
from selftune_build.fingerprint.keys import call_id
from selftune_build.sharing.places import call_place, key_folder
from selftune_build.signing.keys import new_key
from selftune_build.store.archive import Archive, encode
from selftune_build.store.asked import KEY_NAME, render_asked
from tests.benchmarks.measuring import Contender, cost

SAMPLES_OF_A_KEY = 3
SAMPLES = 100_000
ANSWER = b'{"output": "' + bytes(range(97, 123)) * 20 + b'", "skills_used": ["brew"], "files_read": [], "tool_calls": []}'
BUCKET = "samples"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}


def inputs_of(number: int) -> dict[str, Any]:
    """What the key of this number is made of."""
    return {"format": "selftune.key/1", "prompt": f"Make coffee {number}", "agent plugin": "command", "agent model": "m"}


def write_samples(store: Path, samples: int) -> None:
    """A store with so many sound samples, all staged from one tree."""
    facets = {"metadata": digest_bytes(b"m"), "body": digest_bytes(b"b"), "listing": digest_bytes(b"l"), "files": {}}
    tree = {"brew": digest_json(facets)}
    for record in (facets, tree):
        _write(store / _record_path(digest_json(record)), canonical_json(record))
    for number in range(-(-samples // SAMPLES_OF_A_KEY)):
        inputs = inputs_of(number)
        key = digest_json(inputs)
        _write(store / key_folder(key) / KEY_NAME, render_asked(inputs))
        for index in range(min(SAMPLES_OF_A_KEY, samples - number * SAMPLES_OF_A_KEY)):
            sample = _sample(key, digest_json(tree), index)
            _write(store / f"{call_place(key, sample.call_id)}.zst", encode(sample))


def write_names(store: Path, remote: Path, samples: int) -> None:
    """Empty files on both sides, named as so many samples are."""
    for number in range(-(-samples // SAMPLES_OF_A_KEY)):
        key = digest_bytes(b"%d" % number)
        for side in (store, remote / "main"):
            _write(side / key_folder(key) / KEY_NAME, b"")
        for index in range(min(SAMPLES_OF_A_KEY, samples - number * SAMPLES_OF_A_KEY)):
            call = call_place(key, call_id(key, key, index))
            (store / f"{call}.zst").touch()
            (remote / "main" / f"{call}.{index:016x}.sample").touch()


def table(samples: int, kind: str) -> Iterator[str]:
    """The costs of each command, line by line: they take long."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "skill").mkdir()
        (folder / "skill/SKILL.md").write_text("---\nname: skill\ndescription: Makes coffee.\n---\n\nGrind the beans.\n")
        yield f"| {samples:,} samples, {kind} | wall s | CPU s | peak MiB |"
        yield "|---|---|---|---|"
        if kind == "names":
            write_names(folder / "here", folder / "there", samples)
            yield _line("status", folder, "here", ("status", str(folder / "there")), {})
            yield _line("pull, none new", folder, "here", ("pull", str(folder / "there"), "--unsigned"), {})
            return
        write_samples(folder / "here", samples)
        secret, public = new_key()
        (folder / "k.pem").write_bytes(secret)
        (folder / "k.pub").write_bytes(public)
        with _place(kind, folder) as (url, environment):
            for title, store, words in (
                ("push, all new", "here", ("push", url, "--key", str(folder / "k.pem"))),
                ("push, none new", "here", ("push", url, "--key", str(folder / "k.pem"))),
                ("status", "here", ("status", url)),
                ("pull, all new", "else", ("pull", url, "--trust", str(folder / "k.pub"))),
                ("pull, none new", "else", ("pull", url, "--trust", str(folder / "k.pub"))),
            ):
                yield _line(title, folder, store, words, environment)


def _line(title: str, folder: Path, store: str, words: tuple[str, ...], environment: Mapping[str, str]) -> str:
    argv = [sys.executable, "-m", "selftune_build", "store", words[0], *words[1:]]
    ran = cost(Contender(argv, environment={**environment, "SELFTUNE_STORE": str(folder / store)}), folder / "skill")
    return f"| {title} | {ran.wall:.1f} | {ran.cpu:.1f} | {ran.mib:.0f} |"


@contextmanager
def _place(kind: str, folder: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    if kind == "folder":
        (folder / "there").mkdir()
        yield str(folder / "there"), {}
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = [sys.executable, "-c", "from moto.server import main; main()", "-p", str(port)]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            environment = {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
            _make_bucket(environment)
            yield f"s3://{BUCKET}/team", environment
        finally:
            server.terminate()


def _make_bucket(environment: Mapping[str, str]) -> None:
    import boto3
    from botocore.exceptions import EndpointConnectionError

    os.environ.update(environment)
    client = boto3.client("s3", endpoint_url=environment["AWS_ENDPOINT_URL"])
    for _ in range(100):
        try:
            client.create_bucket(Bucket=BUCKET)
            return
        except EndpointConnectionError:
            time.sleep(0.3)
    raise RuntimeError("moto's server does not start")


def _sample(key: str, tree: str, index: int) -> Archive:
    return Archive(
        call_id=call_id(key, tree, index),
        static_key=key,
        index=index,
        request={"prompt": "Make coffee", "role": "run"},
        staged=tree,
        touched=[],
        raw=ANSWER,
        files=[],
        exit_status=0,
        stderr=b"",
        cost={"cost_usd": "0.01"},
        seconds_ms=500,
        recorded="2026-01-01T00:00:00Z",
    )


def _record_path(digest: str) -> str:
    name = digest.rpartition(":")[2]
    return f"records/{name[:2]}/{name}.json"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


if __name__ == "__main__":
    given = sys.argv[1:]
    for line in table(int(given[0]) if given else SAMPLES, given[1] if len(given) > 1 else "folder"):
        print(line, flush=True)
