"""What `selftune plugins new` writes, as somebody uses it: a fresh environment, the built wheel, its own tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from selftune_build.__main__ import main
from selftune_build.plugins.kinds import Kind
from selftune_build.testing import SkillWorkspace
from tests.environments import install, run
from tests.plugins.conftest import pip_install
from tests.plugins.site_folder import SiteFolder


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(Kind), ids=str)
def test_a_new_plugin_installs_and_its_tests_pass(kind: Kind, fresh: Path, tmp_path: Path) -> None:
    assert main(["plugins", "new", "--kind", kind.value, "my-own", str(tmp_path)]) == 0
    project = tmp_path / f"selftune-{kind}-my-own"
    install(fresh, "-e", f"{project}[dev]", cwd=tmp_path)
    assert " passed" in run(fresh, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)
    run(fresh, "-m", "pip", "uninstall", "-q", "-y", project.name, cwd=tmp_path)


def test_the_code_of_a_new_gate_passes_its_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["plugins", "new", "--kind", "gate", "my-own", str(tmp_path)]) == 0
    project = tmp_path / "selftune-gate-my-own"
    pip_install(tmp_path / "site", project)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    assert " passed" in run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=project)


def test_the_example_of_a_new_gate_passes_by_that_gate(plugged: SkillWorkspace, site: SiteFolder) -> None:
    assert main(["plugins", "new", "--kind", "gate", "my-own", str(plugged.root)]) == 0
    project = plugged.root / "selftune-gate-my-own"
    pip_install(site.path, project)
    finished = plugged.run("build", "verify", "-C", str(project / "example"), "--json")
    assert finished.status == 0, finished.stdout
    gates = {gate["id"]: gate["verdict"] for gate in finished.document["packages"][0]["gates"]}
    assert gates["my-own"] == "pass"
    evals = project / "example/evals/evals.yaml"
    evals.write_text(evals.read_text().replace("Good morning", "Good night", 1))
    (gate,) = [
        gate
        for gate in plugged.run("build", "verify", "-C", str(project / "example"), "--json").document["packages"][0]["gates"]
        if gate["id"] == "my-own"
    ]
    assert (gate["verdict"], gate["message"]) == ("fail", "1 of 5 cases stay below 1, first: asks")


def test_what_to_type_next_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "new", "--kind", "gate", "my-own", str(tmp_path / "a b")]) == 0
    shown = capsys.readouterr().out.partition("next:\n")[2].splitlines()
    folder = tmp_path / "a b/selftune-gate-my-own"
    assert shown == [f"  cd '{folder}'", "  pip install -e '.[dev]'", "  pytest", "  selftune build verify -C example"]


@pytest.mark.parametrize("kind", list(Kind), ids=str)
def test_what_is_written_is_in_the_style_of_this_house(kind: Kind, tmp_path: Path) -> None:
    assert main(["plugins", "new", "--kind", kind.value, "my-own", str(tmp_path)]) == 0
    ruff = Path(sys.executable).with_name("ruff")
    config = Path(__file__).parents[2] / "pyproject.toml"
    code = str(tmp_path / f"selftune-{kind}-my-own/src")
    run(ruff, "check", "-q", "--no-cache", "--config", config, code, cwd=tmp_path)
    run(ruff, "format", "-q", "--no-cache", "--check", "--config", config, code, cwd=tmp_path)
