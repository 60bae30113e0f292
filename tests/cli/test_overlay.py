"""`build --overlay PATCH`: what it pays for, what it refuses, and that nothing but the store is written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.repository import committed, git
from tests.cli.test_statistics import conforms
from tests.property.kitchen import kitchen
from tests.property.test_random_edits import one_process
from tests.property.workspace import Built, Run, Workspace

BOIL: list[dict[str, Any]] = [
    {"id": "egg", "prompt": "Boil an egg soft", "should_trigger": True, "checks": [{"contains": "minutes"}]},
    {"id": "tune", "prompt": "Hum a tune", "should_trigger": False},
]
SCRIPT = "import sys\nprint('ground', sys.argv[1])\n"
MANIFEST = 'version: 1\ncompetitors: none\nexclude: ["notes/**"]\n'


SHOWN = [
    "Knead some bread",
    "Knead some bread",
    "Make strong coffee",
    "One espresso, fast",
    "Pour coffee with milk",
    "Sing a lullaby",
]
"""Prompts of the cases that are shown `brew`: its own, those of `bake`, and the one of `bake` that also runs without `bake`."""


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """One process for the command lines of this file."""
    with one_process() as run:
        yield run


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, run: Run) -> Path:
    """Three packages, one of which competes with nobody, built and committed with their locks."""
    folder = tmp_path_factory.mktemp("built")
    workspace = kitchen(folder / "repository", folder / "ledger")
    workspace.run = run
    workspace.skill("boil", "Soft eggs and hard ones.", "Four minutes for a soft egg.")
    workspace.evals("boil", BOIL)
    workspace.write("boil/selftune.yaml", MANIFEST)
    workspace.write("boil/notes/a.md", "Not part of it.\n")
    workspace.write("brew/scripts/grind.py", SCRIPT)
    cases = [{"id": "grind", "run": ["python3", "scripts/grind.py", "beans"], "checks": [{"contains": "ground beans"}]}]
    workspace.write("brew/tests/grind.yaml", json.dumps({"format": "selftune.unit-tests/1", "cases": cases}))
    workspace.write(".gitignore", ".selftune\n")
    first = workspace.build()
    assert first.status == 0, first.stdout
    committed(workspace.root)
    return folder


@pytest.fixture
def workspace(tmp_path: Path, built: Path, run: Run) -> Workspace:
    """A copy of it."""
    shutil.copytree(built / "repository", tmp_path / "repository", symlinks=True)
    shutil.copyfile(built / "ledger", tmp_path / "ledger")
    workspace = Workspace(tmp_path / "repository", tmp_path / "ledger", run)
    workspace._seen = len(workspace.lines())
    return workspace


def patch(workspace: Workspace, *options: str) -> str:
    """What git says of the edits in the tree, which are then taken back."""
    file = workspace.root.parent / "patch.diff"
    git(workspace.root, "add", "-A")
    git(workspace.root, "diff", "--cached", "--no-renames", *options, f"--output={file}")
    git(workspace.root, "reset", "-q", "--hard")
    git(workspace.root, "clean", "-qfd")
    return str(file)


def replaced(workspace: Workspace, path: str, old: str, new: str, *options: str) -> str:
    """The patch of one edit."""
    workspace.edit(path, old, new)
    return patch(workspace, *options)


def described(workspace: Workspace) -> str:
    """The patch that changes a description, and nothing else."""
    return replaced(workspace, "brew/SKILL.md", "Makes coffee and espresso.", "Makes coffee, espresso and tea.")


def held(root: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file() and ".git/" not in str(path)
    }


def without_store(files: dict[str, bytes]) -> dict[str, bytes]:
    """Those that are no paid result, with the index of the store, whose traces tell of the tree."""
    paid = (".selftune/samples", ".selftune/records")
    return {path: content for path, content in files.items() if not path.startswith(paid)}


def comparison(built: Built, package: str) -> tuple[str, Any]:
    """The verdict of the gate of the comparison, and what it rests on."""
    (gate,) = (gate for gate in built.package(package)["gates"] if gate["id"] == "regression")
    return gate["verdict"], built.package(package)["against"]


def refused(workspace: Workspace, file: str) -> dict[str, Any]:
    """The refusal of a patch: nobody was asked, and nothing written."""
    before, lines = held(workspace.root), len(workspace.lines())
    status, out, _ = workspace.selftune("build", "--json", "--overlay", file, "-C", str(workspace.root))
    assert status == 2
    assert (held(workspace.root), len(workspace.lines())) == (before, lines)
    return dict(json.loads(out)["error"])


def test_a_new_description_pays_for_no_case_that_is_not_shown_it_and_nothing_when_it_is_applied(workspace: Workspace) -> None:
    file = described(workspace)
    before = without_store(held(workspace.root))
    built = workspace.build("--overlay", file)
    assert built.status == 0
    assert {call["shown"]["brew"] for call in built.calls} == {"Makes coffee, espresso and tea."}
    assert built.prompts == SHOWN
    assert [built.stage(f"brew:{stage}")["run"] for stage in ("baseline", "unit-tests", "replay")] == [0, 0, 3]
    assert [built.stage(f"boil:{stage}")["run"] for stage in ("baseline", "replay")] == [0, 0]
    assert without_store(held(workspace.root)) == before
    conforms(built.report, "selftune-report-1.json")
    assert built.report["overlay"]["files"] == [{"path": "brew/SKILL.md", "change": "changed"}]
    git(workspace.root, "apply", file)
    applied = workspace.build()
    assert (applied.status, applied.calls) == (0, [])
    assert workspace.build("--locked").status == 0


def test_a_file_pays_for_the_cases_that_read_it_alone(workspace: Workspace) -> None:
    file = replaced(workspace, "brew/references/milk.md", "Steam", "Steam gently")
    built = workspace.build("--overlay", file)
    assert (built.status, built.prompts) == (0, ["Pour coffee with milk"])
    assert "gently" in built.calls[0]["answer"]


def test_a_script_of_the_overlay_is_what_unit_tests_run(workspace: Workspace) -> None:
    file = replaced(workspace, "brew/scripts/grind.py", "'ground'", "'burnt'")
    built = workspace.build("brew:unit-tests", "--overlay", file)
    assert (built.status, built.stage("brew:unit-tests")["run"]) == (1, 1)
    assert "ground beans" in built.package("brew")["failures"][0]["check"]
    assert workspace.build("brew:unit-tests").status == 0


def test_files_that_come_and_go_are_seen_as_they_would_be(workspace: Workspace) -> None:
    (workspace.root / "brew/references/milk.md").unlink()
    workspace.write("brew/references/coffee.md", "Steam from the pot.\n")
    workspace.edit("brew/SKILL.md", "references/milk.md", "references/coffee.md")
    built = workspace.build("brew", "--overlay", patch(workspace))
    reads = {call["prompt"]: call["read"] for call in built.calls}
    assert reads["Make strong coffee"] == ["brew/SKILL.md", "brew/references/coffee.md"]
    assert built.report["overlay"]["files"] == [
        {"path": "brew/SKILL.md", "change": "changed"},
        {"path": "brew/references/coffee.md", "change": "added"},
        {"path": "brew/references/milk.md", "change": "removed"},
    ]


def test_a_plan_asks_nobody_and_writes_nothing_at_all(workspace: Workspace) -> None:
    workspace.build()  # leaves traces of this worktree, so that a plan can say what changed
    file = described(workspace)
    before = held(workspace.root)
    planned = workspace.build("--dry-run", "--overlay", file)
    assert (planned.calls, planned.report["mode"], held(workspace.root)) == ([], "dry-run", before)
    assert planned.reasons("brew:replay") == {("metadata-changed", "brew:metadata")}


def test_the_same_change_has_the_same_digest_however_the_patch_is_written(workspace: Workspace) -> None:
    digests = set()
    for context in ("-U0", "-U8"):
        file = replaced(workspace, "brew/SKILL.md", "Makes coffee", "Pours coffee", context)
        digests.add(workspace.build("--dry-run", "--overlay", file).report["overlay"]["digest"])
    assert len(digests) == 1


def test_people_are_told_what_lay_over_the_tree_and_that_nothing_was_written(workspace: Workspace) -> None:
    status, out, _ = workspace.selftune("build", "--overlay", described(workspace), "-C", str(workspace.root))
    said = " ".join(out.split())
    assert status == 0
    assert "patch.diff (brew/SKILL.md changed): neither tree nor lock was written" in said
    assert "brew against the tree:" in said
    assert "next:" not in said


def test_pages_and_summaries_say_it_too(workspace: Workspace, tmp_path: Path) -> None:
    file = described(workspace)
    outputs = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    page = tmp_path / "page.html"
    workspace.selftune(
        "build", "--overlay", file, "--html", str(page), "--github", "-C", str(workspace.root), environment=outputs
    )
    assert "patch.diff (brew/SKILL.md changed): neither tree nor lock was written" in page.read_text(encoding="utf-8")
    assert "(1 file): neither tree nor lock was written" in (tmp_path / "summary.md").read_text(encoding="utf-8")


def test_a_patch_is_read_from_stdin(workspace: Workspace) -> None:
    content = Path(described(workspace)).read_bytes()
    argv = [sys.executable, "-m", "selftune_build", "build", "--dry-run", "--json", "--overlay", "-", "-C", str(workspace.root)]
    done = subprocess.run(argv, input=content, env=workspace.environment, capture_output=True, timeout=300, check=False)
    assert json.loads(done.stdout)["overlay"]["name"] == "-", done.stderr


def test_an_overlay_that_is_worse_than_the_tree_is_a_no_with_the_cases_named(workspace: Workspace) -> None:
    file = replaced(workspace, "brew/SKILL.md", "Grind the beans.", "Heat the water.")
    built = workspace.build("brew", "--overlay", file)
    verdict, against = comparison(built, "brew")
    assert (built.status, verdict, against["revision"]) == (1, "fail", "the tree")
    assert [(each["target"], each["held_now"], each["held_then"]) for each in against["changes"]] == [
        ("brew:replay[black]", 0, 1)
    ]


def test_an_overlay_that_is_better_than_the_tree_says_where(workspace: Workspace) -> None:
    workspace.edit("brew/references/milk.md", "Steam the milk.", "Warm the milk.")
    workspace.edit("brew/SKILL.md", "Grind the beans.", "Grind all beans.")
    assert workspace.build("brew").status == 0
    committed(workspace.root)
    workspace.edit("brew/references/milk.md", "Warm the milk.", "Steam the milk.")
    built = workspace.build("brew", "--overlay", patch(workspace))
    verdict, against = comparison(built, "brew")
    assert verdict == "pass"
    assert [(each["target"], each["held_now"], each["held_then"]) for each in against["changes"]] == [
        ("brew:replay[latte]", 1, 0)
    ]


def test_an_overlay_can_be_compared_with_a_revision_instead(workspace: Workspace) -> None:
    file = replaced(workspace, "brew/SKILL.md", "Grind the beans.", "Heat the water.")
    _, against = comparison(workspace.build("brew", "--overlay", file, "--against", "HEAD"), "brew")
    assert (against["revision"], len(against["commit"])) == ("HEAD", 12)


def test_where_the_tree_was_never_measured_the_comparison_says_so(workspace: Workspace) -> None:
    file = described(workspace)
    workspace.remove_store()
    workspace.lock_path("brew").unlink()
    verdict, against = comparison(workspace.build("brew", "--overlay", file), "brew")
    assert (verdict, against["remark"]) == ("inconclusive", "no case has evidence both with the overlay and without")


def test_a_build_that_has_nothing_to_do_and_an_overlay_never_answer_for_each_other(workspace: Workspace) -> None:
    file = replaced(workspace, "brew/SKILL.md", "Grind the beans.", "Heat the water.")
    assert workspace.build("brew", "--overlay", file).status == 1
    assert workspace.build("brew").status == 0
    assert workspace.build("brew", "--overlay", file).status == 1
    assert workspace.build("brew").status == 0


def test_an_overlay_goes_with_no_flag_that_asks_the_tree(workspace: Workspace) -> None:
    file = described(workspace)
    for flags in (["--locked"], ["--since", "HEAD"]):
        status, out, _ = workspace.selftune("build", "--json", "--overlay", file, *flags, "-C", str(workspace.root))
        assert (status, json.loads(out)["error"]["code"]) == (2, "usage")


def test_paths_are_those_of_the_repository_or_of_the_workspace(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "outer").mkdir()
    root = workspace.root.rename(tmp_path / "outer/inner")
    (root / ".git").rename(tmp_path / "outer/.git")
    workspace.root = root
    git(tmp_path / "outer", "add", "-A")
    git(tmp_path / "outer", "commit", "-qm", "moved")
    for options in ([], ["--relative"]):
        workspace.edit("brew/SKILL.md", "Makes coffee", "Pours coffee")
        file = tmp_path / "moved.diff"
        git(root, "diff", *options, f"--output={file}")
        git(root, "checkout", "-q", ".")
        planned = workspace.build("--dry-run", "--overlay", str(file))
        assert planned.report["overlay"]["files"] == [{"path": "brew/SKILL.md", "change": "changed"}]


def test_a_link_to_a_patched_file_shows_what_the_patch_makes_of_it(workspace: Workspace) -> None:
    (workspace.root / "bake/references").mkdir()
    (workspace.root / "bake/references/bread.md").symlink_to("../../brew/references/milk.md")
    workspace.edit("bake/SKILL.md", "Preheat the oven.", "Preheat the oven: references/bread.md")
    workspace.build()
    committed(workspace.root)
    file = replaced(workspace, "brew/references/milk.md", "Steam", "Froth")
    built = workspace.build("--overlay", file)
    assert built.prompts == ["Knead some bread", "Pour coffee with milk"]
    assert all("Froth the milk" in call["answer"] for call in built.calls)


def touch(path: str, text: str = "x\n") -> Any:
    return lambda workspace: workspace.write(path, text)


def more(path: str) -> Any:
    return lambda workspace: workspace.write(path, workspace.read(path) + "\n")


def with_link(workspace: Workspace) -> None:
    (workspace.root / "brew/link.md").symlink_to("SKILL.md")


REFUSED = {
    "evals": (more("brew/evals/evals.yaml"), "`brew/evals/evals.yaml`: it belongs to the evals or tests of brew"),
    "new evals": (touch("brew/evals/more.yaml"), "it belongs to the evals or tests of brew"),
    "tests": (more("brew/tests/grind.yaml"), "it belongs to the evals or tests of brew"),
    "lock": (more("brew/selftune.lock"), "`brew/selftune.lock`: it is a lock"),
    "manifest": (more("boil/selftune.yaml"), "it is a manifest (gates, samples, policy)"),
    "a new manifest": (touch("brew/selftune.yaml", "version: 1\n"), "it is a manifest"),
    "workspace manifest": (more("selftune.yaml"), "`selftune.yaml`: it is a manifest"),
    "agent": (more("tools/agent.py"), "it belongs to no package"),
    "other file": (more(".gitignore"), "it belongs to no package"),
    "left out": (more("boil/notes/a.md"), "it is no part of the package boil"),
    "never a part": (touch("brew/__pycache__/a.md"), "it is no part of the package brew"),
    "package that goes": (lambda workspace: (workspace.root / "bake/SKILL.md").unlink(), "neither makes nor removes packages"),
    "package inside": (touch("brew/more/SKILL.md"), "neither makes nor removes packages"),
    "link": (with_link, "it is about a symbolic link"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_patch_that_touches_what_decides_or_what_no_agent_gets_is_refused_and_named(name: str, workspace: Workspace) -> None:
    edit, said = REFUSED[name]
    edit(workspace)
    error = refused(workspace, patch(workspace))
    assert said in error["message"]


def test_an_agent_that_lies_in_a_package_and_a_grader_are_not_for_a_patch(workspace: Workspace) -> None:
    workspace.write("brew/scripts/agent.py", workspace.read("tools/agent.py"))
    workspace.write("brew/graders/look.py", "print('fine')\n")
    declared = json.loads(workspace.read("selftune.yaml"))
    declared["defaults"]["agents"]["house"]["argv"][-1] = "brew/scripts/agent.py"
    workspace.write("selftune.yaml", json.dumps(declared))
    checks = [{"command": {"run": ["python3", "graders/look.py"]}}]
    workspace.evals("brew", [{"id": "graded", "prompt": "Make coffee", "checks": checks}])
    committed(workspace.root)
    for path, said in (("brew/scripts/agent.py", "part of an agent"), ("brew/graders/look.py", "it judges brew[graded]")):
        workspace.write(path, workspace.read(path) + "\n")
        assert said in refused(workspace, patch(workspace))["message"]


def test_a_file_that_a_case_brings_is_part_of_what_it_asks(workspace: Workspace) -> None:
    workspace.write("brew/assets/beans.csv", "arabica\n")
    files = [{"src": "assets/beans.csv", "dest": "beans.csv"}]
    workspace.evals("brew", [{"id": "counted", "prompt": "Make coffee", "files": files, "should_trigger": True}])
    built = workspace.build("brew", "--dry-run")
    assert built.status in (0, 3), built.stderr
    committed(workspace.root)
    file = replaced(workspace, "brew/assets/beans.csv", "arabica", "robusta")
    assert "the patch changes the case brew[counted]" in refused(workspace, file)["message"]


def test_a_patch_of_another_state_is_refused_with_hunk_and_line(workspace: Workspace) -> None:
    file = described(workspace)
    workspace.edit("brew/SKILL.md", "Makes coffee", "Brews coffee")
    error = refused(workspace, file)
    assert error["code"] == "patch-does-not-fit"
    assert "hunk 1 of `brew/SKILL.md` does not fit: line 3 should be 'description: Makes coffee" in error["message"]
    assert error["line"] == 5


def test_a_way_through_a_link_is_refused(workspace: Workspace) -> None:
    file = replaced(workspace, "brew/references/milk.md", "Steam", "Froth")
    (workspace.root / "brew/references").rename(workspace.root / "pages")
    (workspace.root / "brew/references").symlink_to("../pages")
    assert "reached through, a symbolic link" in refused(workspace, file)["message"]


def test_a_patch_that_is_not_there_is_named(workspace: Workspace) -> None:
    error = refused(workspace, "nowhere.diff")
    assert "'nowhere.diff' cannot be read" in error["message"]


def test_an_overlay_of_a_single_package_without_a_manifest_works_too(tmp_path: Path, run: Run) -> None:
    workspace = Workspace(tmp_path / "one", tmp_path / "ledger", run)
    workspace.write("SKILL.md", "---\nname: one\ndescription: Counts sheep for those who cannot sleep.\n---\n\nCount slowly.\n")
    cases = [{"id": "a", "prompt": "Count sheep with me", "should_trigger": True}]
    workspace.write("evals/evals.yaml", json.dumps({"format": "selftune.evals/1", "cases": cases}))
    workspace.write(".gitignore", ".selftune\n")
    workspace.build()
    committed(workspace.root)
    file = replaced(workspace, "SKILL.md", "Counts sheep", "Counts goats")
    built = workspace.build("--overlay", file)
    assert built.stage("one:replay")["run"] == 1
    assert git(workspace.root, "status", "--porcelain") == ""
