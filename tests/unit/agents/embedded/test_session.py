from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from selftune_build.agents.embedded.answer import NOTHING_CHOSEN
from selftune_build.agents.protocol import AgentFailure, StagedSkill
from selftune_build.limits import EMBEDDED_FILES_READ
from selftune_build.model.sample import ErrorKind
from tests.unit.agents.embedded.ledger import (
    LEDGER,
    LEDGER_CSV,
    FolderWorkspace,
    description_of,
    run_agent,
    run_case,
    write_files,
)

TOTALS = "Give me a summary with totals by region of the ledger book.csv"
CASE = {"book.csv": LEDGER_CSV}


def skill_of(body: str, **files: str) -> dict[str, str]:
    """A skill for glaciers with this body; keyword `scripts__a_py` is the file `scripts/a.py`."""
    front = "---\nname: glacier\ndescription: Measures glaciers and moraines.\n---\n"
    named = {
        name.replace("__", "/").replace("_py", ".py").replace("_sh", ".sh").replace("_md", ".md"): text
        for name, text in files.items()
    }
    return {"SKILL.md": front + body, **named}


class ClosedWorkspace:
    """A workspace that may not be looked at."""

    @property
    def root(self) -> Path:
        raise AssertionError("looked at the workspace before a skill was chosen")

    home = root

    def skill(self, name: str) -> Path:
        raise AssertionError(f"looked into {name}")


class OneSkillWorkspace(FolderWorkspace):
    """A workspace that notes which skills are looked into."""

    asked: tuple[str, ...] = ()

    def skill(self, name: str) -> Path:
        self.asked += (name,)
        return super().skill(name)


def test_the_answer_is_what_the_script_printed_and_what_was_read(tmp_path: Path) -> None:
    response = run_case(tmp_path, TOTALS, case=CASE)
    assert response["output"].startswith("north: 16\nsouth: 7")
    assert response["skills_used"] == ["ledger-tools"]
    assert [call["name"] for call in response["tool_calls"]] == ["Skill", "Read", "Read", "Read", "Script"]
    assert ".agents/skills/ledger-tools/references/closing.md" not in response["files_read"]


def test_a_broken_script_fails_the_case_even_where_files_hold_the_expected_words(tmp_path: Path) -> None:
    broken = LEDGER | {"scripts/summarise.py": "raise SystemExit('no ledger today')"}
    broken["workflows/summary.md"] += "\nThe totals by region are north: 16 and south: 7.\n"
    output = run_case(tmp_path, TOTALS, broken, CASE)["output"]
    assert "north: 16" not in output
    assert output == "A script failed: scripts/summarise.py ended with exit status 1: no ledger today"


def test_a_missing_script_fails_the_case_even_where_files_hold_the_expected_words(tmp_path: Path) -> None:
    without = {path: text for path, text in LEDGER.items() if path != "scripts/summarise.py"}
    without["workflows/summary.md"] += "\nThe totals by region are north: 16 and south: 7.\n"
    response = run_case(tmp_path, TOTALS, without, CASE)
    assert response["output"] == "A script failed: scripts/summarise.py is missing"
    assert ".agents/skills/ledger-tools/scripts/summarise.py" in response["files_read"]


def test_a_file_that_nothing_leads_to_is_never_quoted(tmp_path: Path) -> None:
    skill = skill_of("# Glaciers\n\nMeasure every glacier twice.\n", references__hidden_md="The glacier is 7 km long.")
    output = run_case(tmp_path, "How long is the glacier?", skill)["output"]
    assert "twice" in output
    assert "7 km" not in output


def test_before_a_skill_is_chosen_nothing_but_metadata_and_prompt_is_seen() -> None:
    answer = json.loads(run_agent("Write a poem", ClosedWorkspace(), (StagedSkill("ledger-tools", "Summarise ledgers."),)))
    assert answer["output"] == NOTHING_CHOSEN
    assert answer["skills_used"] == answer["files_read"] == answer["tool_calls"] == []


def test_only_the_chosen_skill_is_looked_into(tmp_path: Path) -> None:
    write_files(tmp_path / "source", LEDGER)
    (tmp_path / "root").mkdir()
    workspace = OneSkillWorkspace(tmp_path / "root", tmp_path / "home", {"ledger-tools": tmp_path / "source"})
    ledger = StagedSkill("ledger-tools", description_of(LEDGER["SKILL.md"]))
    answer = json.loads(
        run_agent("When does the fiscal year of the ledger close?", workspace, (StagedSkill("bread", "Bakes."), ledger))
    )
    assert answer["skills_used"] == ["ledger-tools"]
    assert set(workspace.asked) == {"ledger-tools"}


RUN = """
import sys
from pathlib import Path
from selftune_build.agents.protocol import StagedSkill
from tests.unit.agents.embedded.ledger import *
folder, turn = Path(sys.argv[1]), int(sys.argv[2])
write_files(folder / "source", LEDGER); (folder / "root").mkdir(); write_files(folder / "root", {"book.csv": LEDGER_CSV})
skills = [StagedSkill("ledger-tools", description_of(LEDGER["SKILL.md"]))]
skills += [StagedSkill(f"other-{n}", f"Bakes bread number {n} with ledgers of flour.") for n in range(12)]
workspace = FolderWorkspace(folder / "root", folder / "home", {"ledger-tools": folder / "source"})
sys.stdout.buffer.write(run_agent(sys.argv[3], workspace, tuple(skills[turn:] + skills[:turn])))
"""


