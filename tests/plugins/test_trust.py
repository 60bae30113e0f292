"""Nothing is loaded from a checkout: neither distributions that lie in it nor modules that stand in front of installed ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from selftune_build.testing import SkillWorkspace
from tests.plugins.site_folder import SiteFolder

RAN = "code of the checkout ran"
EVIL = f"""
import sys
print("{RAN}", file=sys.stderr)
from selftune_build.plugins import hookimpl, Gate, Decision, Verdict
@hookimpl
def selftune_gates():
    return [Gate("house", lambda *a: Decision(Verdict.PASS, "evil"))]
"""
GOOD = EVIL.replace(RAN, "the installed one ran").replace("evil", "good")
PLAIN = 'format: selftune.evals/1\ncases:\n  - {id: a, prompt: "use pdf now", should_trigger: true}\n'
MANIFEST = json.dumps({"version": 1, "gates": {"house": {}, "trigger-recall": {"required": False}}})


@pytest.fixture
def workspace(skill_workspace: SkillWorkspace) -> SkillWorkspace:
    skill_workspace.write({"selftune.yaml": json.dumps({"version": 1, "workspace": {"members": ["pdf"]}})})
    return skill_workspace.skill("pdf", {"evals/evals.yaml": PLAIN, "selftune.yaml": MANIFEST})


def started_in(
    workspace: SkillWorkspace, *arguments: str, python: str = sys.executable, **environment: str
) -> tuple[int, str, str]:
    """As `python -m`, which puts the folder it is started in first on the search path."""
    command = [python, "-m", "selftune_build", *arguments]
    env = {**os.environ, **workspace.environment, **environment}
    done = subprocess.run(command, cwd=workspace.root, env=env, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def behind(site: SiteFolder) -> dict[str, str]:
    """The folder that the program is started in stands in front of the installed distributions."""
    return {"PYTHONPATH": f".{os.pathsep}{site.path}"}


def house(stdout: str) -> str:
    (package,) = json.loads(stdout)["packages"]
    return next(gate["message"] for gate in package["gates"] if gate["id"] == "house")


def test_a_distribution_that_lies_in_the_checkout_is_refused_and_named(workspace: SkillWorkspace) -> None:
    SiteFolder(workspace.root).install("selftune-evil", EVIL)
    here = {"PYTHONPATH": "."}
    status, stdout, stderr = started_in(workspace, "build", "pdf", "--json", **here)
    assert (status, house(stdout)) == (
        3,
        "plugin-missing: no plugin that may be loaded supplies this gate",
    )
    assert RAN not in stderr
    assert f"the plugin selftune-evil in {workspace.root} is not used: it lies in the checkout" in stderr
    listed = json.loads(started_in(workspace, "plugins", "list", "--json", **here)[1])
    assert [each["name"] for each in listed["refused"]] == ["selftune-evil"]
    assert "selftune-evil" not in [each["name"] for each in listed["plugins"]]


def test_so_is_one_in_a_folder_of_the_checkout_that_stands_on_the_search_path(workspace: SkillWorkspace) -> None:
    SiteFolder(workspace.root / "vendor").install("selftune-evil", EVIL)
    status, _, stderr = started_in(workspace, "build", "pdf", "--json", PYTHONPATH=str(workspace.root / "vendor"))
    assert status == 3
    assert RAN not in stderr
    assert "the plugin selftune-evil" in stderr


def test_so_is_one_in_the_current_folder_when_another_workspace_is_built(workspace: SkillWorkspace, tmp_path: Path) -> None:
    SiteFolder(tmp_path / "elsewhere").install("selftune-evil", EVIL)
    command = [sys.executable, "-m", "selftune_build", "build", "-C", str(workspace.root), "pdf", "--json"]
    done = subprocess.run(command, cwd=tmp_path / "elsewhere", capture_output=True, text=True, timeout=120)
    assert done.returncode == 3
    assert RAN not in done.stderr


def test_a_link_from_outside_into_the_checkout_changes_nothing(workspace: SkillWorkspace, tmp_path: Path) -> None:
    SiteFolder(workspace.root / "vendor").install("selftune-evil", EVIL)
    (tmp_path / "innocent").symlink_to(workspace.root / "vendor")
    status, _, stderr = started_in(workspace, "build", "pdf", "--json", PYTHONPATH=str(tmp_path / "innocent"))
    assert status == 3
    assert RAN not in stderr


def test_an_installed_one_is_found_behind_one_of_its_name_in_the_checkout(workspace: SkillWorkspace, site: SiteFolder) -> None:
    site.install("selftune-house", GOOD)
    SiteFolder(workspace.root).install("selftune-house", EVIL, "9.0")
    _, stdout, stderr = started_in(workspace, "build", "pdf", "--json", **behind(site))
    assert house(stdout) == "good"
    assert RAN not in stderr


def test_a_module_in_the_checkout_does_not_stand_in_front_of_the_installed_one(
    workspace: SkillWorkspace, site: SiteFolder
) -> None:
    site.install("selftune-house", GOOD)
    workspace.write({"selftune_house.py": EVIL})
    _, stdout, stderr = started_in(workspace, "build", "pdf", "--json", **behind(site))
    assert house(stdout) == "good"
    assert RAN not in stderr


def test_an_installed_entry_point_that_leads_into_the_checkout_is_refused(workspace: SkillWorkspace, site: SiteFolder) -> None:
    site.metadata("selftune-house", "selftune_house")
    workspace.write({"selftune_house.py": EVIL})
    status, _, stderr = started_in(workspace, "build", "pdf", "--json", **behind(site))
    assert status == 3
    assert RAN not in stderr
    assert "failed in the entry point `main`: its module 'selftune_house' is not there" in stderr


def test_what_a_plugin_imports_does_not_come_from_the_checkout_either(workspace: SkillWorkspace, site: SiteFolder) -> None:
    site.install("selftune-house", "import toolbox\n" + GOOD)
    workspace.write({"toolbox.py": f"print('{RAN}')"})
    status, stdout, stderr = started_in(workspace, "build", "pdf", "--json", **behind(site))
    assert status == 3
    assert RAN not in stdout + stderr
    assert "ModuleNotFoundError" in stderr


def in_own_environment(folder: Path) -> Path:
    """A virtual environment that also sees what this interpreter has; its folder of packages."""
    venv.create(folder, symlinks=True)
    python = next(folder.glob("lib/python*")) / "site-packages"
    borrowed = [sysconfig.get_path("purelib"), str(Path(__file__).parents[2])]
    (python / "borrowed.pth").write_text("\n".join(borrowed) + "\n")
    return python


def test_an_environment_inside_the_checkout_is_an_installed_place(workspace: SkillWorkspace) -> None:
    packages = in_own_environment(workspace.root / ".venv")
    SiteFolder(packages).install("selftune-house", GOOD)
    python = str(workspace.root / ".venv/bin/python")
    _, stdout, _ = started_in(workspace, "build", "pdf", "--json", python=python)
    assert house(stdout) == "good"


def test_authors_use_their_own_checkout_once_it_is_installed_in_editable_form(workspace: SkillWorkspace, tmp_path: Path) -> None:
    packages = in_own_environment(tmp_path / "venv")
    source = workspace.root / "src"
    (packages / "project.pth").write_text(f"{source}\n")
    site = SiteFolder(packages)
    site.metadata("selftune-house", "selftune_house", editable=workspace.root)
    workspace.write({"src/selftune_house.py": GOOD})
    _, stdout, _ = started_in(workspace, "build", "pdf", "--json", python=str(tmp_path / "venv/bin/python"))
    assert house(stdout) == "good"


def test_an_editable_project_does_not_vouch_for_another_distribution(workspace: SkillWorkspace, tmp_path: Path) -> None:
    packages = in_own_environment(tmp_path / "venv")
    (packages / "project.pth").write_text(f"{workspace.root / 'src'}\n")
    site = SiteFolder(packages)
    site.metadata("selftune-house", "selftune_house", editable=workspace.root)
    site.metadata("selftune-other", "selftune_other")
    SiteFolder(workspace.root / "src").install("selftune-smuggled", EVIL)
    workspace.write({"src/selftune_house.py": GOOD, "src/selftune_other.py": EVIL})
    status, stdout, stderr = started_in(workspace, "plugins", "list", "--json", python=str(tmp_path / "venv/bin/python"))
    listed = json.loads(stdout)
    faults = {each["name"]: each["faults"] for each in listed["plugins"]}
    assert status == 0
    assert RAN not in stderr
    assert "would be imported from the checkout" in faults["selftune-other"][0]
    assert faults["selftune-house"] == []
    assert [each["name"] for each in listed["refused"]] == ["selftune-smuggled"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "entry_points.txt").write_bytes(b"[selftune_build.plugins]\n\xff\xfe = \x00"),
        lambda folder: (folder / "entry_points.txt").write_text("[selftune_build.plugins]\nno equals sign\n"),
        lambda folder: (folder / "METADATA").write_bytes(b"\xff\x00"),
        lambda folder: (folder / "METADATA").unlink(),
        lambda folder: (folder / "direct_url.json").write_text('{"url": 3, "dir_info": {"editable": true}}'),
        lambda folder: (folder / "direct_url.json").write_text("[" * 100_000),
    ],
    ids=["bytes", "no-equals", "metadata-bytes", "no-metadata", "odd-url", "deep-url"],
)
def test_spoiled_metadata_stops_nothing(spoil, workspace: SkillWorkspace, site: SiteFolder) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    spoil(site.install("selftune-spoiled", GOOD.replace("house", "other")))
    site.install("selftune-house", GOOD)
    _, stdout, stderr = started_in(workspace, "plugins", "list", "--json", **behind(site))
    supplied = {plugin["name"]: [each["id"] for each in plugin["supplies"]] for plugin in json.loads(stdout)["plugins"]}
    assert supplied["selftune-house"] == ["house"]
    assert "Traceback" not in stderr


def test_what_libraries_load_by_entry_points_does_not_come_from_the_checkout(workspace: SkillWorkspace) -> None:
    site = SiteFolder(workspace.root)
    folder = site.install("selftune-evil", EVIL)
    (folder / "entry_points.txt").write_text("[networkx.backend_info]\nevil = selftune_evil:get_info\n")
    _, stdout, stderr = started_in(workspace, "build", "pdf", "--json")
    assert house(stdout).startswith("plugin-missing")
    assert RAN not in stderr
