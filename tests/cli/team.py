"""Machines that share samples through a remote: each with a clone, a store, a ledger and a user's configuration of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.storing import COSTING, clone, keys
from tests.property.kitchen import kitchen
from tests.property.workspace import Workspace


class Team:
    """A workspace that nobody has built, and the remote that everybody names."""

    def __init__(self, folder: Path, url: str | None = None, **environment: str) -> None:
        self.folder = folder
        self.remote = folder / "remote"
        self.remote.mkdir()
        self.url = url or str(self.remote)
        self.environment = environment
        self.first = kitchen(folder / "first/workspace", folder / "first/ledger", argv=COSTING, free=False)

    def machine(self, name: str, read: str = "main", write: str = "", trusts: str = "main", key: str = "") -> Workspace:
        """A clone on a machine of that name, which signs with the key of that name and believes others.

        `trusts`: names of keys, `name=tiers` for one that may speak only for these tiers (names with commas between them).
        """
        workspace = clone(self.first, self.folder / name)
        home = self.folder / name / "config/selftune"
        home.mkdir(parents=True)
        shutil.copy(self.key(key or name)[0], home / "signing.pem")
        self.trust(name, trusts)
        workspace.environment.update(
            XDG_CONFIG_HOME=str(home.parent), SELFTUNE_REMOTE=self.url, SELFTUNE_REMOTE_READ=read, **self.environment
        )
        if write:
            workspace.environment["SELFTUNE_REMOTE_WRITE"] = write
        return workspace

    def trust(self, name: str, trusts: str) -> None:
        """Write whom a machine believes."""
        text = ""
        for each in trusts.split():
            owner, _, tiers = each.partition("=")
            text += f"{owner}\ntiers: {tiers.replace(',', ' ') or '*'}\n{self.key(owner)[1].read_text()}"
        (self.folder / name / "config/selftune/trusted.pem").write_text(text)

    def key(self, name: str) -> tuple[Path, Path]:
        """The private and the public key of a name."""
        found = self.folder / "keys" / f"{name}.pem", self.folder / "keys" / f"{name}.pub"
        return found if found[0].exists() else keys(self.folder / "keys", name)

    def parcels(self, tier: str = "main") -> list[Path]:
        """The samples in a tier of the folder."""
        return sorted((self.remote / tier).rglob("*.sample"))
