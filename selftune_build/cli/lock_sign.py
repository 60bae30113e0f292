"""`selftune lock sign`: vouch for locks with a key or as an identity."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from selftune_build.cli.signatures import IDENTITY, TRUST_ROOT
from selftune_build.cli.start import existing_folder, open_plugins, starting_folder
from selftune_build.cli.target_type import TargetType
from selftune_build.engine.request import BuildRequest
from selftune_build.errors import UsageError
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.signing.identity import SCHEME

if TYPE_CHECKING:
    from selftune_build.engine.locks.signing import Signing


@click.command("sign")
@click.argument("targets", nargs=-1, type=TargetType(), metavar="[PACKAGE]...")
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="Private key (PEM) that signs.")
@IDENTITY
@TRUST_ROOT
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-C", "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="As if started there.")
def sign(
    targets: tuple[str, ...], key: Path | None, identity: str | None, trust_root: Path | None, as_json: bool, directory: Path
) -> int:
    """Sign the lock of each PACKAGE (default: all) with a private key or as an identity, into the lock itself.

    A lock that does not belong to its package is not signed; what its gates say does not matter. `selftune publish --new-key
    FILE` makes a key. `selftune build verify --locked --require-signature FILE.pub` asks for the signature. An identity signs by
    Sigstore: who it is, and a digest of the lock, become part of a public log.

    Exit status: 0 signed, 1 a lock does not hold, and nothing was signed; 2 bad input; 3 could not decide; 4 not written.
    """
    from selftune_build.engine.load import load_universe
    from selftune_build.engine.locks.signing import sign_locks
    from selftune_build.signing.signer import signer_of

    by = signer_of(key, identity, trust_root)
    if by is None:
        raise UsageError("say who signs", hint="--key FILE, or --identity ambient in a CI job that may ask for a token")
    request = BuildRequest(directory=existing_folder(directory), targets=targets, locked=True)
    start = starting_folder(request.directory, targets)
    registry = open_plugins(start, locked=True).registry
    done = sign_locks(load_universe(start, registry=registry), request, registry, by)
    print(_json(done) if as_json else _text(done))
    return done.exit_code


def _text(done: Signing) -> str:
    lines = [f"{problem.target}: {problem.message}" for problem in done.problems]
    lines += ["nothing was signed: selftune build verify --locked tells more"] if lines else []
    who = f"as {done.key}" if done.key.startswith(SCHEME) else f"with the key {done.key[:12]}"
    lines += [f"signed {name} {who}" for name in done.signed]
    lines += [f"{name} was signed {who} before" for name in done.known]
    return "\n".join(one_line(line, MESSAGE_CHARACTERS) for line in lines)


def _json(done: Signing) -> str:
    problems = [{"code": each.code, "target": each.target, "message": each.message} for each in done.problems]
    document = {"schema": "selftune.lock-command/1", "ok": not done.exit_code, "exit_code": done.exit_code, "key": done.key}
    return json.dumps({**document, "signed": list(done.signed), "known": list(done.known), "problems": problems}, indent=1)
