"""What every test starts from: the surroundings of whoever runs the tests say nothing to the commands under test."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

# A terminal's width, colours asked for, files that a CI service wants written: each changes what a command prints.
SURROUNDINGS = (
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_OUTPUT",
    "SELFTUNE_STORE",
    "SELFTUNE_REMOTE",
    "SELFTUNE_REMOTE_READ",
    "SELFTUNE_REMOTE_WRITE",
)


def pytest_configure(config: pytest.Config) -> None:
    """Forget them, for this process and all that it starts.

    Examples are the same in every run (`--hypothesis-profile new` draws others); one that takes its time is no failure.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever starts the tests in the background has it ignored
    for name in SURROUNDINGS:
        os.environ.pop(name, None)
    settings.register_profile("new", deadline=None)
    settings.register_profile("calm", deadline=None, derandomize=True)
    settings.load_profile(config.getoption("--hypothesis-profile") or "calm")
