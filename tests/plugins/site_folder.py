"""A folder of installed distributions, as an installer leaves it: modules, metadata, entry points."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path


class SiteFolder:
    """Distributions lie in `path`, which stands on PYTHONPATH of the commands under test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.path)}

    def install(self, name: str, source: str, version: str = "1.0", *, module: str | None = None, at: Path | None = None) -> Path:
        """A distribution with one module of this source and one entry point; its module may lie elsewhere (`at`)."""
        module = module or name.replace("-", "_")
        (at or self.path).mkdir(parents=True, exist_ok=True)
        ((at or self.path) / f"{module}.py").write_text(textwrap.dedent(source))
        return self.metadata(name, module, version)

    def metadata(self, name: str, module: str, version: str = "1.0", editable: Path | None = None) -> Path:
        """What stands in `*.dist-info`; `editable` names the project that it was installed from."""
        folder = self.path / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (folder / "entry_points.txt").write_text(f"[selftune_build.plugins]\nmain = {module}\n")
        if editable is not None:
            url = {"url": editable.as_uri(), "dir_info": {"editable": True}}
            (folder / "direct_url.json").write_text(json.dumps(url))
        return folder
