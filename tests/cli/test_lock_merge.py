"""Locks in merges that git really makes: two branches edit, git merges, and no measurement is lost or mixed."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selftune_build.lock.parsing import read_lock
from tests.cli.repository import committed, git
from tests.property.kitchen import BREW, manifest
from tests.property.workspace import CHECKOUT, Workspace

Edit = Callable[[Workspace], None]


@pytest.fixture(params=["driver", "markers"])
def merged_by(request: pytest.FixtureRequest) -> str:
    """Whether the clone has the merge driver, or git merges locks as text."""
    name: str = request.param
    return name


@pytest.fixture
def kept(built: Workspace, merged_by: str) -> Workspace:
    """The kitchen in a repository."""
    git(built.root, "init", "-q")
    if merged_by == "driver":
        install(built)
    committed(built.root, "base")
    return built


def install(workspace: Workspace) -> None:
    """Install the merge driver, as a user does; the program is this checkout's."""
    status, _, stderr = workspace.selftune("lock", "install-driver", "-C", str(workspace.root))
    assert (status, stderr) == (0, "")
    driver = f"PYTHONPATH={CHECKOUT} {sys.executable} -P -m selftune_build lock merge %O %A %B"
    git(workspace.root, "config", "merge.selftune.driver", driver)


def two_branches(workspace: Workspace, ours: Edit, theirs: Edit) -> bool:
    """Make both edits, each built and committed on a branch of its own, and merge them; whether git could finish."""
    git(workspace.root, "checkout", "-qb", "theirs")
    theirs(workspace)
    workspace.build()
    committed(workspace.root, "theirs")
    git(workspace.root, "checkout", "-q", "main")
    ours(workspace)
    workspace.build()
    committed(workspace.root, "ours")
    shutil.rmtree(workspace.root / ".selftune")  # what heals is in the lock
    clean = git(workspace.root, "merge", "-q", "theirs", status=None)
    return "CONFLICT" not in clean


def codes(workspace: Workspace, name: str = "brew") -> set[str]:
    """What `--locked` has to say."""
    checked = workspace.build("--locked", name)
    assert checked.calls == []
    return {problem["code"] for problem in checked.package(name)["problems"]}


def song(workspace: Workspace) -> None:
    workspace.edit("brew/evals/evals.yaml", "Sing a lullaby", "Hum a lullaby")


def milk(workspace: Workspace) -> None:
    workspace.edit("brew/references/milk.md", "Steam", "Steam and pour")


def other_milk(workspace: Workspace) -> None:
    workspace.edit("brew/references/milk.md", "the milk.", "the milk. Steam it well.")


def one_more(workspace: Workspace) -> None:
    workspace.evals("brew", [*BREW, {"id": "mocha", "prompt": "Make a mocha", "should_trigger": True}])


def one_less(workspace: Workspace) -> None:
    workspace.evals("brew", BREW[:-1])


def black(workspace: Workspace) -> None:
    workspace.edit("brew/evals/evals.yaml", "Make strong coffee", "Make very strong coffee")


def other_skill(workspace: Workspace) -> None:
    workspace.edit("bake/SKILL.md", "Preheat the oven.", "Preheat the oven well. Preheat.")


DIFFERENT = [(milk, song), (song, milk), (milk, black), (black, milk)]


@pytest.mark.parametrize(("ours", "theirs"), DIFFERENT, ids=lambda edit: edit.__name__)
def test_branches_that_edit_different_cases_of_one_skill_conflict_at_most_in_derived_lines_and_heal_without_a_call(
    kept: Workspace, ours: Edit, theirs: Edit
) -> None:
    two_branches(kept, ours, theirs)
    content = kept.lock("brew")
    if b"<<<<<<<" in content:
        inside = [line for conflict in content.split(b"<<<<<<<")[1:] for line in conflict.split(b">>>>>>>")[0].splitlines()[1:]]
        names = {line.split(b'"')[1] for line in inside if b'"' in line}
        assert names <= {b"name", b"tree", b"seal", b"policy"}, names
        assert b"conflict" in b"".join(code.encode() for code in codes(kept))
    healed = kept.build()
    assert (healed.status, healed.calls, codes(kept)) == (0, [], set())


