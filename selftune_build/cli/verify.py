"""`selftune verify`: build verify, then how far each package is on its way to being published."""

from __future__ import annotations

from collections.abc import Callable

import click

_SETTINGS = {"help_option_names": ["-h", "--help"], "ignore_unknown_options": True}


@click.command(context_settings=_SETTINGS, options_metavar="[OPTION of build]...")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[TARGET]...")
@click.option("--skill-path", multiple=True, metavar="PATH", help="A package by its folder; the same as a TARGET.")
@click.option("--no-auto-fix", is_flag=True, help="Accepted as before: nothing is drafted here, the command that does is named.")
@click.option("--json", "as_json", is_flag=True, help="Print the document of the build alone.")
@click.option("-C", "--directory", metavar="DIRECTORY", default=None, help="Run as if started there.")
def command(words: tuple[str, ...], skill_path: tuple[str, ...], no_auto_fix: bool, as_json: bool, directory: str | None) -> int:
    """Bring `verify` of TARGETs up to date, with every option of `selftune build`; then say how far each package of the
    workspace is, and the one command that takes its next step (as `selftune status`).

    Cases that are missing are not made up on the way: who grades by what was just drafted learns nothing.
    Exit status: that of the build.
    """
    from selftune_build.cli import build, status

    place = ["-C", directory] if directory is not None else []
    code = _run(build.command, "build", ["verify", *words, *skill_path, *(["--json"] if as_json else []), *place])
    if not as_json:
        print()
        _run(status.command, "status", place)
    return code


def _run(other: click.Command, name: str, arguments: list[str]) -> int:
    main: Callable[..., object] = other.main
    code = main(args=arguments, prog_name=f"selftune {name}", standalone_mode=False)
    return code if isinstance(code, int) else 0
