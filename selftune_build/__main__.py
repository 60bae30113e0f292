"""The program `selftune`: finds the command, and turns whatever it raises into a calm message and an exit status.

Nothing from outside the standard library is imported before the command is known: `selftune --version` and a mistyped
command answer at once, and a command pays only for what it uses.
"""

from __future__ import annotations

import os
import sys

from selftune_build import __version__

TYPE_CHECKING = False  # importing typing, collections or importlib takes longer than all that a no-op does
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from selftune_build.errors import SelftuneError

COMMANDS = {
    "build": ("selftune_build.cli.build", "bring evidence up to date: spec, evals, unit-tests, replay, baseline, verify"),
    "verify": ("selftune_build.cli.verify", "build verify, then how far each package is"),
    "show": ("selftune_build.cli.show", "one case whole: prompt, transcript, files, each check"),
    "plan": ("selftune_build.cli.plan", "what a build would run and why, and what it may cost"),
    "explain": ("selftune_build.cli.explain", "why a case is stale or reused, input by input"),
    "status": ("selftune_build.cli.status", "how far each package is, and the one command to type next"),
    "badge": ("selftune_build.cli.badge", "a badge that says what tree and lock say"),
    "graph": ("selftune_build.cli.graph", "what depends on what: dot, mermaid or JSON"),
    "publish": ("selftune_build.cli.publish", "a verified package as an archive that others can install and check"),
    "store": ("selftune_build.cli.store", "what was paid for: figures, check-up, clean-up, and sharing with others"),
    "lock": ("selftune_build.cli.lock", "what changed in locks, merging, accepting, signing them"),
    "audit": ("selftune_build.cli.audit", "run a random part of the locks again, and compare"),
    "eval": ("selftune_build.cli.eval", "read, write and draft eval cases; see how siblings get along"),
    "mutate": ("selftune_build.cli.mutate", "edits of a skill worth trying, each with the command that measures it"),
    "create": ("selftune_build.cli.create", "write a new skill package"),
    "plugins": ("selftune_build.cli.plugins", "what is installed beside the tool, and a new plugin to start from"),
    "init": ("selftune_build.cli.init", "adopt the skill packages that are here already"),
    "completion": ("selftune_build.cli.completion", "the completion script for bash, zsh or fish"),
    "doctor": ("selftune_build.cli.doctor", "which agents could be used here, and what to type where one could not"),
}
"""Name of each command: the module whose `command` it is, and what it does."""

GARBAGE_THRESHOLD = 50_000
"""Objects between two looks for cycles of garbage. Nothing here makes many, and looking costs a tenth of a plan."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status; never raises for what the user or the machine did."""
    rest = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a character gets its number, not a traceback
            stream.reconfigure(errors="backslashreplace")
    status = _guarded(lambda: _dispatch(rest), rest)
    return _flushed(status)


def help_text() -> str:
    """The commands and what they do, for `selftune --help`."""
    lines = ["Usage: selftune COMMAND [OPTION…]", "", "make for agent skills", "", "Commands:"]
    lines += [f"  {name:<10} {purpose}" for name, (_, purpose) in COMMANDS.items()]
    lines += ["", "selftune COMMAND --help shows a command's options; selftune --version shows the version."]
    return "\n".join(lines)


def _dispatch(rest: list[str]) -> int:
    name = rest[0] if rest else None
    asked = os.environ.get("_SELFTUNE_COMPLETE")
    if asked is not None:
        return _completed(asked)
    if name in ("--version", "-V"):
        print(f"selftune-build {__version__}")
        return 0
    if name in ("--help", "-h", "help"):
        print(help_text())
        return 0
    if name is None:
        from selftune_build.exits import BAD_INPUT

        print(help_text(), file=sys.stderr)
        return BAD_INPUT
    if name not in COMMANDS:
        return _unknown(name)
    return _recalled(rest[1:]) if name == "build" else _run_command(name, rest[1:])


def _completed(asked: str) -> int:
    from selftune_build.cli.completion import complete

    return complete(asked, {name: module for name, (module, _) in COMMANDS.items()})


