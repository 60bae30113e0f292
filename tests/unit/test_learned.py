"""Two threads that are the first to convert to a struct do not take the process down."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys, threading, time
import msgspec
from selftune_build.model.learned import learned

begun = threading.Event()

def slowly():
    begun.set()
    time.sleep(0.5)
    return str

class Inner(msgspec.Struct):
    word: "slowly()"

class Outer(msgspec.Struct):
    inner: Inner
    number: int

def convert():
    return msgspec.json.decode(b'{"inner": {"word": "w"}, "number": 1}', type=%s)

first = threading.Thread(target=convert)
first.start()
begun.wait()
assert convert().inner.word == "w"
first.join()
"""


def ended(kind: str) -> int:
    return subprocess.run([sys.executable, "-c", SCRIPT % kind], capture_output=True, timeout=60).returncode


def test_a_struct_is_known_whole_before_the_second_thread_converts_to_it() -> None:
    assert ended("learned(Outer)") == 0
