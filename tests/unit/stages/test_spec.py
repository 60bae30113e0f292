"""The stage `spec`: every rule and its severity under both profiles."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selftune_build.fingerprint.tree import scan
from selftune_build.model.finding import Finding, Severity
from selftune_build.model.location import Location
from selftune_build.model.package import TreeFile
from selftune_build.reading.skill import read_skill
from selftune_build.stages.spec import check_spec
from selftune_build.stages.spec_rules.catalogue import RULES, Profile
from tests.unit.stages.skills import ROOT, check, severities, skill


@pytest.mark.parametrize("profile", ["hosts", "strict"])
def test_an_ordinary_skill_has_no_findings(profile: Profile) -> None:
    body = "See [forms](references/forms.md#top), run `python scripts/run.py --all`, read https://example.org/a and [b](#c)."
    source = skill(body, license="MIT", compatibility="Needs Python", allowed_tools="Read Bash(git:*)", metadata='{version: "1"}')

    assert check(source, profile=profile) == ()


@pytest.mark.parametrize(
    ("source", "code", "hosts", "strict"),
    [
        (skill(name="Pdf"), "name-characters", "warning", "error"),
        (skill(name="pdf_forms"), "name-characters", "warning", "error"),
        (skill(name="'pdf forms'"), "name-characters", "warning", "error"),
        (skill(name="-pdf"), "name-hyphens", "warning", "error"),
        (skill(name="pdf-"), "name-hyphens", "warning", "error"),
        (skill(name="pdf--forms"), "name-hyphens", "warning", "error"),
        (skill(name="x" * 65), "name-too-long", "warning", "error"),
        (skill(name="other"), "name-not-folder", "warning", "error"),
        (skill(name="'../pdf'"), "name-unsafe", "error", "error"),
        (skill(name="'a:b'"), "name-unsafe", "error", "error"),
        (skill(name="'..'"), "name-unsafe", "error", "error"),
        (skill(name="123"), "name-not-text", "warning", "error"),
        (skill(name="''"), "name-missing", "error", "error"),
        (skill(name="[a]"), "name-not-scalar", "error", "error"),
        (skill(description="''"), "description-missing", "error", "error"),
        (skill(description="[a]"), "description-not-scalar", "error", "error"),
        (skill(description="12"), "description-not-text", "warning", "error"),
        (skill(description="x" * 1025), "description-too-long", "warning", "error"),
        (skill(description="reads <file>"), "description-markup", "note", "note"),
        (skill(license="[MIT]"), "license-not-text", "warning", "error"),
        (skill(compatibility="3"), "compatibility-not-text", "warning", "error"),
        (skill(compatibility="''"), "compatibility-length", "warning", "error"),
        (skill(compatibility="x" * 501), "compatibility-length", "warning", "error"),
        (skill(metadata="text"), "metadata-not-map", "warning", "error"),
        (skill(metadata="{tags: [a]}"), "metadata-value-not-scalar", "warning", "error"),
        (skill(metadata="{version: 1.0}"), "metadata-value-not-text", "note", "error"),
        (skill(allowed_tools="[Read, Bash]"), "allowed-tools-not-text", "warning", "error"),
        (skill(version="1"), "extra-key", "note", "error"),
        (skill(body=""), "body-empty", "warning", "warning"),
        (skill(body="x\n" * 501), "body-lines", "note", "note"),
        (skill(body="word " * 5000), "body-tokens", "note", "note"),
        ("no frontmatter", "frontmatter-missing", "error", "error"),
        ("---\nname: pdf\n", "frontmatter-unclosed", "error", "error"),
        (skill(description="a: b"), "frontmatter-invalid", "error", "error"),
        ("---\n- a\n---\nx", "frontmatter-not-map", "error", "error"),
        (skill(description="tidy --- then"), "ambiguous-frontmatter", "error", "error"),
        (skill().replace("name: pdf", "name: pdf\nname: pdf"), "yaml-duplicate-key", "error", "error"),
        (skill(description='"a\\x07b"'), "yaml-control-character", "warning", "error"),
    ],
)
def test_each_rule_weighs_as_its_profile_says(source: str, code: str, hosts: str, strict: str) -> None:
    assert severities(check(source))[code] == hosts
    assert severities(check(source, profile="strict"))[code] == strict


@pytest.mark.parametrize(
    "source",
    [
        skill(name="x" * 64),
        skill(name="a"),
        skill(name="a-1-b"),
        skill(description="x" * 1024),
        skill(description="ä" * 1024),
        skill(compatibility="x" * 500),
        skill(body="\n".join(["x"] * 500)),
    ],
)
def test_the_limits_themselves_are_allowed(source: str) -> None:
    name = source.split("name: ")[1].split("\n")[0]

    assert check(source, folder=name, profile="strict") == ()


def test_the_finding_points_at_the_key() -> None:
    (found,) = check(skill(version="1"))

    assert found.at == Location("SKILL.md", 4, 10, "/version")


def test_a_skill_with_very_many_extra_keys_is_summed_up() -> None:
    found = check(skill(**{f"k{number}": "x" for number in range(40)}))

    assert len(found) == 11
    assert found[-1].message == "and 30 more keys"


def test_without_skill_md_there_is_one_finding_and_it_knows_the_wrong_spelling() -> None:
    (found,) = check("", files=("skill.md",))[-1:]

    assert (found.code, found.severity) == ("skill-file-missing", Severity.ERROR)
    assert found.hint == "rename skill.md to SKILL.md"


def test_findings_of_a_real_tree_are_weighed_too(tmp_path: Path) -> None:
    package = tmp_path / "pdf"
    package.mkdir()
    (package / "SKILL.md").write_text(skill("[a](a.md)"))
    (package / "a.md").symlink_to("gone")
    (package / "inner").mkdir()
    (package / "inner/SKILL.md").write_text(skill())
    tree = scan(package, (), tmp_path)
    reading = read_skill((package / "SKILL.md").read_bytes(), "SKILL.md", "pdf")

    found = check_spec(reading.skill, (*reading.findings, *tree.findings), tree.files, "pdf", "strict")

    assert severities(found) == {"link-dangling": "error", "nested-skill": "warning", "reference-missing": "warning"}


def test_findings_of_other_families_keep_their_severity() -> None:
    other = Finding("eval-duplicate", Severity.NOTE, "x")
    reading = read_skill(skill().encode(), "SKILL.md", "pdf")

    assert check_spec(reading.skill, [other], [TreeFile("SKILL.md", "", 1)], "pdf", "strict") == (other,)


def test_findings_that_are_handed_back_are_not_doubled() -> None:
    reading = read_skill(skill(version="1").encode(), "SKILL.md", "pdf")
    tree = [TreeFile("SKILL.md", "", 1)]
    once = check_spec(reading.skill, reading.findings, tree, "pdf", "hosts")

    assert check_spec(reading.skill, once, tree, "pdf", "hosts") == once


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=60))
def test_any_text_is_judged_without_an_exception_in_printable_words(name: str, description: str, body: str) -> None:
    source = f"---\nname: {name}\ndescription: {description}\n---\n{body}"

    for one in check(source.encode("utf-8", "replace"), folder="f"):
        assert one.message.isprintable()
        assert one.code


def test_common_commands_load_neither_markdown_nor_skills_ref() -> None:
    script = (
        "import sys\nfrom selftune_build.stages.spec import check_spec\n"
        "from selftune_build.stages.spec_rules.second_opinion import ask_second_opinion\n"
        "print(sorted({'markdown_it', 'skills_ref', 'strictyaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)

    assert done.stdout == "[]\n"


def test_the_documented_table_is_the_catalogue() -> None:
    text = (ROOT / "docs/spec-rules.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`|]+)` \| ([^|]+) \| (\w+) \| (\w+) \| ([^|]+) \|$", text, re.MULTILINE)

    assert rows == [(rule.code, rule.says, rule.hosts.value, rule.strict.value, rule.source) for rule in RULES]


def test_codes_are_unique_and_strict_is_never_milder() -> None:
    order = [Severity.NOTE, Severity.WARNING, Severity.ERROR]

    assert len({rule.code for rule in RULES}) == len(RULES)
    assert all(order.index(rule.strict) >= order.index(rule.hosts) for rule in RULES)


def test_every_code_that_readers_and_rules_use_is_in_the_catalogue() -> None:
    sources = ["reading/skill.py", "fingerprint/tree.py", "fingerprint/links.py", "fingerprint/names.py"]
    text = "".join((ROOT / "selftune_build" / source).read_text(encoding="utf-8") for source in sources)
    used = set(re.findall(r'(?:Finding|TreeFault|_note)\(\s*(?:walk, )?"([a-z0-9-]+)"', text))

    assert len(used) > 20
    assert used <= {rule.code for rule in RULES}


def test_readers_give_the_severity_of_the_default_profile() -> None:
    sources = [skill(name="1"), skill(name="[a]"), "x", "---\n", skill(description="a --- b"), skill() + "a\rb\0c\x1b"]
    weights = {rule.code: rule.hosts for rule in RULES}
    found = [one for source in sources for one in read_skill(source.encode(), "SKILL.md", "pdf").findings]

    assert len(found) >= 8
    assert [one.severity for one in found] == [weights[one.code] for one in found]
