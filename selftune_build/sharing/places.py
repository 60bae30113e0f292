"""Where below a tier the samples of some keys are looked for: as few listings as their number allows, none of them endless."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from selftune_build.limits import REMOTE_KEYS_LISTED

SAMPLES = "samples"


class Place(Struct, frozen=True):
    """One folder to list; `keys` are the folders of keys in it that matter, None for all."""

    prefix: str
    keys: frozenset[str] | None = None

    def holds(self, path: str) -> bool:
        """Whether a path such as `samples/ab/<key>/<name>` is that of a key that matters."""
        return self.keys is None or path.rpartition("/")[0] in self.keys


def key_folder(static_key: str) -> str:
    """The folder of a key, in a store as below a tier."""
    key = static_key.rpartition(":")[2]
    return f"{SAMPLES}/{key[:2]}/{key}"


def call_place(static_key: str, call_id: str) -> str:
    """Where a sample is in a store, without the end of the file name."""
    return f"{key_folder(static_key)}/{call_id.rpartition(':')[2]}"


def places_of(folders: Iterable[str]) -> list[Place]:
    """The listings that show all of these folders of keys: one by one, or where many begin alike those that do together."""
    starts: dict[str, set[str]] = {}
    for folder in folders:
        starts.setdefault(folder.rpartition("/")[0], set()).add(folder)
    found = []
    for start, keys in sorted(starts.items()):
        if len(keys) > REMOTE_KEYS_LISTED:
            found.append(Place(start, frozenset(keys)))
        else:
            found += [Place(key, frozenset((key,))) for key in sorted(keys)]
    return found