def test_the_answer_is_the_same_for_every_hash_seed_folder_and_order_of_skills(tmp_path: Path) -> None:
    answers = set()
    for turn, seed in enumerate(("0", "1", "4242")):
        folder = tmp_path / seed
        folder.mkdir()
        environment = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(folder), str(turn * 5), TOTALS],
            cwd=Path(__file__).parents[4], env=environment, capture_output=True, check=True,
        )  # fmt: skip
        answers.add(done.stdout)
    assert len(answers) == 1
    assert b"north: 16" in answers.pop()


def test_without_execution_no_script_runs_and_nothing_is_answered(tmp_path: Path) -> None:
    skill = LEDGER | {"scripts/summarise.py": "open('ran', 'w'); print('north: 16')"}
    with pytest.raises(AgentFailure, match=r"scripts/summarise.py of the skill, and --no-exec") as caught:
        run_case(tmp_path, TOTALS, skill, CASE, allow_exec=False)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert not (tmp_path / "run" / "root" / "ran").exists()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import time\nprint('x', flush=True)\ntime.sleep(600)", "did not end within 1 seconds"),
        ("import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)", "did not end within 1 seconds"),
        ("while True: print('x' * 65536)", "printed more than 1048576 bytes"),
        ("input()", "EOFError"),
        ("import sys\nsys.stderr.write('bad ' * 100_000)\nraise SystemExit(3)", "exit status 3"),
    ],
)
def test_a_script_that_hangs_floods_asks_or_fails_is_a_failed_script(tmp_path: Path, script: str, said: str) -> None:
    skill = skill_of("To measure a glacier run `python3 scripts/a.py`.\n", scripts__a_py=script)
    output = run_case(tmp_path, "Measure the glacier", skill, timeout_s=1 if "sleep" in script else 20)["output"]
    assert output.startswith("A script failed: scripts/a.py")
    assert said in output


def test_bytes_that_are_not_text_are_quoted_as_replacements(tmp_path: Path) -> None:
    script = "import sys\nsys.stdout.buffer.write(b'ice \\xff\\x00')"
    skill = skill_of("To measure a glacier run `python3 scripts/a.py`.\n", scripts__a_py=script)
    assert run_case(tmp_path, "Measure the glacier", skill)["output"].startswith("ice \ufffd\x00")


def test_a_skill_whose_links_never_end_is_read_up_to_a_limit(tmp_path: Path) -> None:
    files = {f"r/{number}.md": f"Always read [next]({number + 1}.md) and [back](../SKILL.md)." for number in range(50)}
    body = "# Glaciers\n\n" + "".join(f"Always read [a](r/{number}.md).\n\n" for number in range(0, 50, 2))
    response = run_case(tmp_path, "Measure the glacier", skill_of(body) | files)
    assert sum(call["name"] == "Read" for call in response["tool_calls"]) == EMBEDDED_FILES_READ


def test_a_script_that_is_a_link_out_of_the_skill_is_missing(tmp_path: Path) -> None:
    write_files(tmp_path / "source", skill_of("To measure a glacier run `python3 scripts/a.py`.\n"))
    write_files(tmp_path, {"outside.py": "print('out')"})
    (tmp_path / "source" / "scripts").mkdir()
    (tmp_path / "source" / "scripts" / "a.py").symlink_to(tmp_path / "outside.py")
    (tmp_path / "root" / ".agents" / "skills").mkdir(parents=True)
    (tmp_path / "root" / ".agents" / "skills" / "glacier").symlink_to(tmp_path / "source")
    workspace = FolderWorkspace(tmp_path / "root", tmp_path / "home", {})
    answer = json.loads(run_agent("Measure the glacier", workspace, (StagedSkill("glacier", "Measures glaciers."),)))
    assert answer["output"] == "A script failed: scripts/a.py is missing"


def test_an_interpreter_that_is_not_installed_says_nothing_about_the_skill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    skill = skill_of("To measure a glacier run `node scripts/a.js`.\n") | {"scripts/a.js": "console.log(1)"}
    with pytest.raises(AgentFailure, match="needs `node`"):
        run_case(tmp_path, "Measure the glacier", skill)


@pytest.mark.parametrize(
    "body",
    [
        "See [how to measure a glacier](references/measure.md).\n\nRun `scripts/a.py` on the file.\n",
        "Read references/measure.md, then:\n\n    python scripts/a.py <input file>\n",
        "## Measure\n\n```bash\npython {baseDir}/scripts/a.py input.txt  # measures\n```\n\nMore: `references/measure.md`\n",
        "## Quick start\n\n1. Run `python3 ${CLAUDE_SKILL_DIR}/scripts/a.py FILE`.\n2. Follow `references/measure.md`.\n",
    ],
)
def test_skills_without_a_routing_table_work_as_well(tmp_path: Path, body: str) -> None:
    skill = skill_of(
        body, references__measure_md="A glacier moves.", scripts__a_py="import sys\nprint('read', open(sys.argv[1]).read())"
    )
    output = run_case(tmp_path, "Measure the glacier in notes.txt", skill, {"notes.txt": "12 m"})["output"]
    assert output.startswith("read 12 m")
    assert "A glacier moves." in output
