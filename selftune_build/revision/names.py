"""From what people call a revision to the name of its commit (gitrevisions, the part of it that names commits)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from selftune_build.errors import SelftuneError, UndecidedError, UsageError
from selftune_build.escape import one_line
from selftune_build.limits import GIT_CONFIG_BYTES, GIT_REF_LINKS, GIT_REVISION_CHARACTERS, GIT_STEPS
from selftune_build.revision.objects import Objects, parsing
from selftune_build.revision.plain import read_plain, unusable
from selftune_build.revision.repository import Repository

_WORD = re.compile(r"(?P<name>[^~^:\s\\?*\[\x00-\x1f\x7f]+)(?P<steps>(?:~\d{0,9}|\^\d{0,9}|\^\{commit\}|\^\{\})*)", re.ASCII)
_STEP = re.compile(r"([~^])(\d*)", re.ASCII)
_PRIVATE = re.compile(r"[A-Z_]*HEAD", re.ASCII)
_PLACES = ("refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD")
"""Where git looks for a short name, in its order."""


def resolve(repository: Repository, objects: Objects, revision: str) -> str:
    """The name of the commit that a revision names.

    Raises UsageError for what is no revision or not here, UndecidedError (exit status 3, with the command that fetches it)
    where it is likely to exist and this clone has not got it.
    """
    word = _WORD.fullmatch(revision) if len(revision) <= GIT_REVISION_CHARACTERS else None
    if word is None or not _is_safe(word["name"]):
        hint = "a branch, a tag, a commit, such as origin/main or HEAD~1"
        raise UsageError(f"{_shown(revision)} is no revision", hint=hint)
    name = "HEAD" if word["name"] == "@" else word["name"]
    whole = _is_whole(objects, name.lower())
    found = None if whole else _by_ref(repository, name)
    found = found or _by_digits(objects, name)
    if found is None:
        raise missing(repository, objects, name)
    commit = _commit(repository, objects, found)
    for kind, count in _STEP.findall(word["steps"].replace("^{commit}", "").replace("^{}", "")):
        commit = _step(repository, objects, commit, kind, count)
    return commit


def missing(repository: Repository, objects: Objects, name: str) -> SelftuneError:
    """The error for a revision that is not here: to be fetched, or unknown to everybody as far as one can tell."""
    remote, _, branch = name.removeprefix("refs/remotes/").partition("/")
    shown = _shown(name)
    if remote in repository.remotes and branch:
        command = f"git fetch {remote} +refs/heads/{branch}:refs/remotes/{remote}/{branch}"
    elif _is_whole(objects, name):
        command = f"git fetch {_remote(repository)} {name}"
    elif repository.shallow:
        command = deepen(repository)
    else:
        return UsageError(f"there is no revision {shown} in {repository.root}", hint="`git branch -a` and `git tag` name some")
    return UndecidedError(f"the revision {shown} is not in this clone", hint=command, code="history-missing")


def deepen(repository: Repository) -> str:
    """The command that brings what a clone left out."""
    return f"git fetch --unshallow {_remote(repository)}" if repository.shallow else f"git fetch {_remote(repository)}"


def _remote(repository: Repository) -> str:
    names = repository.remotes
    return "origin" if not names or "origin" in names else names[0]


def _shown(name: str) -> str:
    return repr(one_line(name, GIT_REVISION_CHARACTERS))


def _is_safe(name: str) -> bool:
    """git-check-ref-format, as far as it keeps a name from leaving the folder of refs."""
    parts = name.split("/")
    return (
        all(part and not part.startswith((".", "-")) and not part.endswith((".", ".lock")) for part in parts) and ".." not in name
    )


def _is_whole(objects: Objects, name: str) -> bool:
    return len(name) == objects.digits and re.fullmatch("[0-9a-f]+", name) is not None


def _by_ref(repository: Repository, name: str) -> str | None:
    """What a name means; not the first of several things as git does: a tag must not be taken for the branch of its name."""
    packed = _packed_refs(repository)
    found = {place: digits for place in _candidates(name) if (digits := _followed(repository, place, packed)) is not None}
    if len(set(found.values())) > 1:
        first, *others = found
        hint = f"write out which of them: {others[0]}"
        raise UsageError(f"{_shown(name)} is both {one_line(first, GIT_REVISION_CHARACTERS)} and {others[0]}", hint=hint)
    return next(iter(found.values()), None)


def _candidates(name: str) -> Iterator[str]:
    if _PRIVATE.fullmatch(name) or name.startswith("refs/"):
        yield name
    yield from (place.format(name) for place in _PLACES)


def _followed(repository: Repository, place: str, packed: dict[str, str]) -> str | None:
    for _ in range(GIT_REF_LINKS):
        folder = repository.common if place.startswith("refs/") else repository.private
        content = _loose(os.path.join(folder, place))
        if content is None:
            return packed.get(place)
        word = (content.decode("utf-8", "replace").split() or [""])[0]
        if word != "ref:":
            return word if re.fullmatch("[0-9a-f]{40,64}", word) else None
        place = content.decode("utf-8", "replace").partition(":")[2].strip()
        if not (place.startswith("refs/") and _is_safe(place)):
            raise unusable(f"a ref leads to {_shown(place)}")
    raise unusable(f"refs lead to refs more than {GIT_REF_LINKS} times")


def _loose(path: str) -> bytes | None:
    return None if os.path.isdir(path) and not os.path.islink(path) else read_plain(path, GIT_CONFIG_BYTES)


def _packed_refs(repository: Repository) -> dict[str, str]:
    content = read_plain(os.path.join(repository.common, "packed-refs"), GIT_CONFIG_BYTES) or b""
    lines = (line.partition(b" ") for line in content.splitlines() if line[:1] not in (b"#", b"^"))
    return {name.decode("utf-8", "replace"): digits.decode("ascii", "replace") for digits, _, name in lines}


def _by_digits(objects: Objects, name: str) -> str | None:
    if not re.fullmatch("[0-9a-f]{4,64}", name.lower()):
        return None
    if len(name) == objects.digits:
        return name.lower() if objects.read(name.lower()) is not None else None
    from dulwich.objects import Commit

    found = [each for each in sorted(objects.names(name.lower())) if isinstance(objects.read(each), Commit)]
    if len(found) > 1:
        raise UsageError(f"{len(found)} commits begin with {name}", hint="name more digits of it")
    return found[0] if found else None


def _commit(repository: Repository, objects: Objects, name: str) -> str:
    """The commit behind a name, through tags of tags."""
    from dulwich.objects import Commit, Tag

    for _ in range(GIT_REF_LINKS):
        found = objects.read(name)
        if found is None:
            raise missing(repository, objects, name)
        if isinstance(found, Commit):
            return name
        if not isinstance(found, Tag):
            raise UsageError(f"{_shown(name)} is no commit", hint="name a branch, a tag or a commit")
        with parsing(f"the tag {name[:12]}"):
            name = found.object[1].decode("ascii", "replace")
    raise unusable(f"tags lead to tags more than {GIT_REF_LINKS} times")


def _step(repository: Repository, objects: Objects, commit: str, kind: str, count: str) -> str:
    number = int(count or "1")
    if number > GIT_STEPS:
        raise UsageError(f"{number} steps back are too many", hint="name the commit itself")
    for _ in range(number if kind == "~" else min(number, 1)):
        before = parents(repository, objects, commit)
        wanted = number if kind == "^" else 1
        if len(before) < wanted:
            raise UsageError(f"the commit {commit[:12]} has {len(before)} parents", hint="name a later one")
        commit = before[wanted - 1]
        if objects.read(commit) is None:
            raise UndecidedError("the history of this clone is cut off", hint=deepen(repository), code="history-missing")
    return commit


def parents(repository: Repository, objects: Objects, commit: str) -> list[str]:
    """Names of the commits before a commit. Raises UndecidedError where the commit is not in this clone."""
    from dulwich.objects import Commit

    found = objects.read(commit)
    if not isinstance(found, Commit):
        raise UndecidedError(f"the commit {commit[:12]} is not in this clone", hint=deepen(repository), code="history-missing")
    with parsing(f"the commit {commit[:12]}"):
        return [name.decode("ascii", "replace") for name in found.parents]
