"""A new plugin as the files of a complete distribution: project, code, tests that pass, README, for a gate an example."""

from __future__ import annotations

import re
import shlex
from importlib.resources import files
from pathlib import Path

from selftune_build import __version__
from selftune_build.errors import UsageError
from selftune_build.plugins.kinds import GROUP, HOOKS, Kind

NAME_LIMIT = 40
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_SUFFIX = ".template"
_EXAMPLE = "example"
# A gate has decided something only where a skill was measured.
_EXAMPLES = {Kind.GATE: tuple(f"{_EXAMPLE}/{path}" for path in ("SKILL.md", "evals/evals.yaml", "selftune.yaml"))}


def distribution_name(kind: Kind, name: str) -> str:
    """How the distribution of a plugin is called: `selftune-gate-NAME`."""
    return f"selftune-{kind}-{name}"


def distribution_files(kind: Kind, name: str) -> dict[str, bytes]:
    """Relative path → bytes, sorted by path. Raises UsageError for a name that makes no distribution and no id."""
    _check(kind, name)
    distribution = distribution_name(kind, name)
    package = distribution.replace("-", "_")
    values = {
        "name": name,
        "kind": kind.value,
        "distribution": distribution,
        "package": package,
        "hook": HOOKS[kind],
        "group": GROUP,
        "version": __version__.partition("+")[0],
    }
    contents = {
        "pyproject.toml": "pyproject.toml",
        "README.md": f"{kind}/README.md",
        f"src/{package}/__init__.py": f"{kind}/plugin.py",
        f"src/{package}/py.typed": None,
        "tests/conftest.py": "conftest.py",
        "tests/test_conformance.py": f"{kind}/test_conformance.py",
        "tests/test_installed.py": "test_installed.py",
        **{path: f"{kind}/{path}" for path in _EXAMPLES.get(kind, ())},
    }
    return {path: _filled(contents[path], values) for path in sorted(contents)}


def next_commands(kind: Kind, root: Path) -> list[str]:
    """What to type after it was written to `root`: from its files to tests that pass and, where it has one, its example."""
    build = [f"selftune build verify -C {_EXAMPLE}"] if kind in _EXAMPLES else []
    return [f"cd {shlex.quote(str(root))}", "pip install -e '.[dev]'", "pytest", *build]


def _check(kind: Kind, name: str) -> None:
    if len(name) <= NAME_LIMIT and _NAME.fullmatch(name):
        return
    suggestion = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:NAME_LIMIT].strip("-0123456789") or "my-plugin"
    message = f"{name!r} is no name for a plugin: a letter, then lower-case letters, digits, single hyphens, at most {NAME_LIMIT}"
    raise UsageError(message, hint=f"selftune plugins new --kind {kind} {suggestion}")


def _filled(template: str | None, values: dict[str, str]) -> bytes:
    if template is None:
        return b""
    source = files(__package__) / "templates"
    for part in (template + _SUFFIX).split("/"):
        source = source / part
    text = source.read_text(encoding="utf-8")
    return _PLACEHOLDER.sub(lambda found: values[found.group(1)], text).encode()
