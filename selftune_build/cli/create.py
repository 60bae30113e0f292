"""`selftune create`: new skill packages."""

from __future__ import annotations

from pathlib import Path

import click

from selftune_build import advice
from selftune_build.cli.create_verbs import add_verbs
from selftune_build.escape import one_line
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.report.document import envelope
from selftune_build.scaffold.package import package_files
from selftune_build.scaffold.writing import Written, write_together


@click.group(help="Write a new skill package; and the predecessor's verbs on one.", no_args_is_help=False)
def command() -> None:
    """The verbs below `selftune create`."""


@command.command("init", short_help="Write a package that builds, to be edited.")
@click.option("--name", required=True, help="Name of the skill: lower-case letters, digits and hyphens; also its folder.")
@click.option("--description", required=True, help="What the skill does and when to use it; hosts choose by this text.")
@click.option(
    "-C",
    "--directory",
    "--output-dir",
    "directory",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder to make the package in.",
)
@click.option("--force", is_flag=True, help="Replace the files that this command writes; everything else stays.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def create_init(name: str, description: str, directory: Path, force: bool, as_json: bool) -> int:
    """Write a package that builds: SKILL.md, a workflow, a reference, a script, first evals and unit tests to edit."""
    contents = package_files(name, description)
    root = directory / name
    written = write_together(root, contents, force=force)
    print(_document(name, root, written) if as_json else _text(root, written))
    return 0


def _document(name: str, root: Path, written: Written) -> str:
    return envelope(
        "selftune.create/1",
        0,
        name=name,
        path=str(root),
        written=sorted((*written.made, *written.replaced)),
        overwritten=list(written.replaced),
        next_command=next_command(root),
    )


def next_command(root: Path) -> str:
    """The command that builds the package in this folder, ready to be pasted."""
    return advice.command("build", "verify", place=str(root))


def _text(root: Path, written: Written) -> str:
    lines = [f"wrote {len(written.made) + len(written.replaced)} files to {_shown(root)}"]
    lines += [f"  {path}" for path in written.made]
    lines += [f"  {path} (replaced)" for path in written.replaced]
    lines += [
        "edit SKILL.md and evals/evals.yaml: what stands there now is an example that works",
        f"next: {one_line(next_command(root), MESSAGE_CHARACTERS)}",
    ]
    return "\n".join(lines)


def _shown(root: Path) -> str:
    return one_line(str(root), MESSAGE_CHARACTERS)


add_verbs(command)
