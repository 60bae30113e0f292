"""`policy: {signatures: […]}`: who vouches for locks is said by the base, and asked for by `--policy` and `publish`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.repository import committed, git
from tests.cli.test_lock_sign import sign
from tests.property.kitchen import ANY_RATE
from tests.property.workspace import Workspace
from tests.sigstore_instance import RUNNER, Instance


def new_key(workspace: Workspace, path: Path) -> str:
    """A new key, and how a manifest names it."""
    _, stdout, _ = workspace.selftune("publish", "--new-key", str(path), "--json")
    return str(json.loads(stdout)["signatory"])


def settle(workspace: Workspace, *words: str, **policy: Any) -> None:
    """Say in the workspace's manifest who may sign."""
    document = json.loads(workspace.read("selftune.yaml"))
    document["defaults"]["policy"] = {**policy, **({"signatures": list(words)} if words else {})}
    workspace.write("selftune.yaml", json.dumps(document, indent=1))


def judged(workspace: Workspace, *words: str) -> dict[str, list[tuple[str, str]]]:
    """Code and message of every problem by package."""
    built = workspace.build("--locked", *words)
    told = {each["name"]: [(one["code"], one["message"]) for one in each["problems"]] for each in built.report["packages"]}
    assert built.status == (1 if any(told.values()) else 0)
    return {name: problems for name, problems in told.items() if problems}


@pytest.fixture
def key(built: Workspace, tmp_path: Path) -> Path:
    """A key that `main` names, and a branch on which nobody has signed yet."""
    path = tmp_path / "key"
    settle(built, new_key(built, path))
    committed(built.root)
    git(built.root, "checkout", "-qb", "topic")
    return path


def test_the_base_says_who_vouches_and_without_the_flag_nobody_is_asked(built: Workspace, key: Path, tmp_path: Path) -> None:
    assert judged(built) == {}
    unsigned = [("lock-tampered", "the lock is not signed, and a signature is asked for")]
    assert judged(built, "--policy", "main") == {"bake": unsigned, "brew": unsigned}
    other = tmp_path / "other"
    new_key(built, other)
    sign(built, other)
    told = judged(built, "--policy", "main")
    assert all("by nobody who is asked for" in message for ((_, message),) in told.values())
    assert list(told) == ["bake", "brew"]
    sign(built, key)
    assert judged(built, "--policy", "main") == {}
    assert judged(built, "--policy", "main", "--require-signature", f"{other}.pub") == {}


def test_both_the_command_line_and_the_base_have_to_be_satisfied(built: Workspace, key: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    new_key(built, other)
    sign(built, key)
    told = judged(built, "--policy", "main", "--require-signature", f"{other}.pub")
    assert [code for code, _ in told["brew"]] == ["lock-tampered"]


def test_a_change_that_names_its_own_signatory_is_refused_twice(built: Workspace, key: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    word = new_key(built, mine)
    settle(built, json.loads(built.read("selftune.yaml"))["defaults"]["policy"]["signatures"][0], word)
    sign(built, mine)
    assert judged(built) == {}
    told = judged(built, "--policy", "main")["brew"]
    assert [code for code, _ in told] == ["lock-tampered", "policy-changed"]
    assert f"locks may be signed by {word}" in told[1][1]


def test_a_change_that_asks_nobody_any_more_is_refused(built: Workspace, key: Path) -> None:
    sign(built, key)
    settle(built)
    assert [message.partition(" (")[0] for _, message in judged(built, "--policy", "main")["brew"]] == [
        "nobody has to sign locks any more"
    ]


def test_a_change_that_starts_to_ask_is_told_and_does_not_bind_itself(built: Workspace, tmp_path: Path) -> None:
    committed(built.root)
    word = new_key(built, tmp_path / "key")
    settle(built, word)
    built_report = built.build("--locked", "--policy", "HEAD").report
    (finding,) = [each for each in built_report["packages"][0]["findings"] if each["code"] == "policy-changed"]
    assert (finding["severity"], f"locks have to be signed by {word}" in finding["message"]) == ("note", True)
    assert built_report["exit_code"] == 0


def test_another_signatory_makes_no_other_lock(built: Workspace, tmp_path: Path) -> None:
    before = built.locks()
    settle(built, new_key(built, tmp_path / "key"))
    assert built.build().calls == []
    assert built.locks() == before


def test_the_base_can_name_an_identity_and_a_file_can_lay_down_the_policy(built: Workspace, tmp_path: Path) -> None:
    with Instance() as instance:
        trust, name = str(instance.trust(tmp_path)), f"sigstore:{instance.url}#{RUNNER}"
        (tmp_path / "house.yaml").write_text(json.dumps({"version": 1, "gates": ANY_RATE, "policy": {"signatures": [name]}}))
        asked = ("--policy", "../house.yaml", "--trust-root", trust)
        assert [code for ((code, _),) in judged(built, *asked).values()] == ["lock-tampered", "lock-tampered"]
        words = ("lock", "sign", "--identity", "ambient", "--trust-root", trust, "-C", str(built.root))
        assert built.selftune(*words, environment=instance.ambient())[0] == 0
    assert judged(built, *asked) == {}


@pytest.mark.parametrize("word", ["release.pub", "key:", "key:ab\n", "sigstore:https://a", "sigstore:a#b", "KEY:AAAA"])
def test_who_vouches_is_spelt_out_in_a_manifest(built: Workspace, word: str) -> None:
    settle(built, word)
    status, stdout, stderr = built.selftune("build", "--locked", "-C", str(built.root))
    assert (status, stdout) == (2, "")
    assert "/defaults/policy/signatures/0" in stderr
    assert "selftune publish --new-key" in stderr


def test_a_word_that_is_no_key_is_bad_input_where_it_is_needed(built: Workspace) -> None:
    settle(built, "key:AAAA")
    committed(built.root)
    status, _, stderr = built.selftune("build", "--locked", "--policy", "main", "-C", str(built.root))
    assert (status, "this is no public key" in stderr) == (2, True)


def test_publishing_asks_for_a_signed_lock_where_the_policy_does(live: Workspace, tmp_path: Path) -> None:
    key = tmp_path / "key"
    settle(live, new_key(live, key))
    words = ("publish", "brew", "--out", str(tmp_path / "out"), "-C", str(live.root))
    status, stdout, _ = live.selftune(*words, "--json")
    (problem,) = json.loads(stdout)["packages"][0]["problems"]
    assert (status, problem["code"], problem["fix"]) == (1, "lock-tampered", "selftune lock sign brew --key FILE")
    assert not (tmp_path / "out").exists()
    status, stdout, stderr = live.selftune(*words)
    assert (status, "not published" in stderr, "selftune lock sign brew" in stdout) == (1, True, True)
    sign(live, key, "brew")
    assert live.selftune(*words)[0] == 0
    assert (tmp_path / "out/brew.skill.lock").read_bytes() == live.lock("brew")
