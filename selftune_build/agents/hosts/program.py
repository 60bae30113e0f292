"""The program behind a host: where it is, which version, how to get it."""

from __future__ import annotations

import functools
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from selftune_build.environment import child_environment
from selftune_build.limits import HOST_PROBE_OUTPUT_BYTES, HOST_PROBE_TIMEOUT_S
from selftune_build.process import Outcome, run

_VERSION = re.compile(r"\d+\.\d+[\w.+-]*")
_PACKAGE_FILE = "package.json"
_PACKAGE_DEPTH = 4
"""So many folders above a program its package may begin."""


class Program(Struct, frozen=True):
    """A host program by its name on PATH."""

    name: str
    install: str
    """The command that installs it."""
    needs: tuple[Program, ...] = ()
    """Programs that it runs and fails without, or would fetch for every sample anew."""

    def path(self) -> str | None:
        """Absolute path of the program, None where it is not installed. A relative entry of PATH does not count."""
        places = [place for place in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(place)]
        return shutil.which(self.name, path=os.pathsep.join(places))

    def lacking(self) -> Program | None:
        """What is not installed, itself or a program that it needs; None where all of it is."""
        return next((program for program in (self, *self.needs) if program.path() is None), None)

    def missing(self) -> str | None:
        """What is not installed and how to get it, in a sentence; None where all of it is."""
        lacking = self.lacking()
        return f"the program `{lacking.name}` is not on PATH: install it with `{lacking.install}`" if lacking else None

    def version(self) -> str | None:
        """The version that is installed, for a program whose answers do not tell it; None where nothing tells it."""
        path = self.path()
        return None if path is None else _installed_version(self, path, os.stat(path).st_mtime_ns)

    def closing(self, home: Path) -> dict[str, Any]:
        """The version, as `Host.closing` of a program whose stream does not tell it."""
        return {"version": self.version()}

    def told_version(self) -> str | None:
        """The version by the program's own word, None where it gives none."""
        outcome = self.ask(["--version"])
        if outcome is None or outcome.exit_status != 0:
            return None
        found = _VERSION.search((outcome.stdout or outcome.stderr).decode("utf-8", "replace"))
        return found[0] if found else None

    def ask(
        self, arguments: Sequence[str], variables: Mapping[str, str] | None = None, home: Path | None = None
    ) -> Outcome | None:
        """Run it for a short question about itself, in a folder of its own; None where it is not installed."""
        path = self.path()
        if path is None:
            return None
        with tempfile.TemporaryDirectory(prefix="selftune-probe-") as folder:
            environment = {**child_environment(home or folder, folder), **(variables or {})}
            return run(
                [path, *arguments],
                cwd=folder,
                env=environment,
                timeout_s=HOST_PROBE_TIMEOUT_S,
                output_cap=HOST_PROBE_OUTPUT_BYTES,
            )


@functools.lru_cache(maxsize=16)
def _installed_version(program: Program, path: str, modified_ns: int) -> str | None:
    """By the npm package around the program, which is read in no time; elsewhere by its own word. `modified_ns` is in the key."""
    folders = Path(os.path.realpath(path)).parents[:_PACKAGE_DEPTH]
    found = (_packaged(folder / _PACKAGE_FILE, program.name) for folder in folders)
    return next((version for version in found if version), None) or program.told_version()


def _packaged(path: Path, name: str) -> str | None:
    """The version of the npm package that a file describes, if the package brings the program."""
    try:
        document = msgspec.json.decode(path.read_bytes())
        return str(document["version"]) if name in document["bin"] else None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError):
        return None
