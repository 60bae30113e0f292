from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[4] / "examples"


def test_the_example_whose_script_is_broken_fails_though_one_of_its_files_holds_every_expected_word(tmp_path: Path) -> None:
    workspace = tmp_path / "failing"
    shutil.copytree(EXAMPLES / "failing", workspace)
    assert "Total: 121.80 EUR" in (workspace / "shipping-cost/references/worked-examples.md").read_text(encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "selftune_build", "build", "verify", "--json", "-C", str(workspace)],
        env=os.environ | {"SELFTUNE_STORE": str(tmp_path / "store")}, capture_output=True, check=False,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert done.returncode == report["exit_code"] == 1
    assert {package["name"]: package["verdict"] for package in report["packages"]} == {
        "colour-names": "pass",
        "shipping-cost": "fail",
    }
    rates = {package["name"]: package["metrics"]["task_pass_rate"]["value"] for package in report["packages"]}
    assert rates == {"colour-names": 1.0, "shipping-cost": 0.0}
