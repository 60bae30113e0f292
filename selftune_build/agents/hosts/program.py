"""The program behind a host: where it is, which version, how to get it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from selftune_build.environment import child_environment
from selftune_build.limits import HOST_PROBE_OUTPUT_BYTES, HOST_PROBE_TIMEOUT_S
from selftune_build.process import Outcome, run


class Program(Struct, frozen=True):
    """A host program by its name on PATH."""

    name: str
    install: str
    """The command that installs it."""

    def path(self) -> str | None:
        """Absolute path of the program, None where it is not installed. A relative entry of PATH does not count."""
        places = [place for place in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(place)]
        return shutil.which(self.name, path=os.pathsep.join(places))

    def missing(self) -> str:
        """What to say where it is not installed."""
        return f"the program `{self.name}` is not on PATH: install it with `{self.install}`"

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
