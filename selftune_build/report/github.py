"""Annotations as workflow commands of GitHub Actions; what is not meant as a command is fenced off.

A runner takes every line that begins with `::`, blanks before it included, for a command, and `##[` anywhere in a line. Escapes
are those of the runner's own parser: `%`, CR and LF in a message; `:` and `,` as well in a property.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from selftune_build.limits import GITHUB_ANNOTATIONS
from selftune_build.model.report import Report
from selftune_build.report.cells import name, sentence
from selftune_build.report.sarif import Result, results

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def commands(report: Report) -> str:
    """One command for each problem, gate, failed check and finding, as many of each level as GitHub shows of a step."""
    found = dict.fromkeys(each for package in report.packages for each in results(package))
    return "".join(f"{line}\n" for level in _COMMANDS for line in _of_level(list(found), level, report.prefix))


def fenced(text: str) -> str:
    """The text with commands switched off while it is printed, by a word that nobody can have foreseen."""
    word = secrets.token_hex(16)
    return f"::stop-commands::{word}\n{text.rstrip()}\n::{word}::"


def _of_level(found: list[Result], level: str, prefix: str) -> Iterator[str]:
    for each in [each for each in found if each.level == level][:GITHUB_ANNOTATIONS]:
        place = f"file={_property(prefix + each.path)},line={each.line},title={_property(name(each.code))}"
        yield f"::{_COMMANDS[level]} {place}::{_message(sentence(each.message))}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace("##[", "#%23[")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
