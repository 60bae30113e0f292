"""`selftune eval unit-test` through the real command: tests of scripts, drafted by words or by an agent, and run for real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selftune_build.__main__ import main
from tests.cli.shop import Shop

PARSED = """\
import argparse

parser = argparse.ArgumentParser()
parser.add_argument("parcel")
parser.add_argument("--stamp", default="none")
parser.add_argument("--weight")
given = parser.parse_args()
if __name__ == "__main__":
    print(f"{given.parcel} with {given.stamp}")
"""
COUNTED = """\
import sys

if __name__ == "__main__":
    if len(sys.argv) != 2:
        print("Usage: weigh.py PARCEL", file=sys.stderr)
        sys.exit(3)
    print(len(sys.argv[1]))
"""
BODY = "Run `scripts/label.py parcel --stamp red --colour blue`, then `scripts/weigh.py parcel` and `scripts/post.sh`."


@pytest.fixture
def scripted(shop: Shop) -> Shop:
    """The skill `parcels` with three scripts and a module that belongs to them."""
    folder = shop.skill("parcels", "Sends parcels.", BODY) / "scripts"
    folder.mkdir()
    (folder / "label.py").write_text(PARSED)
    (folder / "weigh.py").write_text(COUNTED)
    (folder / "post.sh").write_text('#!/bin/bash\necho "posting $1"\n')
    (folder / "stamps.py").write_text("RED = 1\n")
    return shop


def written_file(shop: Shop) -> Path:
    return shop.root / "skills/parcels/tests/generated.yaml"


def cases(shop: Shop) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    """Checks by command, as the reader has them."""
    from selftune_build.engine.load import load_universe

    (package,) = (each for each in load_universe(shop.root).packages if each.name == "parcels")
    return {case.run: [{check.kind: check.params} for check in case.checks] for case in package.unit_tests}


def verdict(shop: Shop) -> str:
    """Of the gate `unit-tests`, after running what is there."""
    shop.capsys.readouterr()
    main(["eval", "unit-test", "parcels", "--json", "-C", str(shop.root)])
    (package,) = json.loads(shop.capsys.readouterr().out)["packages"]
    return {gate["id"]: gate["verdict"] for gate in package["gates"]}["unit-tests"]


def answering(shop: Shop, monkeypatch: pytest.MonkeyPatch, *tests: dict[str, Any]) -> None:
    """Let the agent answer with these tests."""
    whole = {"args": [], "stdin": "", "files": [], "checks": [{"kind": "exit", "value": "0", "path": ""}], "why": "It works."}
    (shop.root.parent / "tests.json").write_text(json.dumps({"tests": [{**whole, **test} for test in tests]}))
    monkeypatch.setenv("TEST_TESTS", str(shop.root.parent / "tests.json"))


def asked(shop: Shop, *more: str) -> dict[str, Any]:
    return shop.run("unit-test", "--generate", "parcels", "--agent", "scribe", *more)


def reasons(report: dict[str, Any]) -> list[str]:
    (package,) = report["packages"]
    return [each["reason"] for each in package["rejected"]]


def test_scripts_get_tests_from_their_own_texts_which_then_pass(scripted: Shop) -> None:
    report = scripted.run("unit-test", "--generate")
    assert (report["written"], report["model_asked"]) == (["skills/parcels/tests/generated.yaml"], False)
    found = cases(scripted)
    assert set(found) == {
        ("python3", "scripts/label.py", "--help"),
        ("python3", "scripts/label.py"),
        ("python3", "scripts/weigh.py"),
        ("bash", "-n", "scripts/post.sh"),
    }
    assert found["python3", "scripts/weigh.py"] == [
        {"stderr-contains": {"text": "usage", "ignore-case": True}},
        {"exit": {"status": 3}},
    ]
    assert verdict(scripted) == "pass"


def test_only_options_that_the_script_has_are_checked_against_help(scripted: Shop) -> None:
    scripted.run("unit-test", "--generate")
    checks = cases(scripted)["python3", "scripts/label.py", "--help"]
    named = [check["contains"]["text"] for check in checks if "contains" in check]
    assert named == ["usage", "--stamp"]  # --colour is in SKILL.md alone, --weight in the script alone


def test_a_script_that_breaks_fails_its_generated_test(scripted: Shop) -> None:
    scripted.run("unit-test", "--generate")
    (scripted.root / "skills/parcels/scripts/label.py").write_text(PARSED.replace("--stamp", "--seal"))
    assert verdict(scripted) == "fail"


def test_generating_runs_nothing(scripted: Shop) -> None:
    for name in ("label.py", "weigh.py"):
        path = scripted.root / "skills/parcels/scripts" / name
        path.write_text(f"open({str(scripted.root / 'ran')!r}, 'w')\n{path.read_text()}")
    scripted.run("unit-test", "--generate")
    assert not (scripted.root / "ran").exists()


def test_nothing_is_overwritten_without_force_and_the_same_bytes_come_again(scripted: Shop) -> None:
    scripted.run("unit-test", "--generate")
    before = written_file(scripted).read_bytes()
    arguments = ["eval", "unit-test", "--generate", "parcels", "-C", str(scripted.root)]
    assert main(arguments) == 2
    assert main([*arguments, "--force"]) == 0
    assert written_file(scripted).read_bytes() == before


def test_what_existing_tests_run_is_not_drafted_again(scripted: Shop) -> None:
    folder = scripted.root / "skills/parcels/tests"
    folder.mkdir()
    (folder / "mine.yaml").write_text(
        "format: selftune.unit-tests/1\ncases:\n  - id: mine\n    run: [python3, scripts/weigh.py]\n    checks: [{exit: 3}]\n"
    )
    scripted.run("unit-test", "--generate", "parcels")
    assert 'run: ["python3", "scripts/weigh.py"]' not in written_file(scripted).read_text()


def test_a_package_without_scripts_gets_no_file(shop: Shop) -> None:
    report = shop.run("unit-test", "--generate", "letters")
    (package,) = report["packages"]
    assert (report["written"], package["cases"]) == ([], 0)
    assert package["notes"] == ["no script that could be tested: nothing below scripts/, nothing that SKILL.md names"]


HOSTILE = {
    "nul": "import argparse\n\0binary",
    "huge": "x" * 200_000,
    "deep": "import argparse\n" + "(" * 50_000,
    "no Python": "import argparse\n# -*- coding: nonsense -*-\nif __name__ == '__main__': (",
    "repeats": "len(sys.argv)" * 4_000,
    "repeats without an exit": "len(sys.argv) exit " * 3_000,
    "options": "--a" * 20_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_whatever_a_script_holds_the_file_is_read_back(text: str, scripted: Shop) -> None:
    (scripted.root / "skills/parcels/scripts/label.py").write_text(text)
    report = scripted.run("unit-test", "--generate", "parcels")
    (package,) = report["packages"]
    assert package["cases"] == len(cases(scripted)) >= 2


def test_a_model_drafts_tests_that_run(scripted: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(
        scripted,
        monkeypatch,
        {"script": "scripts/weigh.py", "args": ["abcd"], "checks": [{"kind": "contains", "value": "4", "path": ""}]},
        {
            "script": "scripts/label.py",
            "args": ["a box", "--stamp=red"],
            "files": [{"dest": "notes/box.txt", "content": "a box\n"}],
            "checks": [{"kind": "regex", "value": "^a box with red$", "path": ""}, {"kind": "exit", "value": "0", "path": ""}],
        },
    )
    report = asked(scripted)
    assert (report["spend"]["calls"], report["packages"][0]["cases"], reasons(report)) == (2, 2, [])
    assert verdict(scripted) == "pass"
    assert asked(scripted, "--force")["spend"]["calls"] == 0


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ({"script": "scripts/nothing.py"}, "it runs something else than a script of the skill"),
        ({"script": "/bin/sh", "args": ["-c", "id"]}, "it runs something else than a script of the skill"),
        ({"args": ["../../secrets"]}, "it reaches out of its folder: ../../secrets"),
        ({"args": ["--file=/etc/passwd"]}, "it reaches out of its folder: --file=/etc/passwd"),
        ({"args": ["https://example.org"]}, "it reaches out of its folder: https://example.org"),
        ({"files": [{"dest": "../up.txt", "content": ""}]}, "it places a file out of its folder"),
        ({"checks": []}, ""),
        ({"checks": [{"kind": "exit", "value": "soon", "path": ""}]}, ""),
        ({"checks": [{"kind": "regex", "value": "(a{9999}){9999}", "path": ""}]}, ""),
        ({"checks": [{"kind": "file-exists", "value": "", "path": "/etc/passwd"}]}, ""),
        ({"args": ["\u0000"]}, ""),
    ],
)
def test_a_test_that_is_none_is_rejected_with_the_reason(
    test: dict[str, Any], reason: str, scripted: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = {"script": "scripts/weigh.py", "args": ["abcd"]}
    answering(scripted, monkeypatch, {"script": "scripts/weigh.py", "args": ["abc"], **test}, good)
    report = asked(scripted)
    (said,) = reasons(report)
    assert said == reason if reason else said
    assert list(cases(scripted)) == [("python3", "scripts/weigh.py", "abcd")]


def test_a_test_that_runs_what_another_runs_counts_once(scripted: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(scripted, monkeypatch, *[{"script": "scripts/weigh.py", "args": ["abcd"]}] * 3)
    report = asked(scripted)
    assert (report["packages"][0]["cases"], reasons(report)) == (1, ["another test runs the same"] * 2)


def test_without_generate_the_tests_are_run_like_a_build_does(scripted: Shop) -> None:
    scripted.run("unit-test", "--generate")
    status = main(["eval", "unit-test", "--skill", "parcels", "-C", str(scripted.root)])
    assert status == main(["build", "parcels:unit-tests", "-C", str(scripted.root)])


def test_flags_of_generating_alone_are_refused_without_it(shop: Shop) -> None:
    assert main(["eval", "unit-test", "--force", "-C", str(shop.root)]) == 2
    assert "add --generate" in shop.capsys.readouterr().err