def test_the_same_case_edited_on_both_sides_heals_to_stale(kept: Workspace) -> None:
    two_branches(kept, milk, other_milk)
    if b"<<<<<<<" in kept.read("brew/references/milk.md").encode():
        kept.write("brew/references/milk.md", "Steam and pour the milk. Steam it well.\n")
    assert codes(kept) & {"key-changed", "case-missing"}
    assert "brew:replay[latte]" in {problem["target"] for problem in kept.build("--locked", "brew").package("brew")["problems"]}
    healed = kept.build()
    assert (healed.status, healed.prompts) == (0, ["Pour coffee with milk"])
    assert codes(kept) == set()


def test_the_same_edit_on_both_sides_is_one(kept: Workspace) -> None:
    assert two_branches(kept, milk, milk)
    assert codes(kept) == set()


@pytest.mark.parametrize(("ours", "theirs"), [(one_more, milk), (milk, one_more), (one_less, milk), (milk, one_less)],
                         ids=lambda edit: edit.__name__)  # fmt: skip
def test_a_case_that_one_branch_adds_or_removes_is_there_or_gone_afterwards(kept: Workspace, ours: Edit, theirs: Edit) -> None:
    two_branches(kept, ours, theirs)
    healed = kept.build()
    assert (healed.calls, codes(kept)) == ([], set())
    cases = set(kept.rows("brew"))
    assert ("mocha" in cases) == (one_more in (ours, theirs))
    assert ("song" in cases) == (one_less not in (ours, theirs))


def drinks(side: str, numbers: range, ending: str = "") -> str:
    """An eval file of one author: coffees by number."""
    cases = [
        {"id": f"{number:02} {side}", "prompt": f"Make {side} coffee {number}{ending}", "should_trigger": True}
        for number in numbers
    ]
    return json.dumps({"format": "selftune.evals/1", "cases": cases}, indent=1)


def test_two_authors_with_many_edits_and_new_cases_each_lose_no_measurement(kept: Workspace) -> None:
    """Their cases alternate in the lock, so what they add stands side by side."""
    for side in ("dark", "mild"):
        kept.write(f"brew/evals/{side}.yaml", drinks(side, range(8)))
    kept.build()
    committed(kept.root, "many cases")

    def edited(side: str) -> Edit:
        return lambda workspace: workspace.write(f"brew/evals/{side}.yaml", drinks(side, range(4, 12), ", hot"))

    two_branches(kept, edited("dark"), edited("mild"))
    healed = kept.build()
    assert (healed.status, healed.calls, codes(kept)) == (0, [], set())
    expected = {f"{number:02} {side}" for number in range(4, 12) for side in ("dark", "mild")}
    assert set(kept.rows("brew")) == expected | {"black", "latte", "song"}


def test_edits_of_two_skills_never_meet_in_one_lock(kept: Workspace) -> None:
    assert two_branches(kept, milk, other_skill)
    assert (kept.build().calls, codes(kept), codes(kept, "bake")) == ([], set(), set())


def test_a_clean_merge_of_texts_that_belong_to_nothing_is_found(kept: Workspace) -> None:
    """One branch edits what a case reads, the other what it asks: git merges all three files without a word."""
    two_branches(
        kept, milk, lambda workspace: workspace.edit("brew/evals/evals.yaml", "Pour coffee with milk", "Pour milk coffee")
    )
    assert codes(kept) - {"lock-conflict"} >= {"tree-changed"} or "lock-conflict" in codes(kept)
    targets = {problem["target"] for problem in kept.build("--locked", "brew").package("brew")["problems"]}
    assert "brew:replay[latte]" in targets
    healed = kept.build()
    assert (healed.status, healed.prompts, codes(kept)) == (0, ["Pour milk coffee"], set())


@pytest.mark.parametrize("field", ["n", "passed", "triggered", "evidence", "key"])
def test_a_textual_merge_that_mixes_two_rows_is_found_by_its_seal(built: Workspace, field: str) -> None:
    """As if the lines of a row had been taken from two sides."""
    document = json.loads(built.lock("brew"))
    rows = document["agents"]["house"]["cases"]
    other = {"n": 2, "passed": 0, "triggered": 0}.get(field, rows["song"]["with_skill"].get(field))
    rows["latte"]["with_skill"][field] = other
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    built.lock_path("brew").write_text(text)
    checked = built.build("--locked", "brew")
    assert [(problem["code"], problem["target"]) for problem in checked.package("brew")["problems"]] == [
        ("lock-tampered", "brew:replay[latte]")
    ]


