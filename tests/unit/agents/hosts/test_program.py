"""Which version of a program is installed, and what a login is found by."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from selftune_build.agents.hosts import Login, LoginFile, Program, Variable, diagnose
from selftune_build.agents.hosts.host import UNCONFINED

LOGIN = Login((Variable("SMALL_KEY"), Variable("SMALL_URL", secret=False)), (LoginFile("SMALL_HOME", ".small", "login.json"),))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with the program `small` as npm installs one: a link on PATH, the package around its target."""
    folder, binaries = tmp_path / "lib" / "small", tmp_path / "bin"
    (folder / "dist").mkdir(parents=True)
    binaries.mkdir()
    (folder / "dist/cli.js").write_text("#!/bin/sh\necho small 9.9.9 >&2\n")
    (folder / "dist/cli.js").chmod(0o755)
    (binaries / "small").symlink_to(folder / "dist/cli.js")
    monkeypatch.setenv("PATH", str(binaries), prepend=os.pathsep)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(UNCONFINED, "1")
    for name in ("SMALL_KEY", "SMALL_URL", "SMALL_HOME"):
        monkeypatch.delenv(name, raising=False)
    return folder


def describe(package: Path, **document: object) -> None:
    (package / "package.json").write_text(json.dumps({"version": "1.2.3", **document}))


def test_the_version_is_that_of_the_package_around_it(package: Path) -> None:
    describe(package, bin={"small": "dist/cli.js"})
    assert Program("small", "").version() == "1.2.3"


def test_without_a_package_of_its_own_it_is_asked(package: Path) -> None:
    describe(package, bin={"another": "x"})
    assert Program("small", "").version() == "9.9.9"
    assert Program("not-there", "").version() is None


def test_a_program_without_a_status_command_is_logged_in_by_what_is_passed_on(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALL_URL", "http://x")
    assert diagnose(Program("small", ""), LOGIN, "small login").next_step == "small login"
    (package.parents[1] / ".small").mkdir()
    (package.parents[1] / ".small/login.json").write_text("{}")
    assert diagnose(Program("small", ""), LOGIN, "small login").login == "login.json"
    monkeypatch.setenv("SMALL_KEY", "key")
    found = diagnose(Program("small", ""), LOGIN, "small login")
    assert (found.login, found.version, found.next_step) == ("SMALL_KEY", "9.9.9", None)


def test_a_program_is_not_usable_without_those_that_it_needs(package: Path) -> None:
    needed = Program("not-there", "get it")
    program = Program("small", "", needs=(needed,))
    assert program.missing() == "the program `not-there` is not on PATH: install it with `get it`"
    found = diagnose(program, LOGIN, "small login")
    assert (found.program, found.problems, found.next_step) == (program.path(), ("not-there is not on PATH",), "get it")
    assert Program("small", "", needs=(Program("small", ""),)).missing() is None
