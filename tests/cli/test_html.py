"""`selftune build --html FILE`: the page agrees with the build, holds transcripts where there are some, costs others nothing."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from pathlib import Path

import html5lib

from tests.cli.repository import committed
from tests.property.workspace import Workspace

MODULES = """
import sys
from selftune_build.__main__ import main
main(sys.argv[1:])
print(" ".join(sys.modules), file=sys.stderr)
"""


def page_of(workspace: Workspace, tmp_path: Path, *arguments: str) -> str:
    """The page that a build writes."""
    file = tmp_path / "page.html"
    file.unlink(missing_ok=True)
    workspace.selftune("build", *arguments, "--html", str(file), "-C", str(workspace.root))
    return file.read_text(encoding="utf-8")


def plain(page: str) -> str:
    """What one reads of a page, in one line."""
    body = re.sub(r"(?s)<(style|script)>.*?</\1>", "", page)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


def test_a_case_stands_in_one_line_with_both_arms_and_its_transcripts(built: Workspace, tmp_path: Path) -> None:
    page = page_of(built, tmp_path)
    (case,) = [body for body in re.findall(r"(?s)<tbody id=.*?</tbody>", page) if ">black<" in body]
    assert plain(case).startswith("black should trigger ✓ held n 1 1/1 1/1 0/1 Make strong coffee")
    told = plain(case)
    assert told.index("With the skill") < told.index("Grind the beans") < told.index("Without the skill")
    assert "brew/evals/evals.yaml" in told


def test_the_page_is_well_formed(built: Workspace, tmp_path: Path) -> None:
    parser = html5lib.HTMLParser()
    parser.parse(page_of(built, tmp_path))
    assert parser.errors == []


def test_the_same_build_gives_the_same_page(built: Workspace, tmp_path: Path) -> None:
    assert page_of(built, tmp_path) == page_of(built, tmp_path)


def test_what_a_plan_would_run_is_missing_and_the_page_calls_it_a_plan(fresh: Workspace, tmp_path: Path) -> None:
    told = plain(page_of(fresh, tmp_path, "--dry-run"))
    assert "A plan: nothing was executed." in told
    assert "black should trigger – missing" in told


def test_under_locked_the_page_has_prompts_and_no_transcript(built: Workspace, tmp_path: Path) -> None:
    page = page_of(built, tmp_path, "--locked")
    assert "no transcript was read" in page
    assert "Make strong coffee" in page
    assert "Grind the beans" not in page
    assert "<article" not in page


def test_where_the_store_has_no_samples_the_page_says_so(built: Workspace, tmp_path: Path) -> None:
    built.remove_store()
    told = plain(page_of(built, tmp_path))
    assert "Verified" in told
    assert "No sample of it is in this store." in told


def test_a_failing_check_stands_on_the_page_with_its_evidence(built: Workspace, tmp_path: Path) -> None:
    cases = json.loads(built.read("brew/evals/evals.yaml"))
    cases["cases"][1]["checks"] = [{"contains": "Oolong"}]
    built.write("brew/evals/evals.yaml", json.dumps(cases))
    told = plain(page_of(built, tmp_path))
    assert 'contains "Oolong" seen: not in the answer' in told
    assert re.search(r"✗ failed contains \"Oolong\" not in the answer", told)


def test_the_lock_is_compared_with_that_of_the_last_commit(built: Workspace, tmp_path: Path) -> None:
    assert "Lock: not compared with HEAD" in plain(page_of(built, tmp_path))
    assert str(built.root) not in page_of(built, tmp_path)
    (built.root / ".gitignore").write_text(".selftune/\n")
    committed(built.root)
    assert "Lock: as at HEAD." in plain(page_of(built, tmp_path))
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")
    told = plain(page_of(built, tmp_path))
    assert re.search(r"Lock: \d+ changes? since HEAD", told)


def test_only_a_build_that_was_asked_for_a_page_loads_what_makes_one(built: Workspace, tmp_path: Path) -> None:
    def loaded(*arguments: str) -> set[str]:
        argv = [sys.executable, "-c", MODULES, "build", "-v", *arguments, "-C", str(built.root)]
        environment = {**built.environment, "TEST_LEDGER": str(built.ledger)}
        done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
        return set(done.stderr.splitlines()[-1].split())

    makers = {"vl_convert", "selftune_build.report.html.page", "selftune_build.engine.telling.detail", "dulwich"}
    built.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")
    assert makers & loaded("--junit", str(tmp_path / "junit.xml")) == set()
    assert makers & loaded("--html", str(tmp_path / "page.html")) >= makers - {"dulwich"}


def test_html_is_a_report_format_like_the_others(built: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    built.selftune("build", f"--report=html={file}", "-C", str(built.root))
    assert file.read_text(encoding="utf-8") == page_of(built, tmp_path)