def two_agents(workspace: Workspace) -> None:
    """Let two agents be measured."""
    document = manifest()
    agents = document["defaults"]["agents"]
    agents["guest"] = {**agents["house"], "cache_version": "2"}
    document["defaults"]["agent"] = ["house", "guest"]
    workspace.write("selftune.yaml", json.dumps(document))
    workspace.build()


def test_the_rows_of_an_agent_that_is_not_built_heal_from_both_sides(fresh: Workspace) -> None:
    two_agents(fresh)
    committed(fresh.root, "base")
    two_branches(fresh, milk, song)
    assert b"<<<<<<<" in fresh.lock("brew")
    healed = fresh.build("--agent", "house")
    assert healed.calls == []
    assert fresh.build("--locked").status == 0
    assert set(fresh.rows("brew", "guest")) == {"black", "latte", "song"}
    assert fresh.build().calls == []


def test_of_an_agent_that_is_not_built_the_rows_that_no_side_holds_are_dropped(fresh: Workspace) -> None:
    two_agents(fresh)
    committed(fresh.root, "base")
    two_branches(fresh, milk, other_milk)
    fresh.write("brew/references/milk.md", "Steam and pour the milk. Steam it well.\n")
    fresh.build("--agent", "house")
    assert "with_skill" not in fresh.rows("brew", "guest").get("latte", {})
    assert fresh.build().prompts == ["Pour coffee with milk"]


# The command


def test_markers_are_healed_in_place_without_asking_and_without_a_store(built: Workspace) -> None:
    committed(built.root, "base")
    two_branches(built, milk, song)
    assert b"<<<<<<<" in built.lock("brew")
    status, stdout, stderr = built.selftune("lock", "merge", "-C", str(built.root))
    following = f"next: selftune build brew -C {built.root}"
    assert (status, stdout.splitlines(), stderr) == (0, ["healed brew: 5 rows hold", following], "")
    assert (codes(built), built.build().calls) == (set(), [])
    status, stdout, _ = built.selftune("lock", "merge", "--json", "-C", str(built.root))
    assert (status, json.loads(stdout)["healed"]) == (0, [])


def test_a_conflicted_lock_of_a_newer_version_is_left_alone(built: Workspace) -> None:
    lines = built.lock("brew").decode().replace('"version": 1', '"version": 9')
    built.lock_path("brew").write_text(f"<<<<<<< ours\n{lines}=======\n{lines}>>>>>>> theirs\n")
    before = built.lock("brew")
    status, _, _ = built.selftune("lock", "merge", "-C", str(built.root))
    assert (status, built.lock("brew")) == (2, before)


def as_driver(workspace: Workspace, tmp_path: Path, base: bytes, ours: bytes, theirs: bytes) -> tuple[int, bytes]:
    """Call `lock merge` as git does."""
    for name, content in (("base", base), ("ours", ours), ("theirs", theirs)):
        (tmp_path / name).write_bytes(content)
    status, _, stderr = workspace.selftune("lock", "merge", *(str(tmp_path / name) for name in ("base", "ours", "theirs")))
    assert stderr == ""
    return status, (tmp_path / "ours").read_bytes()


def test_what_is_no_lock_is_not_merged_and_ours_stays(built: Workspace, tmp_path: Path) -> None:
    good, other = built.lock("brew"), built.lock("bake")
    for base, ours, theirs in ((good, good, b"rubbish"), (good, b"", good), (good, good, other), (good, good, b"[" * 9999)):
        assert as_driver(built, tmp_path, base, ours, theirs) == (1, ours)
    assert as_driver(built, tmp_path, b"", good, good) == (0, good)


def test_merging_takes_three_files_or_none(built: Workspace) -> None:
    status, _, stderr = built.selftune("lock", "merge", "a", "b")
    assert (status, "BASE, OURS and THEIRS" in stderr) == (2, True)


def test_the_driver_is_installed_once_and_nothing_else_changes(built: Workspace) -> None:
    committed(built.root, "base")
    config, attributes = built.root / ".git/config", built.root / ".gitattributes"
    config.write_text(config.read_text() + "# mine\n[alias]\n\tst = status")
    attributes.write_text("*.md text")
    status, stdout, _ = built.selftune("lock", "install-driver", "--json", "-C", str(built.root / "brew"))
    assert (status, sorted(Path(path).name for path in json.loads(stdout)["written"])) == (0, [".gitattributes", "config"])
    assert git(built.root, "config", "merge.selftune.driver") == "selftune lock merge %O %A %B"
    assert git(built.root, "config", "alias.st") == "status"
    assert "# mine\n" in config.read_text()
    assert attributes.read_text() == "*.md text\nselftune.lock merge=selftune\n"
    assert git(built.root, "check-attr", "merge", "brew/selftune.lock").endswith("merge: selftune")
    before = config.read_bytes()
    status, stdout, _ = built.selftune("lock", "install-driver", "-C", str(built.root))
    assert (status, stdout, config.read_bytes()) == (0, "nothing to write: everything is here already\n", before)


