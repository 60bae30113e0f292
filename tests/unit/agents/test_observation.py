"""What a run was seen to depend on (DESIGN section 5): real files, read by real processes, and what agents say beside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from selftune_build.agents import observation
from selftune_build.agents.observation import (
    Setting,
    observed,
    observed_by_script,
    probe_access_times,
    set_old_times,
    touched_names,
)
from selftune_build.agents.protocol import Traits
from selftune_build.model.sample import EvidenceOrigin, Reply, ToolCall

HOST = Traits(origin=EvidenceOrigin.LIVE)
"""One that may open every SKILL.md at start."""
CALM = Traits(origin=EvidenceOrigin.LIVE, opens_skill_files=False)
EXACT = Traits(origin=EvidenceOrigin.LIVE, opens_skill_files=False, exact_tools=("ls_one",))
LISTING = Traits(origin=EvidenceOrigin.LIVE, shows_listing=True)
NOTHING = frozenset[str]()

FACETS = [
    f"{name}:{facet}"
    for name in ("pdf", "csv")
    for facet in ("metadata", "body", "listing", "*", "file:references/a.md", "file:references/b.md", "file:scripts/run.py")
]
SETTING = Setting(frozenset(("pdf", "csv")), FACETS, "/tmp/s/root")
BODIES = frozenset(("pdf:body", "csv:body"))
LISTINGS = frozenset(("pdf:listing", "csv:listing"))
ALL = frozenset(("pdf:*", "csv:*"))
EVERY_FILE = {"pdf:body", "pdf:file:references/a.md", "pdf:file:references/b.md", "pdf:file:scripts/run.py"}


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    """A staged skill."""
    folder = tmp_path / "pdf"
    for path in ("SKILL.md", "references/a.md", "references/b.md", "scripts/run.py"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
        set_old_times(folder / path)
    return folder


def touched(folder: Path) -> frozenset[str] | None:
    paths = ("SKILL.md", "references/a.md", "references/b.md", "scripts/run.py")
    return touched_names(folder.parent, {"pdf": (folder, paths)})


def by_child(folder: Path, code: str) -> None:
    subprocess.run([sys.executable, "-S", "-c", code], cwd=folder, check=True)


def reply(skills: Iterable[str] | None = (), files: Iterable[str] | None = (), calls: Iterable[ToolCall] | None = ()) -> Reply:
    def told(values: Iterable[str] | None) -> tuple[str, ...] | None:
        return None if values is None else tuple(values)

    return Reply("x", told(skills), told(files), None if calls is None else tuple(calls))


# access times


def test_a_file_that_nobody_opened_is_not_touched_however_often_one_asks(pdf: Path) -> None:
    assert [touched(pdf) for _ in range(3)] == [NOTHING] * 3


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("open('references/a.md').read()", {"pdf:file:references/a.md"}),
        ("open('SKILL.md').read()", {"pdf:body"}),
        ("import subprocess; subprocess.run(['cat', 'references/b.md'])", {"pdf:file:references/b.md"}),
        ("import mmap, os; mmap.mmap(os.open('references/a.md', 0), 0, prot=1)[0]", {"pdf:file:references/a.md"}),
        ("import os; os.remove('references/a.md')", {"pdf:file:references/a.md"}),
        ("open('references/a.md', 'a').write('more')", {"pdf:file:references/a.md"}),
        ("import os; os.rename('references/a.md', 'references/c.md')", {"pdf:file:references/a.md"}),
        ("import os; os.rename('references', 'moved')", {"pdf:file:references/a.md", "pdf:file:references/b.md"}),
        ("import os; os.listdir('references'); os.stat('references/a.md'); os.path.exists('SKILL.md')", set()),
        ("open('references/a.md')", set()),
        ("import shutil; shutil.copytree('.', '../copy')", EVERY_FILE),
    ],
)  # fmt: skip
def test_what_a_child_reads_changes_moves_or_removes_is_touched_and_nothing_else(pdf: Path, code: str, names: set[str]) -> None:
    by_child(pdf, code)
    assert touched(pdf) == names


def test_a_script_that_is_run_is_read(pdf: Path) -> None:
    (pdf / "scripts/run.py").write_text("print(1)")
    set_old_times(pdf / "scripts/run.py")
    subprocess.run([sys.executable, "-S", str(pdf / "scripts/run.py")], check=True, stdout=subprocess.DEVNULL)
    assert touched(pdf) == {"pdf:file:scripts/run.py"}


def test_a_skill_file_below_the_top_is_a_file(pdf: Path) -> None:
    (pdf / "sub").mkdir()
    (pdf / "sub/SKILL.md").write_text("x")
    assert touched_names(pdf, {"pdf": (pdf, ["sub/SKILL.md"])}) == {"pdf:file:sub/SKILL.md"}


def test_where_access_times_do_not_move_nothing_is_told(pdf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(observation._probed, pdf.stat().st_dev, False)
    by_child(pdf, "open('references/a.md').read()")
    assert touched(pdf) is None
    assert touched_names(pdf, {}) == NOTHING


def test_the_probe_tells_a_file_system_whose_access_times_stand_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observation, "_probed", {})
    read = Path.read_bytes

    def without_trace(path: Path) -> bytes:
        """What a mount with `noatime` does: the time that was there is there again."""
        before = path.stat()
        content = read(path)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        return content

    with monkeypatch.context() as mounted:
        mounted.setattr(Path, "read_bytes", without_trace)
        assert probe_access_times(tmp_path) is False
    assert probe_access_times(tmp_path) is False  # tried once for each device
    observation._probed.clear()
    assert probe_access_times(tmp_path) is True
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observation, "_probed", {})

    def refused(path: Path, content: bytes) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "write_bytes", refused)
    assert probe_access_times(tmp_path) is False


# scripts


def test_a_script_depends_on_the_listings_and_on_what_it_opened() -> None:
    assert observed_by_script(SETTING, NOTHING) == LISTINGS
    assert observed_by_script(SETTING, frozenset(("pdf:body", "pdf:file:references/a.md"))) == LISTINGS | {
        "pdf:body",
        "pdf:metadata",
        "pdf:file:references/a.md",
    }
    assert observed_by_script(SETTING, None) == ALL


# agents

READ_A = ToolCall("Read", {"file_path": ".agents/skills/pdf/references/a.md"})


@pytest.mark.parametrize(
    ("moved", "said", "traits", "names"),
    [
        (NOTHING, reply(), HOST, NOTHING),
        # a touched SKILL.md proves nothing where the host opens every one
        ({"pdf:body"}, reply(), HOST, NOTHING),
        ({"pdf:body"}, reply(), CALM, {"pdf:body"}),
        ({"pdf:file:references/a.md"}, reply(), HOST, {"pdf:file:references/a.md"}),
        # activation: by word, by tool, of skills that are there
        (NOTHING, reply(["pdf", "unknown"]), HOST, {"pdf:body"}),
        (NOTHING, reply([], calls=[ToolCall("Skill", {"command": "csv"})]), HOST, {"csv:body"}),
        (NOTHING, reply([], calls=[ToolCall("activate_skill", {"name": "csv", "n": 1})]), HOST, {"csv:body"}),
        (NOTHING, reply(["pdf"]), LISTING, {"pdf:body", "pdf:listing"}),
        # reported reads and paths in tool calls add to the access times
        ({"pdf:file:references/b.md"}, reply(calls=[READ_A]), HOST, {"pdf:file:references/a.md", "pdf:file:references/b.md"}),
        (NOTHING, reply(files=[".agents/skills/pdf/references/a.md"]), HOST, {"pdf:file:references/a.md"}),
        (NOTHING, reply(files=[".agents/skills/pdf/SKILL.md"]), HOST, {"pdf:body"}),
        (NOTHING, reply(files=[".agents/skills/pdf/gone.md"]), HOST, {"pdf:file:gone.md"}),
        (NOTHING, reply(files=[".agents/skills/pdf/references", ".agents/skills/csv/"]), HOST, {"pdf:listing", "csv:listing"}),
        # a tool that may list and read anything: listings, and bodies where access times cannot tell
        (NOTHING, reply(calls=[ToolCall("Bash", {"command": "ls"})]), HOST, LISTINGS | BODIES),
        (NOTHING, reply(calls=[ToolCall("Bash", {"command": "ls"})]), CALM, LISTINGS),
        (NOTHING, reply(calls=[ToolCall("Glob", {"pattern": "**"})]), CALM, LISTINGS),
        (NOTHING, reply(calls=[ToolCall("an_unknown_tool", {})]), HOST, LISTINGS | BODIES),
        (NOTHING, reply(calls=[ToolCall("Read_File", {"path": "x"}), ToolCall("web-search", {})]), HOST, NOTHING),
        # a tool that the agent vouches for
        (NOTHING, reply(calls=[ToolCall("ls_one", {"path": ".agents/skills/pdf/references"})]), EXACT, {"pdf:listing"}),
        (NOTHING, reply(calls=[ToolCall("ls_one", {"path": "elsewhere"})]), EXACT, NOTHING),
        (NOTHING, reply(calls=[ToolCall("ls_one", {"path": "."})]), CALM, LISTINGS),
        # unknown activations or calls: every body and listing
        (NOTHING, reply(skills=None), HOST, LISTINGS | BODIES),
        (NOTHING, reply(calls=None), HOST, LISTINGS | BODIES),
        ({"pdf:file:references/a.md"}, reply(None, None, None), HOST, LISTINGS | BODIES | {"pdf:file:references/a.md"}),
        (NOTHING, None, HOST, LISTINGS | BODIES),
        # reads that are not reported leave access times alone
        (NOTHING, reply(files=None), HOST, NOTHING),
        # without access times: what is reported, where that can be whole; else everything
        (None, reply(["pdf"], [".agents/skills/pdf/references/a.md"]), HOST, {"pdf:body", "pdf:file:references/a.md"}),
        (None, reply(files=None), HOST, ALL),
        (None, reply(calls=None), HOST, ALL),
        (None, reply(calls=[ToolCall("Bash", {})]), HOST, ALL),
        (None, reply(skills=None), HOST, LISTINGS | BODIES),
        (None, None, HOST, ALL),
    ],
)
def test_sources_add_up_and_none_narrows_another(
    moved: set[str] | None, said: Reply | None, traits: Traits, names: set[str]
) -> None:
    assert observed(SETTING, None if moved is None else frozenset(moved), said, traits) == names


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/tmp/s/root/.agents/skills/pdf/references/a.md", {"pdf:file:references/a.md"}),
        ("{workspace}/.agents/skills/pdf/references/a.md", {"pdf:file:references/a.md"}),
        ("./.agents//skills/pdf/./references/../references/a.md", {"pdf:file:references/a.md"}),
        (".agents/skills/pdf/../csv/SKILL.md", {"csv:body"}),
        (".agents/skills/pdf/../../../etc/passwd", set()),
        (".agents/skills/unknown/a.md", set()),
        ("/etc/passwd", set()),
        ("/elsewhere/.agents/skills/pdf/references/a.md", set()),
        ("references/a.md", set()),
        ("", set()),
        ("a\0b", set()),
        (".agents/skills/pdf/" + "x" * 5000, set()),
    ],
)
def test_a_path_is_understood_as_agents_write_it_and_never_leads_out(path: str, names: set[str]) -> None:
    assert observed(SETTING, NOTHING, reply(files=[path]), HOST) == names
    assert observed(SETTING, NOTHING, reply(calls=[ToolCall("Read", {"at": [{"deep": path}]})]), HOST) == names


def test_a_skill_whose_name_begins_like_another_is_another() -> None:
    setting = Setting(frozenset(("pdf", "pdf-forms")), ["pdf-forms:file:a.md"], "/w")
    assert observed(setting, NOTHING, reply(files=[".agents/skills/pdf-forms/a.md"]), HOST) == {"pdf-forms:file:a.md"}


def test_a_tool_call_with_too_many_inputs_to_look_at_may_have_read_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observation, "OBSERVED_INPUT_STRINGS", 5)
    few, many = (
        reply(calls=[ToolCall("Read", {"many": [".agents/skills/pdf/references/a.md", *["x"] * count]})]) for count in (2, 3)
    )
    assert observed(SETTING, NOTHING, few, HOST) == {"pdf:file:references/a.md"}
    assert observed(SETTING, NOTHING, many, HOST) == LISTINGS | BODIES
    assert observed(SETTING, None, many, HOST) == ALL
