"""The HTML page: text of strangers is text, what is too much is cut and said, everything can be read."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from selftune_build.limits import (
    HTML_ENTRIES,
    HTML_FILES,
    HTML_SAMPLES,
    HTML_TEXT_CHARACTERS,
    HTML_TRANSCRIPT_CHARACTERS,
)
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.report import Report, RowReport, RowState, Spend
from selftune_build.model.verdict import Verdict
from selftune_build.report.html import page as page_module
from selftune_build.report.html.markup import Markup, tag, text
from selftune_build.report.html.package import pictures
from selftune_build.report.html.page import render
from selftune_build.report.html.pictures import EDGE, WIDTH, Interval, draw
from tests.unit.report.pages import ATTACKS, MARKER, package, said_by, shown_case

PIECES = ("<a", "<b x=", "</p>", "</pre>", "<!--", "&lt;", "&#60;", '"', "'", "=", ">", "]]>", "\u202e", "\x00")
FOLDER = Path(page_module.__file__).parent
HREF = re.compile(r"#packages|#p\d+|data:,")


@pytest.fixture(autouse=True, scope="module")
def drawn_once() -> Iterator[None]:
    """Drawing is the same for every page here, and slow."""
    patch = pytest.MonkeyPatch()
    kept = page_module.pictures(said_by("x"))
    patch.setattr(page_module, "pictures", lambda report: kept)
    yield
    patch.undo()


def parsed(page: str) -> Element:
    """The document as a browser builds it."""
    root: Element = html5lib.parse(page, treebuilder="etree", namespaceHTMLElements=False)
    return root


def shape(root: Element) -> list[tuple[str, list[tuple[str, str]]]]:
    """Every element and its attributes, in order; comments too."""
    return [(str(each.tag), sorted(each.attrib.items())) for each in root.iter()]


def words(root: Element) -> str:
    """All text nodes outside of style and script."""
    parts = [(each.text if each.tag not in ("style", "script") else "") or "" for each in root.iter()]
    return "\n".join([*parts, *(each.tail or "" for each in root.iter())])


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_of_strangers_changes_text_nodes_and_nothing_else(attack: str) -> None:
    hostile, harmless = parsed(render(said_by(attack))), parsed(render(said_by("harmless")))
    assert shape(hostile) == shape(harmless)
    assert MARKER in words(hostile)
    assert MARKER not in str(shape(hostile))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), min_size=1, max_size=20).map("".join).filter(str.strip))
def test_whatever_the_text_is_the_elements_stay_ours(stranger: str) -> None:
    lines = [line for line in stranger.split("\n") if line.strip()]
    hostile = parsed(render(said_by(" ".join(lines))))
    assert shape(hostile) == shape(parsed(render(said_by("harmless"))))
    unseen = [each for each in words(hostile) if not each.isprintable() and each != "\n"]
    assert unseen == []


def test_links_lead_into_the_page_and_nothing_is_loaded() -> None:
    root = parsed(render(said_by("http://e.vil/ javascript:alert(1)")))
    links = [each.attrib["href"] for each in root.iter() if "href" in each.attrib]
    assert links
    assert [link for link in links if not HREF.fullmatch(link)] == []
    assert [each for each in root.iter() if {"src", "srcset", "style", "action", "formaction"} & each.attrib.keys()] == []
    assert {each.tag for each in root.iter()}.isdisjoint({"iframe", "img", "object", "embed", "base", "audio", "video"})


def test_the_policy_admits_this_style_and_this_script_alone() -> None:
    root = parsed(render(said_by("x")))
    (policy,) = [each.attrib["content"] for each in root.iter("meta") if "http-equiv" in each.attrib]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    for element, rule in (("style", "style-src"), ("script", "script-src")):
        (found,) = root.iter(element)
        assert found.text == (FOLDER / f"page.{'css' if element == 'style' else 'js'}").read_text("utf-8")
        digest = base64.b64encode(hashlib.sha256((found.text or "").encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"


def test_an_attribute_that_nobody_wrote_here_is_refused() -> None:
    with pytest.raises(ValueError):
        tag("p", id='x" onclick="y')
    assert tag("p", "<b>", Markup("<i>"), None, hidden=True, title=None) == "<p hidden>&lt;b&gt;<i></p>"


def test_what_cannot_be_seen_is_written_as_an_escape_and_lines_stay_lines() -> None:
    assert text("a\u202eb\x00\n<c>") == "a\\u202eb\\x00\n&lt;c&gt;"


def test_a_long_text_is_cut_and_the_page_says_how_much_is_missing() -> None:
    report = said_by("x")
    case = shown_case("x", "x:replay[x]", "with_skill", output="y" * 70 + "\n" + "z" * HTML_TEXT_CHARACTERS)
    page = render(with_shown(report, case))
    assert "Cut here: 71 more characters." in page
    assert "z" * (HTML_TEXT_CHARACTERS - 71) in page
    assert "z" * (HTML_TEXT_CHARACTERS - 70) not in page


def test_samples_and_files_beyond_the_limit_are_counted() -> None:
    case = shown_case("x", "x:replay[x]", "with_skill", samples=HTML_SAMPLES + 2, files=HTML_FILES + 1)
    page = render(with_shown(said_by("x"), case))
    assert page.count("Cut here: 2 more samples.") == 1
    assert page.count("Cut here: 1 more file.") == HTML_SAMPLES
    assert page.count("<article") == HTML_SAMPLES


def test_a_list_beyond_the_limit_is_cut_and_counted() -> None:
    report = said_by("x")
    findings = tuple(Finding("odd", Severity.NOTE, f"remark {number}") for number in range(HTML_ENTRIES + 3))
    page = render(replace(report, packages=(replace(report.packages[0], findings=findings),)))
    assert f"{HTML_ENTRIES + 3} findings" in page
    assert (page.count("remark "), page.count("Cut here: 3 more.")) == (HTML_ENTRIES, 1)


def test_intervals_beyond_the_limit_are_numbers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selftune_build.report.html.package.HTML_PICTURES", 1)
    drawn = pictures(said_by("x"))
    assert (len(drawn.found), drawn.trouble) == (1, "1 more interval not drawn.")


def test_where_the_page_is_full_transcripts_of_failing_cases_are_those_that_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tuple(
        RowReport(f"p:replay[{case}]", case, "with_skill", state, 1, 1, None, True)
        for case, state in (("good", RowState.HELD), ("bad", RowState.FAILED), ("fine", RowState.HELD))
    )
    filled = package("p", rows=rows)
    assert filled.detail is not None
    shown = {row.target: shown_case("p", row.target, "with_skill", output=f"answer {row.case}") for row in rows}
    report = Report(Verdict.FAIL, 1, Spend(), (replace(filled, detail=replace(filled.detail, shown=shown)),))
    size = len(render(report)) - len(render(with_shown(report)))
    assert size < HTML_TRANSCRIPT_CHARACTERS
    monkeypatch.setattr("selftune_build.report.html.transcripts.HTML_TRANSCRIPT_CHARACTERS", size // 2)
    page = render(report)
    assert [answer for answer in ("good", "bad", "fine") if f"answer {answer}" in page] == ["bad"]
    assert "The transcripts of 2 cases are left out" in page


def test_failing_packages_and_failing_cases_come_first() -> None:
    rows = tuple(
        RowReport(f"p:replay[{case}]", case, "with_skill", state, 1, 1, None, True)
        for case, state in (("case-held", RowState.HELD), ("case-open", RowState.UNDECIDED), ("case-bad", RowState.FAILED))
    )
    packages = (package("good", verdict=Verdict.PASS), package("bad", rows=rows))
    page = render(Report(Verdict.FAIL, 1, Spend(), packages))
    assert page.index('href="#p2"') < page.index('href="#p1"')
    assert page.index('id="p2"') < page.index('id="p1"')
    assert page.index("case-bad") < page.index("case-open") < page.index("case-held")


def test_a_lock_is_judged_without_transcripts_and_the_page_says_so() -> None:
    assert "no transcript was read" in render(said_by("x", mode="locked"))
    assert "no transcript was read" not in render(said_by("x"))


def test_an_interval_is_drawn_where_its_numbers_are() -> None:
    found = draw([Interval(0.75, 0.5, 0.9, 0.6, False), Interval(-0.25, -0.5, 0.1, None, True)])
    rate, lift = map(fromstring, found.values())
    assert drawn_at(rate) == pytest.approx((0.75 * WIDTH, 0.5 * WIDTH, 0.9 * WIDTH))
    assert drawn_at(lift) == pytest.approx((0.375 * WIDTH, 0.25 * WIDTH, 0.55 * WIDTH))
    assert (len(list(rate.iter("path"))), len(list(lift.iter("path")))) == (2, 1)  # dot and minimum; dot
    assert rate.attrib["width"] == str(WIDTH + 2 * EDGE)


def test_without_the_drawing_library_the_numbers_are_there_and_the_page_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    monkeypatch.setattr(page_module, "pictures", pictures)
    page = render(said_by("x"))
    assert "<svg" not in page
    assert "pip install &#x27;selftune-build[html]&#x27;" in page
    assert "0.50 to 0.90, n 8" in page


def drawn_at(root: Element) -> tuple[float, float, float]:
    """Where the dot and the two ends of the bar are."""
    (bar,) = [each for each in root.iter("line") if each.get("stroke") == "var(--bar)"]
    (dot,) = [each for each in root.iter("path") if each.get("fill") == "var(--dot)"]
    ends = sorted((moved(bar), moved(bar) + float(bar.attrib["x2"])))
    return moved(dot), ends[0], ends[1]


def moved(element: Element) -> float:
    found = re.match(r"translate\(([-\d.]+),", element.attrib["transform"])
    assert found
    return float(found[1])


def with_shown(report: Report, *cases: object) -> Report:
    """The report with these transcripts of its first package instead of its own."""
    (first,) = report.packages
    assert first.detail is not None
    shown = {case.target: case for case in cases}  # type: ignore[attr-defined]
    return replace(report, packages=(replace(first, detail=replace(first.detail, shown=shown)),))


PAIRS = [
    (text_colour, ground)
    for text_colour in ("ink", "quiet", "pass", "fail", "open", "accent")
    for ground in ("paper", "raised", "shade")
]


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_every_colour_of_text_has_the_contrast_of_wcag_aa(theme: str) -> None:
    palette = palettes()[theme]
    poor = {pair: ratio for pair in PAIRS if (ratio := contrast(palette[pair[0]], palette[pair[1]])) < 4.5}
    assert poor == {}
    assert contrast(palette["dot"], palette["bar"]) >= 3


def palettes() -> dict[str, dict[str, str]]:
    style = (FOLDER / "page.css").read_text("utf-8")
    blocks = [dict(re.findall(r"--(\w+): (#\w+)", block)) for block in re.findall(r":root \{(.*?)\}", style, re.S)]
    return dict(zip(("light", "dark", "print"), blocks, strict=True))


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2, section 1.4.3."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
    shares = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