def test_the_driver_is_not_installed_over_another_one_or_while_git_writes(built: Workspace) -> None:
    committed(built.root, "base")
    git(built.root, "config", "merge.selftune.driver", "something %A")
    status, _, stderr = built.selftune("lock", "install-driver", "-C", str(built.root))
    assert (status, "another driver" in stderr) == (2, True)
    git(built.root, "config", "--remove-section", "merge.selftune")
    (built.root / ".git/config.lock").write_text("")
    status, _, stderr = built.selftune("lock", "install-driver", "-C", str(built.root))
    assert (status, "is being written" in stderr) == (2, True)


def test_git_that_has_no_driver_merges_as_text(built: Workspace) -> None:
    """The line in .gitattributes is committed, the section of the configuration is not."""
    committed(built.root, "base")
    install(built)
    git(built.root, "config", "--remove-section", "merge.selftune")
    committed(built.root, "attributes")
    two_branches(built, milk, song)
    healed = built.build()
    assert (healed.status, healed.calls, codes(built)) == (0, [], set())


# In words


def said(workspace: Workspace, *arguments: str) -> list[str]:
    """What `lock diff` prints."""
    status, stdout, stderr = workspace.selftune("lock", "diff", *arguments, "-C", str(workspace.root))
    assert (status, stderr) == (0, "")
    return stdout.splitlines()


def test_what_changed_in_locks_is_told_in_words(built: Workspace) -> None:
    committed(built.root, "base")
    assert said(built) == ["no lock differs from HEAD"]
    milk(built)
    black_, latte, _ = BREW
    built.evals("brew", [black_, latte, {"id": "mocha", "prompt": "Make a mocha", "should_trigger": True}])
    built.build()
    assert said(built) == [
        "brew (brew/selftune.lock)",
        "  the files of the package are others",
        "  agent house, case latte: measured again: 1 of 1 passed, 1 of 1 triggered with the skill",
        "  agent house, case mocha: new: 1 sample, 0 of 1 triggered with the skill",
        "  agent house, case song: removed, was 1 sample, 0 of 1 triggered with the skill",
        "  agent house: the gate trigger-specificity says inconclusive, and said pass",
    ]


def documents(workspace: Workspace, *arguments: str) -> list[dict[str, Any]]:
    """What `lock diff --json` tells of brew."""
    status, stdout, _ = workspace.selftune("lock", "diff", *arguments, "--json", "-C", str(workspace.root))
    assert status == 0
    found: list[dict[str, Any]] = json.loads(stdout)["packages"]
    return [change for package in found if package["name"] == "brew" for change in package["changes"]]


def test_policy_verdicts_agents_and_trouble_are_told_too(built: Workspace) -> None:
    committed(built.root, "base")
    document = manifest(cache_version="9")
    document["defaults"]["samples"] = {"min": 2}
    document["defaults"]["gates"] = {"spec": {}}
    built.write("selftune.yaml", json.dumps(document))
    built.build()
    kinds = {(change["kind"], change["message"]) for change in documents(built)}
    assert ("policy", "gates, samples or policy are others") in kinds
    assert ("agent", "it is another: cache_version") in kinds
    assert any(kind == "gate" for kind, _ in kinds)
    built.lock_path("brew").write_bytes(b"{")
    assert [change["kind"] for change in documents(built)] == ["lock"]
    built.lock_path("brew").unlink()
    assert documents(built)[0]["message"] == "now: there is no lock"
    assert [change["message"] for change in documents(built, "HEAD")] == ["now: there is no lock"]


def test_a_revision_that_is_not_there_is_a_mistake_of_usage(built: Workspace) -> None:
    committed(built.root, "base")
    status, _, stderr = built.selftune("lock", "diff", "mian", "-C", str(built.root))
    assert (status, "there is no revision" in stderr) == (2, True)


def test_a_merged_lock_reads_as_one(kept: Workspace) -> None:
    two_branches(kept, milk, song)
    kept.build()
    assert read_lock(kept.lock("brew")).problems == ()
