"""The page: what was decided first, then each package, then what it cost."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

from selftune_build import __version__
from selftune_build.limits import HTML_ENTRIES, HTML_TRANSCRIPTS
from selftune_build.model.report import Report
from selftune_build.model.sample import EvidenceOrigin
from selftune_build.model.verdict import Verdict
from selftune_build.report.cells import sentence
from selftune_build.report.html.cases import STATES
from selftune_build.report.html.markup import Markup, tag
from selftune_build.report.html.overview import by_verdict, overview
from selftune_build.report.html.package import VERDICTS, Drawn, package_section, pictures
from selftune_build.report.html.transcripts import every_transcript
from selftune_build.report.overlay import overlay_line
from selftune_build.wording import counted

_FOLDER = Path(__file__).parent
_SAID = {Verdict.PASS: "Verified", Verdict.FAIL: "Not verified", Verdict.INCONCLUSIVE: "Not decided"}


def render(report: Report) -> str:
    """The whole document. It asks for nothing and runs nothing but its own script, whatever stands in it."""
    style, script = (_FOLDER / "page.css").read_text("utf-8"), (_FOLDER / "page.js").read_text("utf-8")
    drawn = pictures(report)
    body = tag("body", _header(report), tag("main", *_main(report, drawn)), _footer(report), tag("script", Markup(script)))
    return f"<!doctype html>\n{tag('html', _head(report, style, script), body, lang='en')}\n"


def _head(report: Report, style: str, script: str) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="generator", content=f"selftune-build {__version__}"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"selftune: {report.verdict.value}, {counted(len(report.packages), 'package')}"),
        tag("style", Markup(style)),
    )


def _policy(style: str, script: str) -> str:
    """Content Security Policy: this style and this script by their digests, nothing else from anywhere."""
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _header(report: Report) -> Markup:
    verdict = report.verdict
    title = tag("h1", tag("span", VERDICTS[verdict], aria_hidden="true", class_="sign"), " ", _SAID[verdict])
    return tag(
        "header",
        tag("a", "Skip to the packages", href="#packages", class_="skip"),
        tag("p", "selftune build", class_="brand"),
        title,
        tag("p", _counts(report), class_="lead"),
        *(tag("p", line, class_="evidence") for line in _evidence(report)),
        class_=f"top {verdict.value}",
    )


def _counts(report: Report) -> str:
    total = len(report.packages)
    parts = [f"{count} {said}" for verdict, said in _OF.items() if (count := _number(report, verdict))]
    return f"{counted(total, 'package')}: {', '.join(parts)}." if parts else "No package was selected."


_OF = {Verdict.FAIL: "not verified", Verdict.INCONCLUSIVE: "not decided", Verdict.PASS: "verified"}


def _number(report: Report, verdict: Verdict) -> int:
    return sum(package.verdict is verdict for package in report.packages)


def _evidence(report: Report) -> Iterator[str]:
    """What the numbers rest on, before the numbers."""
    origins = {package.origin for package in report.packages}
    if EvidenceOrigin.SIMULATED.value in origins:
        yield "Structure check: no model was run for evidence marked simulated."
    if EvidenceOrigin.RECORDED.value in origins:
        yield "Evidence marked recorded comes from transcripts that were not made for these texts."
    if report.mode == "locked":
        yield "Judged from tree and lock alone: nothing was executed and no transcript was read."
    if report.mode == "dry-run":
        yield "A plan: nothing was executed."
    if report.overlay is not None:
        yield f"{overlay_line(report.overlay)}."
    for remark in dict.fromkeys(package.remark for package in report.packages if package.remark):
        yield sentence(remark)


def _main(report: Report, drawn: Drawn) -> Iterator[Markup | None]:
    transcripts = every_transcript(report)
    yield overview(report)
    yield _next(report)
    yield _tools() if any(package.rows for package in report.packages) else None
    folded = len(report.packages) > _OPEN
    sections = [
        package_section(report, index, drawn, transcripts.of(index), folded=folded and package.verdict is Verdict.PASS)
        for index, package in by_verdict(report)
    ]
    yield tag("section", tag("h2", "Packages", class_="unseen"), *sections, id="packages")
    yield tag("p", _left_out(transcripts.left_out), class_="cut") if transcripts.left_out else None


_OPEN = 6
"""Up to so many packages all are unfolded, with more only those that do not pass."""


def _left_out(cases: int) -> str:
    most = f"at most {HTML_TRANSCRIPTS} rows, failing cases first"
    return f"The transcripts of {counted(cases, 'case')} are left out: the page holds {most}. `selftune show` has all."


def _next(report: Report) -> Markup | None:
    commands = list(dict.fromkeys(package.next_command for package in report.packages if package.next_command))
    if not commands:
        return None
    lines = [tag("li", tag("code", sentence(command), class_="command")) for command in commands[:HTML_ENTRIES]]
    return tag("section", tag("h2", "Next"), tag("ul", *lines, class_="commands"), class_="next")


def _tools() -> Markup:
    """Shown by the script that works them."""
    options = [tag("option", "every state", value="")] + [tag("option", state.value, value=state.value) for state in STATES]
    return tag(
        "form",
        tag("label", "Filter cases ", tag("input", type="search", id="filter", autocomplete="off")),
        tag("label", "State ", tag("select", *options, id="state")),
        tag("output", "", id="found", role="status"),
        id="tools",
        hidden=True,
        role="search",
    )


def _footer(report: Report) -> Markup:
    spend = report.spend
    facts = [
        ("agent calls", str(spend.agent_calls)),
        ("judge calls", str(spend.judge_calls)),
        ("cost", f"{spend.cost_usd} USD"),
        ("reused", str(spend.reused)),
        ("exit status", str(report.exit_code)),
    ]
    told = [tag("div", tag("dt", term), tag("dd", fact)) for term, fact in facts]
    made = tag(
        "p", f"selftune-build {__version__}. Text of skills and models is shown as it is, with escapes for what cannot be seen."
    )
    return tag("footer", tag("h2", "What this run cost"), tag("dl", *told, class_="facts"), made)
