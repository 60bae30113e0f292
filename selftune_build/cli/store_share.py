"""`selftune store push`, `pull` and `status`: samples shared through a URL or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from selftune_build.cli.remote import named
from selftune_build.cli.start import say
from selftune_build.cli.store_place import store_at, store_options
from selftune_build.errors import StoreError, UsageError
from selftune_build.exits import STORE, VERIFIED

if TYPE_CHECKING:
    from selftune_build.sharing.named import Named

_FILE = click.Path(dir_okay=False, path_type=Path)
_tiers = click.option(
    "--tier", "tiers", multiple=True, metavar="TIER", help="Of this tier; may be repeated. [default: those you named, else main]"
)


@click.command("push", short_help="Give a remote the samples that it has not got; nothing there is replaced.")
@click.argument("url", required=False)
@click.option("--tier", metavar="TIER", help="Into this tier of trust, such as pr/7. [default: the one you named, else main]")
@click.option("--key", type=_FILE, help="Private key (PEM) that signs; else signing.pem in the user's selftune configuration.")
@click.option("--unsigned", is_flag=True, help="Sign nothing: nobody else will believe it without saying --unsigned too.")
@store_options
def push_command(url: str | None, tier: str | None, key: Path | None, unsigned: bool, directory: Path, as_json: bool) -> int:
    """Give the samples that were paid for to URL: a folder, or anything that fsspec reaches, such as s3://bucket/path.

    Each is signed. Nothing that is there is replaced, so it can be repeated until it is through. What costs nothing to have
    again is not sent. Exit status: 0 all there, 2 bad input, 3 a library is missing, 4 the remote did not take everything.
    """
    from selftune_build.report.store_share import render_push, render_push_json
    from selftune_build.sharing.identity import own_signer
    from selftune_build.sharing.opening import open_remote, tier_name
    from selftune_build.sharing.pushing import push

    if key is not None and unsigned:
        raise UsageError("--key and --unsigned exclude each other", hint="leave one out")
    root, store = store_at(directory)
    remote = _meant(root, url)
    into = tier_name(tier if tier is not None else remote.write or "main")
    done = push(store, open_remote(remote.url), into, None if unsigned else own_signer(key))
    print(render_push_json(done, remote.shown) if as_json else render_push(done, remote.shown), end="")
    return STORE if done.trouble else VERIFIED


@click.command("pull", short_help="Take the samples of a remote that trusted keys have signed.")
@click.argument("url", required=False)
@_tiers
@click.option("--trust", type=_FILE, help="File of public keys (PEM) to believe; else trusted.pem in the user's configuration.")
@click.option("--unsigned", is_flag=True, help="Believe everything that is there, whoever wrote it.")
@click.option("--remote-required", is_flag=True, help="Fail where the remote cannot be reached, rather than pay again.")
@store_options
def pull_command(
    url: str | None,
    tiers: tuple[str, ...],
    trust: Path | None,
    unsigned: bool,
    remote_required: bool,
    directory: Path,
    as_json: bool,
) -> int:
    """Take the samples of URL that are not here and that a trusted key has signed for their tier.

    Each is checked whole before anything of it is written. A remote that cannot be reached is a warning: what it has would be
    paid for again; --remote-required makes it a failure. Exit status: 0 done, 2 bad input, 3 a library is missing, 4 store.
    """
    from selftune_build.report.store_share import render_pull, render_pull_json
    from selftune_build.sharing.identity import believed
    from selftune_build.sharing.opening import open_remote, tier_name
    from selftune_build.sharing.pulling import pull
    from selftune_build.sharing.sink import Kept
    from selftune_build.store.location import open_store

    if trust is not None and unsigned:
        raise UsageError("--trust and --unsigned exclude each other", hint="leave one out")
    root, _ = store_at(directory)
    remote = _meant(root, url)
    names = [tier_name(each) for each in tiers or remote.read]
    done = pull(Kept(open_store(root), say), open_remote(remote.url), names, None if unsigned else believed(trust))
    status = STORE if done.trouble and remote_required else VERIFIED
    print(render_pull_json(done, remote.shown, status) if as_json else render_pull(done, remote.shown), end="")
    if done.trouble:
        say(f"{remote.shown} could not be read whole: {done.trouble}; what it has would be paid for again")
    return status


@click.command("status", short_help="Which samples are here, there, or on both sides.")
@click.argument("url", required=False)
@_tiers
@store_options
def status_command(url: str | None, tiers: tuple[str, ...], directory: Path, as_json: bool) -> int:
    """Compare the store with URL by names alone. Exit status: 0 told, 2 bad input, 3 a library is missing, 4 not reached."""
    from selftune_build.report.store_share import render_status, render_status_json
    from selftune_build.sharing.opening import open_remote, tier_name
    from selftune_build.sharing.remote import RemoteError
    from selftune_build.sharing.standing import standing

    root, store = store_at(directory)
    remote = _meant(root, url)
    names = [tier_name(each) for each in tiers] or list(dict.fromkeys((*remote.read, *filter(None, (remote.write,)))))
    try:
        found = standing(store, open_remote(remote.url), names)
    except RemoteError as error:
        raise StoreError(
            f"{remote.shown} cannot be reached: {error.message}", hint="check URL, network and credentials"
        ) from error
    print(render_status_json(found, remote.shown) if as_json else render_status(found, remote.shown), end="")
    return 0


def _meant(root: Path, url: str | None) -> Named:
    """The remote on the command line, else the one that the user has named for the workspace. Raises UsageError."""
    if url is not None:
        from selftune_build.sharing.named import Named

        return Named(url)
    found = named(root)
    if found is None:
        hint = "a URL or a folder after the verb, or name one for all builds in $SELFTUNE_REMOTE (docs/store.md)"
        raise UsageError("no remote is named for this workspace", hint=hint)
    return found
