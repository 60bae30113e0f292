"""`selftune store gc`: what a lock of any ref, stash or worktree speaks of stays, and nothing paid goes by itself."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from selftune_build.fingerprint.digest import digest_json
from selftune_build.fingerprint.keys import call_id
from selftune_build.store.archive import encode
from tests.cli.repository import committed, git
from tests.cli.storing import PRICE, SAMPLES, archive, archives, said, store
from tests.property.workspace import Workspace

ALL = ("--paid", "--older-than", "0")


@pytest.fixture
def repository(paid: Workspace) -> Workspace:
    """The paid kitchen, committed with its locks."""
    committed(paid.root)
    return paid


def rewrite(workspace: Workspace, text: str) -> int:
    """Give one skill another body and build; how many calls that took."""
    path = workspace.root / "brew/SKILL.md"
    head, _, _ = path.read_text().rpartition("---\n")
    path.write_text(f"{head}---\n\n{text}\nWith milk: references/milk.md, water: references/water.md\n")
    return len(workspace.build().calls)


def idle(document: dict[str, Any]) -> list[str]:
    """What is named as garbage, by kind."""
    return [each["kind"] for each in document["garbage"]]


def test_after_a_build_every_sample_is_needed(repository: Workspace) -> None:
    status, document = store(repository, "gc", *ALL)
    assert (status, document["garbage"], document["spared"]) == (0, [], [])
    assert sum(document["kept"].values()) == SAMPLES


def test_what_was_paid_for_is_spared_until_it_is_given_up_and_priced_before(repository: Workspace) -> None:
    calls = rewrite(repository, "Grind the beans finely.")
    committed(repository.root)
    assert calls > 0
    git(repository.root, "checkout", "-q", "--orphan", "only")
    committed(repository.root)
    git(repository.root, "branch", "-D", "main")
    _, document = store(repository, "gc", "--delete")
    assert (document["garbage"], document["deleted"]) == ([], [])
    assert [each["kind"] for each in document["spared"]] == ["sample"] * calls
    assert float(document["spared_price"]["usd"]) == pytest.approx(PRICE * calls)
    before = archives(repository)
    _, document = store(repository, "gc", *ALL)
    assert (document["deleted"], archives(repository)) == (None, before)
    _, text = said(repository, "gc", *ALL)
    assert "Make strong coffee" in text
    _, document = store(repository, "gc", *ALL, "--delete")
    assert len(document["deleted"]) == calls
    assert len(archives(repository)) == SAMPLES
    assert repository.build().calls == []
    assert store(repository, "fsck")[1]["findings"] == []


def elsewhere(workspace: Workspace, kind: str) -> None:
    """Leave the state of today to a ref, the stash or another worktree, and bring back the first one."""
    root = workspace.root
    if kind == "stash":
        git(root, "stash")
    elif kind == "older stash":
        git(root, "stash")
        (root / "brew/notes.txt").write_text("unrelated")
        git(root, "stash", "-u")
    elif kind == "untracked":
        shutil.copytree(root / "brew", root / "brew-too")
        git(root, "checkout", "-q", "--", "brew")
        git(root, "stash", "-u")
    elif kind in ("detached worktree", "worktree of a bare clone"):
        detach(workspace, root if kind == "detached worktree" else bare_clone(root))
    elif kind == "worktree":
        git(root, "worktree", "add", "-q", str(root.parent / "other"))
        for name in ("brew", "bake"):
            shutil.copytree(root / name, root.parent / "other" / name, dirs_exist_ok=True)
        git(root, "checkout", "-q", "--", ".")
    else:
        git(root, "checkout", "-q", "-b", "side")
        committed(root)
        if kind == "tag":
            git(root, "tag", "-a", "-m", "x", "v1")
        if kind == "packed":
            git(root, "gc", "-q")
            git(root, "pack-refs", "--all")
        if kind == "remote":
            git(root, "update-ref", "refs/remotes/origin/side", "HEAD")
        git(root, "checkout", "-q", "main")
        if kind in ("tag", "remote"):
            git(root, "branch", "-D", "side")


def bare_clone(root: Path) -> Path:
    """Make the repository of a folder a bare one, of which the folder is a worktree."""
    common = root.parent / "common.git"
    (root / ".git").rename(common)
    git(common, "config", "core.bare", "true")
    git(common, "worktree", "add", "-q", "--no-checkout", "--force", str(root.parent / "made"), "main")
    (root.parent / "made/.git").rename(root / ".git")
    git(common, "worktree", "repair", str(root))
    git(root, "reset", "-q")
    return common


def detach(workspace: Workspace, common: Path) -> None:
    """Commit the state of today in a worktree without a branch, which nothing but its HEAD knows, and bring back the first."""
    other = workspace.root.parent / "other"
    git(common, "worktree", "add", "-q", "--detach", str(other), "main")
    for name in ("brew", "bake"):
        shutil.copytree(workspace.root / name, other / name, dirs_exist_ok=True)
    committed(other)
    shutil.rmtree(other / "brew")
    git(workspace.root, "checkout", "-q", "--", ".")


@pytest.mark.parametrize(
    "kind",
    [
        *("branch", "packed", "tag", "remote", "stash", "older stash", "untracked", "worktree", "detached"),
        *("detached worktree", "worktree of a bare clone"),
    ],
)
def test_what_a_lock_anywhere_speaks_of_stays(repository: Workspace, kind: str) -> None:
    calls = rewrite(repository, "Grind the beans finely.")
    if kind == "detached":
        committed(repository.root)
        git(repository.root, "checkout", "-q", "--detach")
        git(repository.root, "branch", "-q", "-f", "main", "HEAD~1")
    else:
        elsewhere(repository, kind)
    _, document = store(repository, "gc", *ALL, "--delete")
    assert (document["garbage"], document["deleted"]) == ([], [])
    assert len(archives(repository)) == SAMPLES + calls


def test_every_ref_builds_for_nothing_after_all_else_is_given_up(repository: Workspace) -> None:
    """The promise itself, with texts that share some of their samples."""
    texts = ["Grind the beans finely.", "Grind the beans.\nTwice.", "Boil first.", "Grind the beans finely."]
    for number, text in enumerate(texts):
        git(repository.root, "checkout", "-q", "-b", f"side{number}")
        rewrite(repository, text)
        if number == 1:
            repository.build("--resample", "2")
        committed(repository.root)
    git(repository.root, "branch", "-D", "side2")
    git(repository.root, "checkout", "-q", "main")
    before = len(archives(repository))
    store(repository, "gc", *ALL, "--delete")
    assert SAMPLES < len(archives(repository)) < before
    for name in ("main", "side0", "side1", "side3"):
        git(repository.root, "checkout", "-q", name)
        built = repository.build()
        assert (name, built.calls) == (name, [])
        for path in repository.root.glob("*/selftune.lock"):
            path.unlink()
        assert (name, repository.build().calls) == (name, [])
        git(repository.root, "checkout", "-q", "--", ".")


def test_a_smaller_row_of_an_older_lock_keeps_its_own_samples(repository: Workspace) -> None:
    git(repository.root, "checkout", "-q", "-b", "more")
    repository.build("--resample", "3")
    committed(repository.root)
    grown = len(archives(repository))
    git(repository.root, "checkout", "-q", "main")
    git(repository.root, "branch", "-D", "more")
    shutil.copytree(repository.root / ".selftune", repository.root.parent / "kept")
    store(repository, "gc", *ALL, "--delete")
    # They were staged from the tree that stands here, so they stay; once it is another, those that the row names do.
    assert len(archives(repository)) == grown
    repository.edit("brew/references/water.md", "Filter", "Boil")
    repository.edit("bake/SKILL.md", "Preheat the oven.", "Preheat it.")
    store(repository, "gc", *ALL, "--delete")
    assert len(archives(repository)) == SAMPLES


def test_rows_whose_samples_are_not_here_keep_everything_they_could_rest_on(repository: Workspace) -> None:
    rewrite(repository, "Grind the beans finely.")
    for path in archives(repository):
        sample = archive(path)
        path.write_bytes(encode(msgspec.structs.replace(sample, raw=sample.raw.replace(b"ledger-1", b"ledger-2"))))
    repository.edit("brew/SKILL.md", "finely", "coarsely")
    _, document = store(repository, "gc", *ALL, "--delete")
    assert [each for each in document["garbage"] if each["kind"] == "sample"] == []
    assert any("could not be formed again" in reason for reason in document["kept"])


@pytest.mark.parametrize("harm", ["future", "torn", "tampered", "conflict"])
def test_a_lock_that_cannot_be_read_keeps_everything(repository: Workspace, harm: str) -> None:
    rewrite(repository, "Grind the beans finely.")
    lock = repository.lock_path("brew")
    text = lock.read_text()
    changed = {"future": text.replace('"version": 1', '"version": 2'), "torn": text[:-40]}
    changed["tampered"] = text.replace('"n": 1', '"n": 2')
    changed["conflict"] = f"<<<<<<< ours\n{text}=======\n{text[:-40]}>>>>>>> theirs\n"
    git(repository.root, "checkout", "-q", "--", ".")
    (repository.root / "old").mkdir()
    (repository.root / "old/selftune.lock").write_text(changed[harm])
    _, document = store(repository, "gc", *ALL, "--delete")
    assert (document["deleted"], len(document["unreadable_locks"])) == ([], 1)


def test_questions_that_are_not_of_rows_stay(repository: Workspace) -> None:
    path = archives(repository)[0]
    sample = archive(path)
    inputs = {"format": "selftune.key/1", "prompt": "Is it so?", "skills": "x", "schema": {}, "agent plugin": "command"}
    key = digest_json(inputs)
    other = msgspec.structs.replace(sample, static_key=key, call_id=call_id(key, sample.staged, 0))
    place = repository.root / ".selftune/samples" / key[7:9] / key[7:]
    place.mkdir(parents=True)
    (place / "key.json").write_text(json.dumps(inputs))
    (place / f"{other.call_id[7:]}.zst").write_bytes(encode(other))
    _, document = store(repository, "gc", *ALL, "--delete")
    assert (document["deleted"], document["kept"]["what was asked is not a question that rows ask"]) == ([], 1)


def test_what_was_free_goes_by_itself(repository: Workspace) -> None:
    repository.build("--agent", "embedded")
    repository.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans well.")
    repository.build()
    free = len(archives(repository))
    _, document = store(repository, "gc", "--delete")
    assert set(idle(document)) == {"sample"}
    assert document["garbage_price"] == {"usd": "0", "unknown": 0}
    assert len(archives(repository)) == free - len(document["deleted"])
    assert repository.build("--agent", "embedded").status in (0, 1, 3)


def test_records_and_leftovers_go_with_what_needed_them(repository: Workspace) -> None:
    rewrite(repository, "Grind the beans finely.")
    git(repository.root, "checkout", "-q", "--", ".")
    temporary = archives(repository)[0].with_name(".x.zst.999999999-0.tmp")
    temporary.write_bytes(b"half")
    records = list((repository.root / ".selftune/records").glob("*/*.json"))
    for path in records:
        os.utime(path, (0, 0))
    _, document = store(repository, "gc", *ALL, "--delete")
    assert {"sample", "record", "temporary"} == set(idle(document))
    assert repository.build().calls == []
    assert store(repository, "fsck")[1]["findings"] == []


def test_what_is_younger_than_said_stays(repository: Workspace) -> None:
    rewrite(repository, "Grind the beans finely.")
    git(repository.root, "checkout", "-q", "--", ".")
    _, document = store(repository, "gc", "--paid", "--older-than", "1", "--delete")
    assert document["deleted"] == []
    assert document["spared"] != []


def test_what_somebody_works_on_stays(repository: Workspace) -> None:
    calls = rewrite(repository, "Grind the beans finely.")
    git(repository.root, "checkout", "-q", "--", ".")
    _, document = store(repository, "gc", *ALL)
    first = repository.root / ".selftune" / document["garbage"][0]["path"]
    with first.with_name("key.json").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        _, document = store(repository, "gc", *ALL, "--delete")
    assert first.exists()
    assert len(document["deleted"]) < calls


def test_a_repository_that_cannot_be_read_whole_deletes_nothing(repository: Workspace) -> None:
    rewrite(repository, "Grind the beans finely.")
    git(repository.root, "checkout", "-q", "--", ".")
    (repository.root / ".git/refs/heads/broken").write_text("1" * 40 + "\n")
    before = archives(repository)
    status, document = store(repository, "gc", *ALL, "--delete")
    assert (status, archives(repository)) == (3, before)
    assert "not in this clone" in json.dumps(document)


def test_a_store_of_several_repositories_asks_for_all_of_them(repository: Workspace, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (repository.root / ".selftune").rename(shared)
    named = {"SELFTUNE_STORE": str(shared)}
    shutil.copytree(repository.root, tmp_path / "second")
    second = Workspace(tmp_path / "second", repository.ledger)
    second.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans well.")
    second.build(environment=named)
    status, document = store(repository, "gc", *ALL, "--delete", **named)
    assert (status, "--also DIR" in json.dumps(document)) == (2, True)
    _, document = store(repository, "gc", *ALL, "--delete", "--also", str(second.root), **named)
    assert document["deleted"] == []
    _, document = store(repository, "gc", *ALL, "--delete", "--alone", **named)
    assert document["deleted"] != []


def test_what_only_a_reflog_knows_is_needed_by_nobody(repository: Workspace) -> None:
    git(repository.root, "checkout", "-q", "-b", "side")
    calls = rewrite(repository, "Grind the beans finely.")
    commit = committed(repository.root)
    git(repository.root, "checkout", "-q", "main")
    git(repository.root, "branch", "-D", "side")
    assert commit in (repository.root / ".git/logs/HEAD").read_text()
    assert len(store(repository, "gc", *ALL)[1]["garbage"]) >= calls > 0


def test_a_bare_clone_that_is_named_keeps_what_its_refs_need(repository: Workspace, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (repository.root / ".selftune").rename(shared)
    named = {"SELFTUNE_STORE": str(shared)}
    git(tmp_path, "clone", "-q", "--bare", str(repository.root), str(tmp_path / "bare.git"))
    second = Workspace(tmp_path / "second", repository.ledger)
    (tmp_path / "second").mkdir()
    second.write("tea/SKILL.md", "---\nname: tea\ndescription: Makes tea\n---\n")
    _, document = store(second, "gc", *ALL, "--alone", **named)
    assert len(document["garbage"]) >= SAMPLES
    _, document = store(second, "gc", *ALL, "--also", str(tmp_path / "bare.git"), **named)
    assert (document["garbage"], sum(document["kept"].values())) == ([], SAMPLES)


def test_half_a_wish_is_refused(repository: Workspace) -> None:
    assert store(repository, "gc", "--paid")[0] == 2
    assert store(repository, "gc", "--older-than", "3")[0] == 2


def test_without_a_repository_the_locks_on_disk_count(paid: Workspace) -> None:
    assert rewrite(paid, "Grind the beans finely.") > 0
    _, document = store(paid, "gc", *ALL, "--delete")
    assert len(document["deleted"]) > 0
    assert paid.build().calls == []


def test_a_shallow_clone_is_enough(repository: Workspace, tmp_path: Path) -> None:
    rewrite(repository, "Grind the beans finely.")
    committed(repository.root)
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository.root}", str(tmp_path / "shallow"))
    (repository.root / ".selftune").rename(tmp_path / "shallow/.selftune")
    shallow = Workspace(tmp_path / "shallow", tmp_path / "its ledger")
    _, document = store(shallow, "gc", *ALL, "--delete")
    assert document["deleted"] != []
    assert shallow.build().calls == []


@pytest.mark.parametrize("harm", ["link", "pipe", "loop of worktrees"])
def test_a_repository_that_a_stranger_prepared_deletes_nothing(repository: Workspace, tmp_path: Path, harm: str) -> None:
    rewrite(repository, "Grind the beans finely.")
    git(repository.root, "checkout", "-q", "--", ".")
    before = archives(repository)
    refs = repository.root / ".git/refs/heads"
    if harm == "link":
        (refs / "x").symlink_to("/etc/hostname")
    elif harm == "pipe":
        os.mkfifo(refs / "x")
    else:
        private = repository.root / ".git/worktrees/x"
        private.mkdir(parents=True)
        os.mkfifo(private / "gitdir")
    status, document = store(repository, "gc", *ALL, "--delete")
    assert (status, archives(repository)) == (3, before)
    assert "is no regular file" in json.dumps(document)
