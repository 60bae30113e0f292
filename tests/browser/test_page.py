"""The HTML page in a real browser: it asks for nothing, runs nothing of strangers, can be read, worked and printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from selftune_build.model.report import Report, RowReport, RowState, Spend
from selftune_build.model.verdict import Verdict
from selftune_build.report.html.page import render
from tests.cli.repository import committed
from tests.property.kitchen import kitchen
from tests.unit.report.pages import ATTACKS, MARKER, package, said_by

if TYPE_CHECKING:
    from tests.browser.conftest import Watched

Show = Callable[..., "Watched"]
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def suite() -> Report:
    """Two packages with cases of every state."""
    states = (RowState.HELD, RowState.FAILED, RowState.UNDECIDED, RowState.MISSING)
    rows = tuple(
        RowReport(f"p:replay[{state.value}-{number}]", f"{state.value}-{number}", "with_skill", state, 3, number, None, True)
        for state in states
        for number in range(3)
    )
    return Report(Verdict.FAIL, 1, Spend(), (package("alpha", rows=rows), package("beta", verdict=Verdict.PASS)))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a real build in a repository, with a failing case."""
    folder = tmp_path_factory.mktemp("built")
    workspace = kitchen(folder / "workspace", folder / "ledger")
    workspace.edit("brew/evals/evals.yaml", '"Steam"', '"Oolong"')
    workspace.build()
    committed(workspace.root)
    workspace.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")
    workspace.selftune("build", "--html", str(folder / "page.html"), "-C", str(workspace.root))
    return (folder / "page.html").read_text(encoding="utf-8")


def visible(watched: Watched) -> list[str]:
    """Ids of the cases that can be seen, in their order."""
    found = watched.page.eval_on_selector_all(
        "table.cases > tbody > tr:first-child .id",
        "all => all.filter((one) => one.checkVisibility()).map((one) => one.textContent)",
    )
    return list(found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 700, 1200])
def test_a_real_page_is_quiet_fits_its_window_and_asks_for_nothing(shown: Show, built: str, width: int, scheme: str) -> None:
    watched = shown(built, width, scheme)
    watched.page.eval_on_selector_all("details", "all => all.forEach((one) => { one.open = true })")
    assert watched.page.evaluate(OVERFLOW) == 0
    assert watched.page.locator("h1").inner_text() == "✓ Verified"
    assert (watched.wrong, watched.refused) == ([], [])


def test_long_words_do_not_widen_a_narrow_page(shown: Show) -> None:
    watched = shown(said_by("x" * 900), 360)
    watched.page.eval_on_selector_all("details", "all => all.forEach((one) => { one.open = true })")
    assert watched.page.evaluate(OVERFLOW) == 0


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_a_stranger_runs_or_loads(shown: Show, attack: str) -> None:
    watched = shown(said_by(attack))
    page = watched.page
    page.eval_on_selector_all("details", "all => all.forEach((one) => { one.open = true })")
    page.mouse.move(300, 300)
    for _ in range(12):
        page.keyboard.press("Tab")
    page.locator("#filter").fill("a")
    page.locator("table.cases th button").first.click()
    assert page.evaluate(f"typeof window.{MARKER}") == "undefined"
    assert (watched.wrong, watched.refused) == ([], [])


def test_the_policy_holds_even_where_escaping_would_fail(shown: Show) -> None:
    evil = f"<script>window.{MARKER}=1</script><img src=x onerror=window.{MARKER}=1><style>body{{display:none}}</style>"
    watched = shown(render(said_by("x")).replace("<main>", f"<main>{evil}"))
    assert watched.page.evaluate(f"typeof window.{MARKER}") == "undefined"
    assert watched.page.locator("h1").is_visible()
    assert {"script-src-elem", "img-src", "style-src-elem"} <= set(watched.refused)