def _unknown(name: str) -> int:
    from selftune_build.errors import UsageError
    from selftune_build.meant import meant

    close = meant(name, COMMANDS)
    raise UsageError(f"there is no command {name!r}", hint=f"selftune {close}" if close is not None else "selftune --help")


def _recalled(rest: list[str]) -> int:
    """A build that has nothing to do, by what the last one noted; else the build."""
    from selftune_build.store.state import recall

    known = recall(rest)
    if known is None:
        return _run_command("build", rest)
    text, status = known
    print(text, flush=True)
    return status


def _run_command(name: str, rest: list[str]) -> int:
    import atexit
    import gc

    gc.set_threshold(GARBAGE_THRESHOLD)
    atexit.register(gc.freeze)  # else the interpreter looks through all there is for cycles before it ends, for 20 ms
    from importlib import import_module

    import click

    from selftune_build.errors import UsageError
    from selftune_build.exits import BAD_INPUT

    module, _ = COMMANDS[name]
    command = import_module(module).command
    try:
        status = command.main(args=rest, prog_name=f"selftune {name}", standalone_mode=False, obj=tuple(rest))
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        if context is not None and type(error).__name__ == "NoArgsIsHelpError":
            print(context.get_help(), file=sys.stderr)
            return BAD_INPUT
        place = context.command_path if context is not None else f"selftune {name}"
        raise UsageError(error.format_message(), hint=f"{place} --help") from None
    return status if isinstance(status, int) else 0


def _guarded(run: Callable[[], int], rest: list[str]) -> int:
    try:
        return run()
    except KeyboardInterrupt:
        from selftune_build.exits import INTERRUPTED

        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        from selftune_build.exits import STORE

        return STORE
    except Exception as error:
        return _failed(error, rest)


def _failed(error: Exception, rest: list[str]) -> int:
    from selftune_build.errors import MACHINE_ERRORS, SelftuneError, StoreError
    from selftune_build.exits import BUG

    if isinstance(error, SelftuneError):
        return _report(error, rest)
    if isinstance(error, OSError) and error.errno in MACHINE_ERRORS:
        return _report(StoreError(f"{error.filename or 'the output'} could not be written: {error.strerror}"), rest)
    from selftune_build.report.crash import write_crash_report

    path = write_crash_report(error, ["selftune", *rest])
    place = f"what is known about it: {path}" if path else "and its report could not be written"
    print(f"error: this is a bug in selftune-build, not in your input\n  {place}", file=sys.stderr)
    print("  fix: read the file, take out what is private, and send it with your issue", file=sys.stderr)
    return BUG


def _report(error: SelftuneError, rest: list[str]) -> int:
    from selftune_build.report import errors

    if _wants_json(rest):
        print(errors.render_json(error))
    else:
        print(errors.render_text(error), file=sys.stderr)
    return error.exit_status


def _wants_json(rest: list[str]) -> bool:
    options = rest[: rest.index("--")] if "--" in rest else rest
    return "--json" in options


def _flushed(status: int) -> int:
    """Write out what is buffered; a reader who left early changes nothing, a full disk is a failure of its own."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _mute_stdout()
    except OSError as error:
        from selftune_build.exits import BUG, INTERRUPTED, STORE

        _mute_stdout()
        print(f"error: the output could not be written: {error.strerror}", file=sys.stderr)
        return status if status in (BUG, INTERRUPTED) else STORE
    return status


def _mute_stdout() -> None:
    """Let the interpreter's own flush at exit succeed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave_current_folder() -> None:
    """`python -m` looks for modules in the folder it is started in, which may be a stranger's checkout; the program does not.

    Libraries load what distributions there offer them: networkx calls every `networkx.backend_info` it finds.
    """
    if not sys.flags.safe_path and sys.path and os.path.realpath(sys.path[0]) == os.path.realpath(os.curdir):
        del sys.path[0]


if __name__ == "__main__":
    _leave_current_folder()
    sys.exit(main())
