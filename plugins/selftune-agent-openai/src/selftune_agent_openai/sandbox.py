"""Starts a script where it can write only below named folders and reach nobody.

Run as a script: `sandbox.py CONFINE STATE WRITABLE… -- PROGRAM ARGUMENT…`. CONFINE is the path of
`selftune_build.agents.hosts.confine`, or `-` where somebody said that the machine is a sandbox already; STATE is a descriptor
to which one word goes: what of the network is left. It imports nothing but the standard library, so that it starts with
`python -I -S`.

Namespaces take away the network and, when it ends, whatever the script has started, where the kernel lets one make them (inside
a user namespace, which needs no rights). Landlock takes TCP away. It stays the parent of the script: whoever ends it ends the
script.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

_NEW_USER, _NEW_PROCESSES, _NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
_PARENT_DEATH_SIGNAL = 1


def main(arguments: Sequence[str]) -> int:
    """Run the program; its status, as shells tell it."""
    split = arguments.index("--")
    (confine_path, state), writable, program = arguments[:2], arguments[2:split], arguments[split + 1 :]
    alone = _leave()
    child = os.fork()
    if child:
        return _waited_for(child, int(state))
    _end_with_parent()
    # The first process of a namespace takes all others along when it ends; it heeds few signals, so it is not the script.
    script = os.fork() if alone else 0
    if script:
        os._exit(_waited_for(script, int(state)))
    _become(program, confine_path, writable, int(state), alone)


def _waited_for(child: int, state: int) -> int:
    """The status of a child, other children that are handed over meanwhile being waited for too."""
    os.close(state)
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _become(program: Sequence[str], confine_path: str, writable: Sequence[str], state: int, alone: bool) -> NoReturn:
    without_tcp = False
    if confine_path != "-":
        confinement = runpy.run_path(confine_path)
        confinement["confine"](writable, True)
        without_tcp = confinement["offline_supported"]()
    os.write(state, b"none" if alone else b"udp" if without_tcp else b"all")
    os.close(state)
    try:
        os.execvp(program[0], list(program))
    except OSError as error:
        os.write(2, f"{program[0]}: {error.strerror}\n".encode())
        os._exit(126)


def _leave() -> bool:
    """Leave the network, and let processes to come be those of a namespace of their own; whether the kernel let us."""
    user, group = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare") or libc.unshare(_NEW_USER | _NEW_PROCESSES | _NEW_NETWORK) != 0:
        return False
    for name, content in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with suppress(OSError), Path(f"/proc/self/{name}").open("w") as file:
            file.write(content)
    return True


def _end_with_parent() -> None:
    with suppress(AttributeError):
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    _end_with_parent()
    sys.exit(main(sys.argv[1:]))
