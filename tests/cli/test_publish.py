"""`selftune publish`: refused unless everything holds; reproducible, attested, installed whole; one changed byte is found."""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage

from tests.property.workspace import Workspace, plain_environment

PARTS = ("brew.skill", "brew.skill.intoto.jsonl", "brew.skill.lock")


def publish(workspace: Workspace, *arguments: str, status: int = 0, **environment: str) -> dict[str, Any]:
    """Publish brew, and what is said of it."""
    words = ("publish", "brew", *arguments, "--json", "-C", str(workspace.root))
    done, stdout, stderr = workspace.selftune(*words, environment={**workspace.environment, **environment})
    assert done == status, (stdout, stderr)
    return dict(json.loads(stdout))


def checked(workspace: Workspace, folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Exit status and findings of a check."""
    status, stdout, _ = workspace.selftune("publish", "--check", str(folder / "brew.skill"), *arguments, "--json")
    return status, json.loads(stdout)


def codes(document: dict[str, Any]) -> set[str]:
    """Codes of everything that does not hold."""
    return {flaw["code"] for flaw in document["flaws"]}


def test_the_archive_holds_what_an_agent_gets_and_nothing_else(live: Workspace, tmp_path: Path) -> None:
    (package,) = publish(live, "--out", str(tmp_path / "out"))["packages"]
    with zipfile.ZipFile(package["archive"]) as archive:
        names = archive.namelist()
        assert names == ["brew/SKILL.md", "brew/references/milk.md", "brew/references/water.md"]
        assert archive.read("brew/SKILL.md").decode() == live.read("brew/SKILL.md")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(PARTS)


def test_the_policy_decides_whether_evals_are_part_of_it(live: Workspace, tmp_path: Path) -> None:
    live.write("brew/selftune.yaml", "version: 1\npolicy: {bundle_evals: true}\n")
    live.build()
    (package,) = publish(live, "--out", str(tmp_path))["packages"]
    with zipfile.ZipFile(package["archive"]) as archive:
        assert {"brew/evals/evals.yaml", "brew/selftune.yaml"} <= set(archive.namelist())


def test_zone_and_umask_of_a_machine_do_not_change_a_byte(live: Workspace, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(live.root, other)
    for path in other.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700 | 0o044)
        os.utime(path, (1, 1))
    one = publish(live, "--out", str(tmp_path / "one"), TZ="Asia/Tokyo")
    program = [sys.executable, "-m", "selftune_build", "publish", "brew", "--out", str(tmp_path / "two"), "-C", str(other)]
    script = 'umask 077; exec "$@"'
    environment = {**plain_environment(), "TZ": "America/Lima"}
    subprocess.run(["sh", "-c", script, "sh", *program], env=environment, check=True, capture_output=True)
    assert one["packages"][0]["archive_sha256"]
    for name in PARTS:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_simulated_evidence_is_not_published_unless_the_policy_says_so(built: Workspace, tmp_path: Path) -> None:
    refused = publish(built, "--out", str(tmp_path / "out"), status=1)
    assert [problem["code"] for problem in refused["packages"][0]["problems"]] == ["evidence-simulated"]
    assert not (tmp_path / "out").exists()
    built.write("brew/selftune.yaml", "version: 1\npolicy: {origins: [simulated]}\n")
    built.build()
    (package,) = publish(built, "--out", str(tmp_path / "out"))["packages"]
    assert package["origins"] == ["simulated"]


def _other_body(workspace: Workspace) -> None:
    workspace.edit("brew/SKILL.md", "Grind the beans.", "Grind the beans slowly.")


def _no_lock(workspace: Workspace) -> None:
    (workspace.root / "brew/selftune.lock").unlink()


def _new_file(workspace: Workspace) -> None:
    workspace.write("brew/more.md", "more\n")


def _forged_counts(workspace: Workspace) -> None:
    workspace.edit("brew/selftune.lock", '"origin": "live"', '"origin": "recorded"')


@pytest.mark.parametrize("edit", [_other_body, _no_lock, _new_file, _forged_counts])
def test_what_the_lock_does_not_vouch_for_is_not_published(
    live: Workspace, tmp_path: Path, edit: Callable[[Workspace], None]
) -> None:
    edit(live)
    publish(live, "--out", str(tmp_path / "out"), status=1)
    assert not (tmp_path / "out").exists()


def test_the_statement_is_one_by_the_library_of_in_toto(live: Workspace, tmp_path: Path) -> None:
    import base64

    (package,) = publish(live, "--out", str(tmp_path))["packages"]
    envelope = json.loads((tmp_path / PARTS[1]).read_bytes())
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    statement = json.loads(base64.b64decode(envelope["payload"]))
    Statement.copy_from_pb(ParseDict(statement, StatementMessage())).validate()
    digests = {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]}
    assert digests == {
        "archive": package["archive_sha256"],
        "package tree": package["tree_sha256"],
        "selftune.lock": package["lock_sha256"],
    }
    (agent,) = statement["predicate"]["agents"]
    assert agent["origin"] == "live"
    assert agent["gates"]["trigger-recall"] == "pass"


def test_a_signature_is_checked_by_the_key_and_by_no_other(live: Workspace, tmp_path: Path) -> None:
    for name in ("mine", "theirs"):
        assert live.selftune("publish", "--new-key", str(tmp_path / name))[0] == 0
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o600
    (package,) = publish(live, "--out", str(tmp_path), "--key", str(tmp_path / "mine"))["packages"]
    assert len(package["signed_by"]) == 1
    assert checked(live, tmp_path, "--key", str(tmp_path / "mine.pub"))[0] == 0
    status, document = checked(live, tmp_path, "--key", str(tmp_path / "theirs.pub"))
    assert (status, codes(document)) == (1, {"signature-missing"})
    _, stdout, _ = live.selftune("publish", "--check", str(tmp_path / "brew.skill"))
    assert "whose signature was not looked at" in stdout


def test_a_signed_attestation_is_not_replaced_by_an_unsigned_one_that_states_the_same(live: Workspace, tmp_path: Path) -> None:
    key = tmp_path / "my keys"
    assert live.selftune("publish", "--new-key", str(key))[0] == 0
    words = ("publish", "brew", "--out", str(tmp_path), "-C", str(live.root))
    check = f"  check: selftune publish --check {tmp_path / 'brew.skill'}"
    assert f"{check} --key '{key}.pub'\n" in live.selftune(*words, "--key", str(key))[1]
    signed = (tmp_path / PARTS[1]).read_bytes()
    stdout = live.selftune(*words, "--to", str(tmp_path / "skills"))[1]
    assert "the attestation of before states the same and stays: signed by" in stdout
    assert f"{check}\n" in stdout
    assert (tmp_path / PARTS[1]).read_bytes() == signed
    assert checked(live, tmp_path, "--key", f"{key}.pub")[0] == 0
    Path(f"{key}.pub").unlink()
    (package,) = publish(live, "--out", str(tmp_path), "--key", str(key))["packages"]
    assert package["check_options"][0] == "--require-signature"
    assert checked(live, tmp_path, *package["check_options"])[0] == 0
    (tmp_path / PARTS[1]).write_bytes(signed[:-9])
    assert publish(live, "--out", str(tmp_path))["packages"][0]["signed_before"] is False
    (tmp_path / PARTS[1]).write_bytes(signed)
    _other_body(live)
    live.build()
    (package,) = publish(live, "--out", str(tmp_path))["packages"]
    assert (package["signed_by"], package["signed_before"]) == ([], False)
    assert checked(live, tmp_path)[0] == 0


def test_an_unsigned_bundle_says_what_it_does_not_prove(live: Workspace, tmp_path: Path) -> None:
    _, stdout, _ = live.selftune("publish", "brew", "--out", str(tmp_path), "-C", str(live.root))
    assert "not signed: it proves that these files belong together, not who measured" in stdout
    assert live.selftune("publish", "--new-key", str(tmp_path / "mine"))[0] == 0
    status, document = checked(live, tmp_path, "--key", str(tmp_path / "mine.pub"))
    assert (status, codes(document)) == (1, {"signature-missing"})


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (PARTS[0], {"archive-damaged", "archive-changed", "contents-changed"}),
        (
            PARTS[1],
            {"attestation-damaged", "signature-missing", "archive-changed", "contents-changed", "lock-changed", "tree-changed"},
        ),
        (PARTS[2], {"lock-damaged", "lock-changed", "tree-changed"}),
    ],
)
def test_one_changed_byte_anywhere_is_found_and_its_file_named(
    live: Workspace, tmp_path: Path, part: str, expected: set[str]
) -> None:
    from selftune_build.publish.bundle import check_bundle, read_bundle
    from selftune_build.signing.keys import public_key
    from selftune_build.signing.signatory import KeyHolder

    live.selftune("publish", "--new-key", str(tmp_path / "mine"))
    publish(live, "--out", str(tmp_path), "--key", str(tmp_path / "mine"))
    key = public_key(tmp_path / "mine.pub")
    path = tmp_path / part
    whole = path.read_bytes()
    assert check_bundle(read_bundle(tmp_path / "brew.skill"), (KeyHolder(key),)).flaws == ()
    step = max(len(whole) // 300, 1)
    for place in range(0, len(whole), step):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        flaws = check_bundle(read_bundle(tmp_path / "brew.skill"), (KeyHolder(key),)).flaws
        assert flaws, place
        assert {flaw.code for flaw in flaws} <= expected, (place, flaws)
        if part != PARTS[1]:
            assert {flaw.path for flaw in flaws} == {part}
    path.write_bytes(whole[:-1])
    assert check_bundle(read_bundle(tmp_path / "brew.skill"), (KeyHolder(key),)).flaws


def test_a_lock_of_another_package_beside_the_archive_is_found(live: Workspace, tmp_path: Path) -> None:
    publish(live, "--out", str(tmp_path))
    shutil.copyfile(live.root / "bake/selftune.lock", tmp_path / PARTS[2])
    status, document = checked(live, tmp_path)
    assert (status, codes(document)) == (1, {"lock-changed", "tree-changed"})


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "brew/../../evil", "brew\\..\\evil", "a/b/CON"])
def test_an_archive_that_leads_out_of_its_folder_is_refused(live: Workspace, tmp_path: Path, name: str) -> None:
    publish(live, "--out", str(tmp_path))
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr(name, "evil")
    (tmp_path / "brew.skill").write_bytes(written.getvalue())
    status, document = checked(live, tmp_path)
    assert (status, codes(document)) == (1, {"archive-damaged"})


def installed(folder: Path) -> dict[str, str]:
    """Text of every file of the installed skill."""
    return {
        path.relative_to(folder / "brew").as_posix(): path.read_text() for path in (folder / "brew").rglob("*") if path.is_file()
    }


def test_a_skill_is_installed_whole_with_a_receipt_and_can_be_rolled_back(live: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "skills"
    first = publish(live, "--out", str(tmp_path), "--to", str(folder))["packages"][0]
    before = installed(folder)
    _other_body(live)
    live.build()
    second = publish(live, "--out", str(tmp_path), "--to", str(folder))["packages"][0]
    assert second["previous"] == first["archive_sha256"]
    assert "slowly" in installed(folder)["SKILL.md"]
    receipt = json.loads((folder / ".selftune/receipts/brew.json").read_text())
    assert receipt["current"]["archive"] == second["archive_sha256"]
    assert receipt["current"]["lock"] == second["lock_sha256"]
    status, _, _ = live.selftune("publish", "brew", "--rollback", "--to", str(folder), "-C", str(live.root))
    assert status == 0
    assert installed(folder) == before
    assert sorted(path.name for path in folder.iterdir()) == [".selftune", "brew"]


def test_publishing_the_same_again_changes_nothing(live: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "skills"
    publish(live, "--out", str(tmp_path), "--to", str(folder))
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    publish(live, "--out", str(tmp_path), "--to", str(folder))
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()} == before


def test_what_somebody_changed_or_put_there_is_not_replaced_without_force(live: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "skills"
    (folder / "brew").mkdir(parents=True)
    (folder / "brew/SKILL.md").write_text("mine\n")
    words = ("publish", "brew", "--out", str(tmp_path), "--to", str(folder), "-C", str(live.root))
    status, _, stderr = live.selftune(*words)
    assert (status, "was not installed by `selftune publish`" in stderr) == (2, True)
    assert installed(folder) == {"SKILL.md": "mine\n"}
    status, stdout, _ = live.selftune(*words, "--force")
    kept = folder / ".selftune/aside/brew-1"
    assert (status, f"what --force replaced was kept as {kept}" in stdout) == (0, True)
    assert (kept / "SKILL.md").read_text() == "mine\n"
    status, _, stderr = live.selftune("publish", "brew", "--rollback", "--to", str(folder), "-C", str(live.root))
    assert (status, f"was kept as {kept}" in stderr) == (2, True)
    (folder / "brew/SKILL.md").write_text("edited\n")
    _other_body(live)
    live.build()
    status, _, stderr = live.selftune(*words)
    assert (status, "was changed since it was installed" in stderr) == (2, True)
    assert installed(folder)["SKILL.md"] == "edited\n"


def test_a_host_gets_the_skill_where_it_looks(live: Workspace, tmp_path: Path) -> None:
    (live.root / ".git").mkdir()
    publish(live, "--out", str(tmp_path), "--install", "claude")
    assert (live.root / ".claude/skills/brew/SKILL.md").is_file()
    publish(live, "--out", str(tmp_path), "--install", "gemini", "--user", HOME=str(tmp_path / "home"))
    assert (tmp_path / "home/.gemini/skills/brew/SKILL.md").is_file()
    document = publish(live, "--install", "nobody", status=2)
    assert "where 'nobody' looks" in json.dumps(document)


def test_a_kill_between_any_two_changes_leaves_one_of_the_two_versions(live: Workspace, tmp_path: Path) -> None:
    """Every step of an installation, ended in its place: afterwards the skill is whole, and the next run settles it."""
    from selftune_build.publish import installation
    from selftune_build.publish.bundle import read_bundle

    def version(number: int) -> tuple[bytes, installation.Version]:
        (package,) = publish(live, "--out", str(tmp_path / str(number)))["packages"]
        archive = read_bundle(tmp_path / str(number) / "brew.skill").archive
        return archive, installation.Version(package["archive_sha256"], "t", "l", "2026-01-01T00:00:00+00:00")

    old = version(1)
    _other_body(live)
    live.build()
    new = version(2)
    for stop in range(80):
        folder = tmp_path / f"skills-{stop}"
        installation.install(folder, *old)
        finished = _interrupted(lambda folder=folder: installation.install(folder, *new), stop)
        assert installed(folder)["SKILL.md"].count("Grind the beans") == 1
        receipt = installation.install(folder, *new)
        assert (receipt.current, receipt.previous, receipt.pending) == (new[1], old[1], None)
        assert "slowly" in installed(folder)["SKILL.md"]
        if finished:
            break
    else:
        pytest.fail("it never finished")
    assert stop > 8


class Killed(BaseException):
    """Stands for the end of the process."""


def _interrupted(run: Callable[[], object], stop: int) -> bool:
    """Run until the call number `stop` of those that change files, counted by the interpreter's audit events."""
    left = [stop]

    def audit(event: str, _arguments: tuple[object, ...]) -> None:
        if armed[0] and event in ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "open"):
            left[0] -= 1
            if left[0] < 0:
                armed[0] = False
                raise Killed

    armed = [True]
    sys.addaudithook(audit)
    try:
        run()
    except Killed:
        return False
    finally:
        armed[0] = False
    return True


