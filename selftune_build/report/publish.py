"""What publishing, checking and rolling back say, to people and to machines (schema `selftune.publish/1`)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from selftune_build.model.published import Published
from selftune_build.publish.bundle import Checked
from selftune_build.publish.installation import Receipt
from selftune_build.report.cells import name, sentence
from selftune_build.report.document import envelope

UNSIGNED = "not signed: it proves that these files belong together, not who measured"


def render_json(done: Sequence[Published]) -> str:
    """One document, newline at the end."""
    packages = [{**msgspec.to_builtins(each), "published": True} for each in done]
    return envelope("selftune.publish/1", 0, packages=packages) + "\n"


def render(done: Sequence[Published], *, watch: bool) -> str:
    """A paragraph for each package, the next command last; newline at the end."""
    return "\n".join(line for each in done for line in _published(each, watch)) + "\n"


def _published(each: Published, watch: bool) -> Iterator[str]:
    yield f"published {name(each.skill)}: {sentence(each.archive)}"
    yield f"  sha256 {each.archive_sha256}, evidence {', '.join(map(name, each.origins))}"
    yield f"  {_signed(each)}"
    if each.installed is not None:
        before = f", instead of {each.previous[:12]}" if each.previous is not None else ""
        yield f"  installed as {sentence(each.installed)}{before}"
    if each.aside is not None:
        yield f"  what --force replaced was kept as {sentence(each.aside)}"
    yield f"  check: selftune publish --check {sentence(shlex.join((each.archive, *each.check_options)))}"
    if watch:
        yield f"next: {sentence(each.next_command)}"
        yield f"  `watch` comes with a later version; until then: {sentence(each.until_then)}"


def _signed(each: Published) -> str:
    by = f"signed by {', '.join(map(name, each.signed_by))}"
    if each.signed_before:
        return f"the attestation of before states the same and stays: {by}, whose signature was not looked at"
    return by if each.signed_by else f"{UNSIGNED} (--key or --identity signs)"


def render_check(checked: Checked, file: Path, *, signed: bool, as_json: bool) -> str:
    """What does not hold, each with its file; or that all of it does, and what that means."""
    if as_json:
        return envelope("selftune.publish-check/1", int(bool(checked.flaws)), **msgspec.to_builtins(checked)) + "\n"
    if checked.flaws:
        return "".join(f"{flaw.code}: {sentence(flaw.message)}\n  at {sentence(flaw.path)}\n" for flaw in checked.flaws)
    if signed:
        by = "signed by one who was asked for"
    elif checked.signers:
        by = f"signed by {', '.join(map(name, checked.signers))}, whose signature was not looked at (--require-signature looks)"
    else:
        by = UNSIGNED
    origins = ", ".join(map(name, checked.origins))
    return f"{sentence(str(file))} holds: {name(checked.skill)}, evidence {origins}; {by}\n"


def render_rollback(receipts: Sequence[Receipt], folder: Path, *, as_json: bool) -> str:
    """Which version each name has now."""
    if as_json:
        installed = msgspec.to_builtins(list(receipts))
        return envelope("selftune.rollback/1", 0, folder=str(folder), installed=installed) + "\n"
    return "".join(f"{line}\n" for each in receipts for line in _rolled_back(each, folder))


def _rolled_back(receipt: Receipt, folder: Path) -> Iterator[str]:
    if receipt.current is not None:
        now = f"{receipt.current.archive[:12]} of {receipt.current.installed}"
        yield f"{name(receipt.name)} in {sentence(str(folder))} is {now} again"
    if receipt.aside is not None:
        yield f"  what --force replaced was kept as {sentence(str(folder / receipt.aside))}"
