"""A real Chromium, driven through Playwright. They fail where it is missing: `make browser` installs both."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from selftune_build.model.report import Report
from selftune_build.report.html.page import render

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or pytest.fail("there is no chromium: run `make browser`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


class Watched:
    """A page and what it did that a page must not do: ask for something, complain, be refused something by its policy."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.wrong: list[str] = []
        page.on("console", lambda message: self.wrong.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.wrong.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: self._asked(request.url, file.as_uri()))
        page.add_init_script(
            "window.refused = []; addEventListener('securitypolicyviolation', (event) => refused.push(event.violatedDirective))"
        )
        page.goto(file.as_uri())

    def _asked(self, url: str, own: str) -> None:
        if url.partition("#")[0] != own and not url.startswith("data:"):
            self.wrong.append(f"request: {url}")

    @property
    def refused(self) -> list[str]:
        """Directives of the policy that something on the page ran into."""
        found: list[str] = self.page.evaluate("window.refused")
        return found


@pytest.fixture
def shown(chromium: Browser, tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """Shows a report, or the text of a page, in a window of a width and a colour scheme."""
    opened: list[Watched] = []

    def show(what: Report | str, width: int = 1200, scheme: str = "light", *, script: bool = True) -> Watched:
        file = tmp_path / f"page-{len(opened)}.html"
        file.write_text(what if isinstance(what, str) else render(what), encoding="utf-8")
        window = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "java_script_enabled": script}
        context = chromium.new_context(**window)  # type: ignore[arg-type]
        opened.append(Watched(context.new_page(), file))
        return opened[-1]

    yield show
    for each in opened:
        each.page.context.close()
