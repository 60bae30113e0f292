"""A skill with a routing table, references and a script, and a workspace over a real folder."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

from selftune_build.agents.embedded import EmbeddedAgent
from selftune_build.agents.protocol import RunRequest, StagedSkill, Workspace

LEDGER = {
    "SKILL.md": """---
name: ledger-tools
description: Summarise and check ledgers of bookkeeping entries kept as CSV files. Do NOT use for payroll.
---

# Ledger tools

| What is asked | Read |
|---|---|
| Totals, sums, a summary of a ledger | [workflows/summary.md](workflows/summary.md) |
| Missing receipts or duplicate vouchers | [workflows/receipts.md](workflows/receipts.md) |
| Closing the fiscal year | `references/closing.md` |
""",
    "workflows/summary.md": """# Summary

Amounts are shown in cents.

```bash
python3 scripts/summarise.py LEDGER.csv --by COLUMN
```

For the accounts of a chart see [accounts](../references/accounts.md).
""",
    "workflows/receipts.md": "# Receipts\n\nA receipt older than ninety days is reported to the controller.\n",
    "references/closing.md": "# Closing\n\nThe fiscal year closes on 31 March.\n",
    "references/accounts.md": "# Accounts\n\nThe chart of accounts starts at 1000.\n",
    "scripts/summarise.py": """import argparse, collections, csv
arguments = argparse.ArgumentParser()
arguments.add_argument("file")
arguments.add_argument("--by", required=True)
given = arguments.parse_args()
totals = collections.Counter()
with open(given.file, encoding="utf-8") as lines:
    for row in csv.DictReader(lines):
        totals[row[given.by]] += int(row["amount"])
for name, total in sorted(totals.items()):
    print(f"{name}: {total}")
""",
}
LEDGER_CSV = "account,region,amount\n1000,north,5\n1000,south,7\n2000,north,11\n"


class FolderWorkspace:
    """A workspace over a folder; a skill is copied from its source when it is first asked for."""

    def __init__(self, root: Path, home: Path, sources: dict[str, Path]) -> None:
        self.root = root
        self.home = home
        self._sources = sources
        (home / "tmp").mkdir(parents=True, exist_ok=True)

    def skill(self, name: str) -> Path:
        folder = self.root / ".agents" / "skills" / name
        if not folder.exists():
            shutil.copytree(self._sources[name], folder)
        return folder


def write_files(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def description_of(skill_md: str) -> str:
    return next(line.removeprefix("description:").strip() for line in skill_md.splitlines() if line.startswith("description:"))


def run_agent(
    prompt: str, workspace: Workspace, skills: tuple[StagedSkill, ...], *, allow_exec: bool = True, timeout_s: int = 20
) -> bytes:
    """The raw answer of the agent."""
    answer = io.BytesIO()
    EmbeddedAgent().run(RunRequest("sha256:0", prompt, workspace, skills, None, 0, timeout_s, 5, allow_exec), answer)
    return answer.getvalue()


def run_case(
    folder: Path,
    prompt: str,
    skill: dict[str, str] | None = None,
    case: dict[str, str] | None = None,
    *,
    allow_exec: bool = True,
    timeout_s: int = 20,
) -> dict[str, Any]:
    """Stage one skill, `ledger-tools` unless another is given, with the files of a case in a new folder and ask the agent."""
    files = LEDGER if skill is None else skill
    name = next(line.split()[1] for line in files["SKILL.md"].splitlines() if line.startswith("name:"))
    shutil.rmtree(folder / "run", ignore_errors=True)
    source, root = folder / "run" / "source", folder / "run" / "root"
    write_files(source, files)
    root.mkdir(parents=True)
    write_files(root, case or {})
    workspace = FolderWorkspace(root, folder / "run" / "home", {name: source})
    staged = (StagedSkill(name, description_of(files["SKILL.md"])),)
    response: dict[str, Any] = json.loads(run_agent(prompt, workspace, staged, allow_exec=allow_exec, timeout_s=timeout_s))
    return response