def test_the_next_command_watches_what_was_published_and_until_it_exists_an_audit_measures_again(
    live: Workspace, tmp_path: Path
) -> None:
    words = ("publish", "brew", "--out", str(tmp_path), "-C", str(live.root))
    following, until_then = live.selftune(*words)[1].splitlines()[-2:]
    assert following.startswith("next: selftune watch brew")
    promised, _, command = until_then.partition(": ")
    assert promised == "  `watch` comes with a later version; until then"
    assert live.selftune(*shlex.split(command)[1:], "--dry-run")[0] == 0
    quiet = live.selftune(*words, "--no-watch", "--ignore-watch-alerts")[1]
    assert ("next:" in quiet, "until then" in quiet) == (False, False)


def test_the_package_has_to_be_named_where_there_are_several(live: Workspace) -> None:
    status, _, stderr = live.selftune("publish", "-C", str(live.root))
    assert (status, "say which package to publish" in stderr) == (2, True)
    out = ("--out", str(live.root.parent), "-C", str(live.root))
    assert live.selftune("publish", "--skill-path", str(live.root / "bake"), *out)[0] == 0


def test_no_file_is_written_into_a_package(live: Workspace) -> None:
    status, _, stderr = live.selftune("publish", "brew", "--out", str(live.root / "brew/dist"), "-C", str(live.root))
    assert (status, "would become part of it" in stderr) == (2, True)
    assert live.selftune("publish", "brew", "-C", str(live.root))[0] == 0
    assert sorted(path.name for path in (live.root / ".selftune/dist").iterdir()) == sorted(PARTS)
    assert live.build("--locked").status == 0


def test_what_is_published_into_the_store_is_not_foreign_to_it(live: Workspace) -> None:
    publish(live)
    (live.root / ".selftune/stranger").write_text("mine\n")
    _, stdout, stderr = live.selftune("store", "fsck", "--json", "-C", str(live.root))
    findings = {finding["path"]: finding["id"] for finding in json.loads(stdout)["findings"]}
    assert findings == {"stranger": "foreign"}, stderr


@pytest.mark.parametrize("path", ["references/aux.md", "references/ lead.md", "a./b.md"])
def test_a_name_that_some_system_cannot_hold_is_refused_before_anything_is_written(
    live: Workspace, tmp_path: Path, path: str
) -> None:
    live.write(f"brew/{path}", "text")
    live.build()
    error = publish(live, "--out", str(tmp_path / "out"), status=2)["error"]
    assert error["path"] == path
    assert not (tmp_path / "out").exists()