def test_dark_and_light_follow_the_system(shown: Show, built: str) -> None:
    grounds = [
        shown(built, 1200, scheme).page.evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    light, dark = (sum(map(int, re.findall(r"\d+", ground))) for ground in grounds)
    assert light > 700
    assert dark < 120


def test_the_colours_of_pictures_are_those_of_the_page(shown: Show, built: str) -> None:
    dot = "getComputedStyle(document.querySelector('svg.interval path[fill=\"var(--dot)\"]')).fill"
    light, dark = (shown(built, 1200, scheme).page.evaluate(dot) for scheme in ("light", "dark"))
    assert (light, dark) == ("rgb(31, 95, 168)", "rgb(143, 188, 240)")


def test_cases_are_filtered_by_text_and_by_state_with_the_keyboard(shown: Show) -> None:
    watched = shown(suite())
    page = watched.page
    page.get_by_label("Filter cases").focus()
    page.keyboard.type("-1")
    assert visible(watched) == ["failed-1", "undecided-1", "missing-1", "held-1"]
    assert page.locator("#found").inner_text() == "4 of 13 cases"
    page.keyboard.press("Tab")
    page.keyboard.type("undecided")
    assert visible(watched) == ["undecided-1"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    assert visible(watched) == ["undecided-0", "undecided-1", "undecided-2"]
    page.get_by_label("State").select_option("")
    assert len(visible(watched)) == 13


def test_a_heading_sorts_and_says_how(shown: Show) -> None:
    watched = shown(suite())
    table = watched.page.locator("table.cases").first
    button = table.get_by_role("button", name="triggered")
    button.focus()
    watched.page.keyboard.press("Enter")
    heading = table.locator("th[aria-sort]")
    assert (heading.count(), heading.get_attribute("aria-sort")) == (1, "ascending")
    assert [each[-1] for each in visible(watched)[:12]] == ["0"] * 4 + ["1"] * 4 + ["2"] * 4
    watched.page.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "descending"
    assert visible(watched)[0].endswith("2")


def test_a_transcript_unfolds_with_the_keyboard_and_focus_can_be_seen(shown: Show, built: str) -> None:
    watched = shown(built)
    summary = watched.page.locator(".more summary").first
    answer = watched.page.locator(".more details").first.locator("pre").first
    assert not answer.is_visible()
    watched.page.keyboard.press("Tab")
    summary.focus()
    watched.page.keyboard.press("Enter")
    assert answer.is_visible()
    assert summary.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"


def test_without_script_everything_can_be_read_and_no_dead_control_is_there(shown: Show, built: str) -> None:
    page = shown(built, script=False).page
    assert not page.locator("#tools").is_visible()
    assert page.locator("th button").count() == 0
    page.locator(".more summary").first.click()
    assert page.locator(".more details").first.locator("pre").first.is_visible()


def test_a_link_to_a_folded_package_unfolds_it(shown: Show) -> None:
    packages = tuple(package(f"skill-{number}", verdict=Verdict.PASS) for number in range(9))
    page = shown(Report(Verdict.PASS, 0, Spend(), packages)).page
    last = page.locator("details.package").last
    assert last.get_attribute("open") is None
    page.get_by_role("link", name="skill-8").click()
    page.wait_for_function("document.querySelector('#p9').open")


def test_headings_tables_and_landmarks_have_names(shown: Show, built: str) -> None:
    page = shown(built).page
    assert page.get_by_role("main").count() == page.get_by_role("banner").count() == page.get_by_role("contentinfo").count() == 1
    levels = [int(tag[1]) for tag in page.eval_on_selector_all("h1,h2,h3,h4,h5,h6", "all => all.map((one) => one.tagName)")]
    assert levels[0] == 1
    assert max(after - before for before, after in pairwise(levels)) == 1
    assert page.get_by_role("columnheader", name="triggered").count() == 2
    assert page.get_by_role("rowheader", name=re.compile("black")).count() == 1


def test_on_a_narrow_page_gates_are_still_a_table_to_those_who_listen(shown: Show, built: str) -> None:
    page = shown(built, 360).page
    gates = page.get_by_role("table").filter(has=page.get_by_role("rowheader", name="trigger-recall")).first
    assert gates.get_by_role("cell").count() >= 8


def test_paper_has_every_package_and_those_transcripts_that_are_unfolded(shown: Show, tmp_path: Path) -> None:
    packages = tuple(package(f"skill-{number}", verdict=Verdict.PASS) for number in range(9))
    page = shown(Report(Verdict.PASS, 0, Spend(), packages)).page
    page.locator("details.package").first.evaluate("one => { one.open = true }")
    page.locator(".more details").first.evaluate("one => { one.open = true }")
    printed = text_of(page, tmp_path)
    assert [number for number in range(9) if f"skill-{number}:replay[skill-{number}] failed in" not in printed] == []
    assert printed.count("With the skill") == 1
    assert "Filter cases" not in printed


def text_of(page: Any, tmp_path: Path) -> str:
    """What stands on the sheets of a printed page."""
    from pypdf import PdfReader

    page.pdf(path=tmp_path / "page.pdf", format="A4", print_background=True)
    return "\n".join(sheet.extract_text() for sheet in PdfReader(tmp_path / "page.pdf").pages)
