"""What a proposal really touches, and why one is refused: what it declares is believed only if it is so."""

from __future__ import annotations

from pathlib import PurePosixPath

from selftune_build.errors import InputError
from selftune_build.fingerprint.facets import facets
from selftune_build.fingerprint.links import is_excluded
from selftune_build.fingerprint.tree import EVAL_FOLDERS
from selftune_build.limits import CANDIDATE_REASON_CHARACTERS
from selftune_build.model.package import LOCK_FILE, MANIFEST_FILE, SKILL_FILE, Skill
from selftune_build.mutators.protocol import Overlay, PackageView
from selftune_build.reading.skill import read_skill


def patched(view: PackageView, overlay: Overlay) -> dict[str, bytes]:
    """The files of the package with an overlay laid over them."""
    files = {**view.files, **{edit.path: edit.content for edit in overlay.patch}}
    return {path: content for path, content in files.items() if content is not None}


def touched(view: PackageView, overlay: Overlay) -> frozenset[str]:
    """The facets that an overlay changes. Raises KeyError where it removes SKILL.md, InputError where that is too large."""
    after = patched(view, overlay)
    names = {f"file:{path}" for path in {*view.files, *after} - {SKILL_FILE} if view.files.get(path) != after.get(path)}
    before, now = (read_skill(files[SKILL_FILE], SKILL_FILE, view.name).skill for files in (view.files, after))
    return frozenset(names) | changed_skill(before, now)


def changed_skill(before: Skill, after: Skill) -> frozenset[str]:
    """Which facets of SKILL.md differ: `metadata`, `body`."""
    then, now = facets(before, ()), facets(after, ())
    changed = {"metadata": then.metadata != now.metadata, "body": then.body != now.body}
    return frozenset(name for name, differs in changed.items() if differs)


def fault(view: PackageView, overlay: Overlay) -> str | None:
    """Why a proposal cannot be a candidate, None for one that can; whether it fits a workspace is another question."""
    return _outside(overlay) or _unreadable(overlay) or _unsaid(view, overlay) or _untrue(view, overlay)


def _outside(overlay: Overlay) -> str | None:
    for edit in overlay.patch:
        parts = PurePosixPath(edit.path).parts
        if parts[-1:] == (LOCK_FILE,):
            return f"it touches the lock `{edit.path}`, which builds alone write"
        if parts[-1:] == (MANIFEST_FILE,):
            return f"it touches the manifest `{edit.path}`: gates, samples and policy decide about it"
        if edit.path.startswith(EVAL_FOLDERS):
            return f"it touches the evals or tests `{edit.path}` that decide about it"
        if any(map(is_excluded, parts)):
            return f"it touches `{edit.path}`, which is no part of a package"
    return None


def _unreadable(overlay: Overlay) -> str | None:
    for edit in overlay.patch:
        try:
            text = (edit.content or b"").decode()
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            return f"it makes `{edit.path}` a file that is no text, which no patch can tell"
    paths = [edit.path for edit in overlay.patch]
    return f"it edits `{max(paths, key=paths.count)}` twice" if len(set(paths)) < len(paths) else None


def _unsaid(view: PackageView, overlay: Overlay) -> str | None:
    if overlay.parent != view.tree:
        return "its parent is another state of the package"
    if not overlay.reason.strip() or not overlay.reason.isprintable() or len(overlay.reason) > CANDIDATE_REASON_CHARACTERS:
        return f"its reason is no sentence of at most {CANDIDATE_REASON_CHARACTERS} printable characters"
    return None


def _untrue(view: PackageView, overlay: Overlay) -> str | None:
    after = patched(view, overlay)
    if SKILL_FILE not in after:
        return f"it removes {SKILL_FILE}"
    try:
        found = touched(view, overlay)
        name = read_skill(after[SKILL_FILE], SKILL_FILE, view.name).skill.name
    except InputError as error:
        return error.message
    if not found:
        return "it changes nothing that anybody can see"
    if found != overlay.surface:
        return f"it declares to touch {_listed(overlay.surface)}, and touches {_listed(found)}"
    return None if name == view.name else f"it renames the skill to {name!a}"


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
