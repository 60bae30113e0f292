"""Names in S3, page by page: fsspec's own searches keep every page of a listing, however long it is (ListObjectsV2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from selftune_build.limits import REMOTE_NAMES, REMOTE_PAGE
from selftune_build.sharing.remote import RemoteError, TooMuch

Bounds = dict[str, int]
"""What bounds one question in time, as fsspec takes it."""


def sizes(files: Any, place: str, bounds: Bounds) -> dict[str, int]:
    """Size by path, bucket included, of everything below a place. Raises TooMuch, and what the service says."""
    bucket = place.partition("/")[0]
    found: dict[str, int] = {}
    for page in _pages(files, place, bounds):
        found.update((f"{bucket}/{each['Key']}", int(each["Size"])) for each in page.get("Contents", ()))
        _bound(len(found), place)
    return found


def folders(files: Any, place: str, bounds: Bounds) -> list[str]:
    """The names of the folders right below a place, sorted. Raises as `sizes`."""
    found: list[str] = []
    for page in _pages(files, place, {"Delimiter": "/", **bounds}):
        found += [each["Prefix"].rstrip("/").rpartition("/")[2] for each in page.get("CommonPrefixes", ())]
        _bound(len(found), place)
    return sorted(found)


def _bound(count: int, place: str) -> None:
    if count > REMOTE_NAMES:
        raise TooMuch(f"there are more than {REMOTE_NAMES} names below {place}")


def _pages(files: Any, place: str, words: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A service that always promises one more page comes to an end as well."""
    bucket, _, key = place.partition("/")
    asked = {"Bucket": bucket, "Prefix": f"{key}/" if key else "", "MaxKeys": REMOTE_PAGE, **words}
    for _ in range(2 * REMOTE_NAMES // REMOTE_PAGE):
        try:
            page = files.call_s3("list_objects_v2", **asked)
        except FileNotFoundError as error:  # a prefix without names is an empty page
            raise RemoteError(f"there is no bucket {bucket}") from error
        yield page
        if not page.get("IsTruncated"):
            return
        asked["ContinuationToken"] = page.get("NextContinuationToken") or ""
    raise TooMuch(f"the listing of {place} does not end")
