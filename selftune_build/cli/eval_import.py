"""`selftune eval import`: evals in other formats, from anywhere, written into a package for review."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from selftune_build import advice
from selftune_build.cli.start import opened
from selftune_build.escape import one_line
from selftune_build.exits import REFUSED, VERIFIED
from selftune_build.limits import MESSAGE_CHARACTERS
from selftune_build.model.package import Package
from selftune_build.report.document import envelope
from selftune_build.scaffold.importing import IMPORTED_FILE, Imported, plan_import
from selftune_build.scaffold.writing import Written, write_together


@click.command("import", short_help="Read evals in other formats, and write them into a package for review.")
@click.argument("sources", nargs=-1, required=True, metavar="FILE|FOLDER...", type=click.Path(path_type=Path))
@click.option("--package", "target", metavar="PACKAGE", help="The package they are for, where there is more than one.")
@click.option("--to", "file", metavar="FILE", default=IMPORTED_FILE, show_default=True, help="Where, seen from the package.")
@click.option("--force", is_flag=True, help="Replace what was imported before; everything else stays.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-C", "--directory", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="As if started there.")
def command(sources: tuple[Path, ...], target: str | None, file: str, force: bool, as_json: bool, directory: Path) -> int:
    """Read each FILE, and everything below each FOLDER, in whichever format it is in, and write the cases as one file of our
    own format into the package. What cannot be said in it is named, here and in the file.

    Exit status: 0 written, 1 there was no case, 2 bad input or a file in the way, 4 not written.
    """
    from selftune_build.relpath import safe
    from selftune_build.scaffold.chosen import only_package

    found = opened(directory, (target,) if target else ())
    package = only_package(found.universe, target, found.here)
    imported = plan_import(package, sources, safe(file))
    written = write_together(Path(package.root), imported.contents, force=force)
    status = VERIFIED if imported.written else REFUSED
    following = advice.command("eval list", package.handle, place=found.place)
    if as_json:
        print(_document(package, imported, written, status, following))
    else:
        print("\n".join(one_line(line, MESSAGE_CHARACTERS) for line in _lines(package, imported, written, following)))
    return status


def _lines(package: Package, imported: Imported, written: Written, following: str) -> Iterator[str]:
    from selftune_build.report.case_list import finding_lines

    for path in (*written.made, *written.replaced):
        yield f"{'replaced' if path in written.replaced else 'wrote'} {path} in {package.handle}"
    yield f"{imported.written} cases of {len(imported.cases)} that were read"
    yield from (f"  left out: {case.id}: {reason}" for case, reason in imported.left_out)
    yield from finding_lines(imported.findings)
    if imported.written:
        yield "review each case: nobody has read the file yet"
        yield f"next: {following}"


def _document(package: Package, imported: Imported, written: Written, status: int, following: str) -> str:
    from selftune_build.report.case_list import case_document, finding_document

    return envelope(
        "selftune.eval-import/1",
        status,
        package={"name": package.name, "path": package.path},
        written=list(written.made),
        overwritten=list(written.replaced),
        cases=[case_document(case) for case in imported.cases],
        left_out=[{"id": case.id, "reason": reason} for case, reason in imported.left_out],
        findings=[finding_document(finding) for finding in imported.findings],
        next_command=following,
    )
