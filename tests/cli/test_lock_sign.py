"""`selftune lock sign` and `--require-signature`: a lock that somebody vouches for, until it changes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from selftune_build.lock.parsing import read_lock
from selftune_build.lock.rendering import render
from tests.property.workspace import Workspace
from tests.unit.lock.locks import written


def new_key(workspace: Workspace, folder: Path, name: str = "key") -> Path:
    """A new key pair; the private file."""
    path = folder / name
    assert workspace.selftune("publish", "--new-key", str(path))[0] == 0
    return path


def public(key: Path) -> str:
    """Its public file."""
    return f"{key}.pub"


def sign(workspace: Workspace, key: Path, *targets: str, status: int = 0) -> dict[str, Any]:
    """Sign locks, and what is said of it."""
    done, stdout, stderr = workspace.selftune("lock", "sign", *targets, "--key", str(key), "--json", "-C", str(workspace.root))
    assert done == status, (stdout, stderr)
    return dict(json.loads(stdout))


def locked(workspace: Workspace, *keys: Path) -> dict[str, set[str]]:
    """The problems of every package that has some, where a signature by one of these keys is asked for."""
    words = [word for key in keys for word in ("--require-signature", public(key))]
    built = workspace.build("--locked", *words)
    found = {each["name"]: {problem["code"] for problem in each["problems"]} for each in built.report["packages"]}
    assert built.status == (1 if any(found.values()) else 0)
    return {name: codes for name, codes in found.items() if codes}


@pytest.fixture
def key(built: Workspace, tmp_path: Path) -> Path:
    """A key, and the locks of the workspace signed with it."""
    made = new_key(built, tmp_path)
    sign(built, made)
    return made


def test_a_signed_lock_holds_for_whoever_asks_for_the_signature_and_for_whoever_does_not(built: Workspace, key: Path) -> None:
    assert locked(built, key) == {}
    assert locked(built) == {}
    assert sorted(path.name for path in (built.root / "brew").iterdir()) == ["SKILL.md", "evals", "references", "selftune.lock"]


def test_a_signature_is_missed_where_there_is_none_and_where_it_is_of_another_key(built: Workspace, tmp_path: Path) -> None:
    one, other = new_key(built, tmp_path, "one"), new_key(built, tmp_path, "other")
    sign(built, one, "brew")
    assert locked(built, one) == {"bake": {"lock-tampered"}}
    assert locked(built, other) == {"bake": {"lock-tampered"}, "brew": {"lock-tampered"}}


def test_of_several_keys_any_will_do_and_a_lock_can_have_several_signatures(built: Workspace, tmp_path: Path) -> None:
    one, other = new_key(built, tmp_path, "one"), new_key(built, tmp_path, "other")
    sign(built, one)
    sign(built, other, "brew")
    assert locked(built, other, one) == {}
    assert locked(built, other) == {"bake": {"lock-tampered"}}
    assert len(json.loads(built.lock("brew"))["signatures"]) == 2


def test_a_build_that_changes_nothing_keeps_a_signed_lock_byte_for_byte(built: Workspace, key: Path) -> None:
    before = built.locks()
    assert built.build().calls == []
    assert built.locks() == before
    assert sign(built, key)["known"] == ["bake", "brew"]
    assert built.locks() == before


def test_a_build_that_changes_a_lock_takes_the_signature_off_and_says_so(built: Workspace, key: Path) -> None:
    brew = built.lock("brew")
    built.write("bake/SKILL.md", built.read("bake/SKILL.md") + "Dust with flour.\n")
    report = built.build()
    assert [finding["code"] for finding in report.package("bake")["findings"]] == ["signature-dropped"]
    assert report.package("brew")["findings"] == []
    assert built.lock("brew") == brew
    assert locked(built, key) == {"bake": {"lock-tampered"}}
    assert sign(built, key)["signed"] == ["bake"]
    assert locked(built, key) == {}


def forged(lock: bytes) -> bytes:
    """The lock with better counts in every row, and all that follows computed again but the signature."""
    document = json.loads(lock)
    for arms in document["agents"]["house"]["cases"].values():
        if "without_skill" in arms:
            arms["without_skill"]["passed"] = 0
            arms["without_skill"]["evidence"] = "sha256:" + "0" * 64
    return written(document)


def test_a_consistent_forgery_passes_unsigned_and_is_refused_where_a_signature_is_asked_for(built: Workspace, key: Path) -> None:
    built.lock_path("brew").write_bytes(forged(built.lock("brew")))
    reading = read_lock(built.lock("brew"))
    assert reading.problems == ()
    assert locked(built) == {}
    assert locked(built, key) == {"brew": {"lock-tampered"}}
    built.lock_path("brew").write_bytes(render(replace(reading.locks[0], signatures={})))
    assert b"signatures" not in built.lock("brew")
    assert locked(built, key) == {"brew": {"lock-tampered"}}


def test_the_signature_of_another_lock_vouches_for_nothing(built: Workspace, key: Path) -> None:
    brew, bake = (json.loads(built.lock(name)) for name in ("brew", "bake"))
    built.lock_path("brew").write_bytes(written({**brew, "signatures": bake["signatures"]}))
    assert locked(built, key) == {"brew": {"lock-tampered"}}


def test_a_lock_that_does_not_hold_is_not_signed_and_neither_are_the_others(built: Workspace, tmp_path: Path) -> None:
    made = new_key(built, tmp_path)
    built.write("bake/SKILL.md", built.read("bake/SKILL.md") + "Dust with flour.\n")
    before = built.locks()
    document = sign(built, made, status=1)
    assert {problem["code"] for problem in document["problems"]} == {"tree-changed", "key-changed"}
    assert (document["signed"], document["ok"]) == ([], False)
    assert built.locks() == before


def test_a_lock_whose_gates_say_no_can_be_signed_it_is_true_all_the_same(built: Workspace, tmp_path: Path) -> None:
    made = new_key(built, tmp_path)
    built.evals("bake", [{"id": "loaf", "prompt": "Knead some bread", "checks": [{"contains": "Sour dough"}]}])
    built.write("bake/selftune.yaml", json.dumps({"version": 1, "gates": {"task-pass-rate": {"min": 0.99}}}))
    assert built.build().status == 1
    assert sign(built, made, "bake")["signed"] == ["bake"]
    assert locked(built, made) == {"bake": {"gate-failed"}, "brew": {"lock-tampered"}}


def conflicted(ours: bytes, theirs: bytes) -> bytes:
    """Both locks whole, as a merge without a common part leaves them."""
    return b"<<<<<<< ours\n" + ours + b"=======\n" + theirs + b">>>>>>> theirs\n"


def test_of_a_merge_the_side_that_survives_keeps_its_signature_and_the_other_does_not(built: Workspace, key: Path) -> None:
    signed, document = built.lock("brew"), json.loads(built.lock("brew"))
    document["agents"]["house"]["cases"]["song"]["with_skill"]["key"] = "sha256:" + "0" * 64
    other = written({**document, "signatures": {"f" * 64: "b3RoZXI="}})
    built.lock_path("brew").write_bytes(conflicted(signed, other))
    report = built.build()
    assert report.calls == []
    assert built.lock("brew") == signed
    assert [finding["code"] for finding in report.package("brew")["findings"]] == ["signature-dropped"]
    assert locked(built, key) == {}


def test_another_key_file_is_another_question_though_the_command_line_is_the_same(built: Workspace, key: Path) -> None:
    other = new_key(built, key.parent, "other")
    assert locked(built, key) == {}
    shutil.copyfile(public(other), public(key))
    assert locked(built, key) == {"bake": {"lock-tampered"}, "brew": {"lock-tampered"}}


@pytest.mark.parametrize(
    "words", [("build", "--require-signature", "KEY"), ("build", "--locked", "--require-signature", "SKILL")]
)
def test_what_is_no_key_and_a_build_that_judges_nothing_are_bad_input(
    built: Workspace, key: Path, words: tuple[str, ...]
) -> None:
    places = {"KEY": public(key), "SKILL": str(built.root / "brew/SKILL.md")}
    status, stdout, stderr = built.selftune(*(places.get(word, word) for word in words), "-C", str(built.root))
    assert (status, stdout) == (2, "")
    assert "fix:" in stderr


def test_people_read_whose_key_signed_what(built: Workspace, tmp_path: Path) -> None:
    made = new_key(built, tmp_path)
    words = ("lock", "sign", "brew", "--key", str(made), "-C", str(built.root))
    ((first, said, _), (_, again, _)) = (built.selftune(*words) for _ in range(2))
    (name,) = json.loads(built.lock("brew"))["signatures"]
    assert (first, said) == (0, f"signed brew with the key {name[:12]}\n")
    assert again == f"brew was signed with the key {name[:12]} before\n"
