"""The manifest: read as declared, and laid over the workspace's defaults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from selftune_build import limits
from selftune_build.errors import InputError
from selftune_build.model.manifest import AgentDefinition, Budget, GateSetting, Limits, Manifest, Policy, Samples, Waiver
from selftune_build.reading.manifest import ManifestFile, effective, read_manifest
from selftune_build.reading.schema import schema

CONTRACT = """\
version: 1
agent: embedded
model: some-model
agents:
  house: {type: command, argv: [python3, tools/agent.py], deterministic: false, free: false, env: [HOUSE_KEY], cache_version: "1"}
evals: [evals/evals.json]
unit_tests: [tests/*.yaml]
exclude: ["notes/**"]
competitors: siblings
samples: {min: 3, max: 9, confidence: 0.95}
limits: {timeout_s: 120, max_turns: 10}
budget: {max_calls: 500, max_cost_usd: "5.00"}
gates: {trigger-recall: {min: 0.6}, lift: {min: 0.05, required: true}, security: {enabled: false, reason: "…"}}
policy: {origins: [live], plugins: [], served_model: report, bundle_evals: false}
"""


def package(text: str, path: str = "skills/pdf/selftune.yaml") -> ManifestFile:
    return read_manifest(f"version: 1\n{text}".encode(), path)


def workspace(defaults: str) -> ManifestFile:
    return read_manifest(f'version: 1\nworkspace: {{members: ["skills/*"]}}\ndefaults:\n{defaults}'.encode(), "selftune.yaml")


def test_the_manifest_of_the_contract_is_read_whole() -> None:
    file = read_manifest(CONTRACT.encode(), "selftune.yaml")
    assert effective(None, file, ".") == Manifest(
        agent=("embedded",),
        model="some-model",
        agents={"house": AgentDefinition("command", ("python3", "tools/agent.py"), env=("HOUSE_KEY",), cache_version="1")},
        evals=("evals/evals.json",),
        unit_tests=("tests/*.yaml",),
        exclude=("notes/**",),
        budget=Budget(500, "5.00"),
        gates={
            "trigger-recall": GateSetting(min=0.6),
            "lift": GateSetting(min=0.05),
            "security": GateSetting(enabled=False, reason="…"),
        },
        policy=Policy(origins=("live",)),
        path="selftune.yaml",
    )


def test_without_any_manifest_everything_has_its_default() -> None:
    assert effective(None, None, ".") == Manifest()


def test_a_manifest_of_a_version_alone_changes_nothing_but_its_path() -> None:
    assert effective(None, package(""), "skills/pdf") == Manifest(path="skills/pdf/selftune.yaml")


def test_defaults_of_the_workspace_hold_where_the_package_says_nothing() -> None:
    manifest = effective(workspace("  agent: house\n  samples: {min: 5}\n"), None, "skills/pdf")
    assert (manifest.agent, manifest.samples, manifest.path) == (("house",), Samples(min=5), None)


def test_mappings_are_merged_key_by_key_and_the_package_wins() -> None:
    manifest = effective(
        workspace(
            "  samples: {min: 2, confidence: 0.9}\n  limits: {timeout_s: 60}\n  policy: {origins: [live]}\n"
            "  budget: {max_calls: 9}\n"
        ),
        package('samples: {min: 4}\nlimits: {max_turns: 3}\npolicy: {bundle_evals: true}\nbudget: {max_cost_usd: "1"}\n'),
        "skills/pdf",
    )
    assert manifest.samples == Samples(min=4, max=9, confidence=0.9)
    assert manifest.limits == Limits(60, 3)
    assert manifest.policy == Policy(origins=("live",), bundle_evals=True)
    assert manifest.budget == Budget(9, "1")


def test_gates_are_merged_by_id_and_each_one_is_replaced_whole() -> None:
    manifest = effective(
        workspace("  gates: {lift: {min: 0.1}, spec: {profile: strict}}\n"),
        package("gates: {lift: {required: false}, house-style: {min: 3}}\n"),
        "skills/pdf",
    )
    assert manifest.gates == {
        "lift": GateSetting(required=False),
        "spec": GateSetting(profile="strict"),
        "house-style": GateSetting(min=3.0),
    }


def test_lists_replace() -> None:
    manifest = effective(workspace("  exclude: [a, b]\n  evals: [x.json]\n"), package("exclude: [c]\nevals: []\n"), "skills/pdf")
    assert (manifest.exclude, manifest.evals) == (("c",), ())


def test_an_agent_runs_from_the_folder_of_the_manifest_that_declares_it() -> None:
    manifest = effective(
        workspace("  agents:\n    a: {type: command, argv: [x]}\n    b: {type: command, argv: [x]}\n"),
        package("agents:\n  b: {type: command, argv: [y], origin: live}\n"),
        "skills/pdf",
    )
    assert {name: (agent.argv, agent.base, agent.origin) for name, agent in manifest.agents.items()} == {
        "a": (("x",), ".", None),
        "b": (("y",), "skills/pdf", "live"),
    }


def test_options_and_prices_of_an_agent_are_read_as_they_stand() -> None:
    text = """
agents:
  local:
    type: openai
    options: {base_url: "http://127.0.0.1:8080/v1", request: {temperature: 0.2, stop: [END]}}
    prices: {input: "0.15", output: "0.60"}
"""
    (agent,) = effective(None, package(text), "skills/pdf").agents.values()
    assert agent.options["request"] == {"temperature": 0.2, "stop": ["END"]}
    assert agent.prices == {"input": "0.15", "output": "0.60"}


@pytest.mark.parametrize(
    ("text", "hint"),
    [("options: {Base-Url: x}", "starts with a letter"), ("prices: {input: 0.15, output: '1'}", "in quotes")],
)
def test_options_and_prices_that_are_none_are_refused_with_what_helps(text: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        package(f"agents: {{local: {{type: openai, {text}}}}}\n")
    assert hint in (caught.value.hint or "")


def test_several_agents_may_be_named() -> None:
    assert effective(None, package("agent: [house, embedded]\n"), ".").agent == ("house", "embedded")


def test_an_agent_that_nobody_declares_is_left_to_the_plugins() -> None:
    assert effective(None, package("agent: some-plugin\n"), ".").agent == ("some-plugin",)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("siblings", "siblings"),
        ("none", "none"),
        ("{nearest: 5}", 5),
        ("[../docx, ../../shared/x, extra]", ("skills/docx", "shared/x", "skills/pdf/extra")),
        ("[]", ()),
    ],
)
def test_competitors_are_a_word_a_number_or_paths_from_the_workspace(text: str, value: Any) -> None:
    assert effective(None, package(f"competitors: {text}\n"), "skills/pdf").competitors == value


def test_competitors_of_the_defaults_are_relative_to_the_workspace() -> None:
    assert effective(workspace("  competitors: [skills/docx]\n"), package(""), "skills/pdf").competitors == ("skills/docx",)


def test_competitors_outside_the_workspace_are_refused_where_they_stand() -> None:
    with pytest.raises(InputError) as caught:
        effective(None, package("competitors: [../docx, ../../../x]\n"), "skills/pdf")
    assert str(caught.value.at) == "skills/pdf/selftune.yaml:2:24 (/competitors/1)"
    assert caught.value.hint


def test_waivers_are_those_of_the_package() -> None:
    file = package("accepted:\n  - {target: 'pdf:replay[a]', key: 'sha256:00', reason: known}\n")
    assert effective(workspace("  agent: a\n"), file, "skills/pdf").accepted == (Waiver("pdf:replay[a]", "sha256:00", "known"),)


def test_samples_that_contradict_only_after_merging_are_refused_where_the_package_says_so() -> None:
    with pytest.raises(InputError) as caught:
        effective(workspace("  samples: {max: 4}\n"), package("samples: {min: 6}\n"), "skills/pdf")
    assert str(caught.value.at) == "skills/pdf/selftune.yaml:2:10 (/samples)"
    with pytest.raises(InputError) as caught:
        effective(workspace("  samples: {max: 2}\n"), package(""), "skills/pdf")
    assert str(caught.value.at) == "selftune.yaml:4:12 (/defaults/samples)"


def test_a_workspace_root_may_be_a_package_itself() -> None:
    file = read_manifest(b'version: 1\nworkspace: {members: ["*"]}\ndefaults: {model: a, agent: x}\nmodel: b\n', "selftune.yaml")
    manifest = effective(file, file, ".")
    assert (manifest.model, manifest.agent) == ("b", ("x",))
    assert file.is_workspace
    assert file.settings() == ("model",)


def test_a_manifest_larger_than_its_limit_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        package("#" * limits.MANIFEST_BYTES)
    assert caught.value.code == "too-large"


def test_the_first_fault_of_the_file_is_named_first() -> None:
    with pytest.raises(InputError) as caught:
        package("model: no\nagnet: x\nsamples: {min: 0}\n")
    assert caught.value.at is not None
    assert caught.value.at.line == 2


def test_a_list_of_mixed_values_takes_no_time_to_refuse() -> None:
    items = ", ".join(f"{i}, a{i}" for i in range(9_000))
    with pytest.raises(InputError) as caught:
        package(f"evals: [{items}]\n")
    assert caught.value.at is not None
    assert caught.value.at.pointer in ("/evals", "/evals/0")


def test_the_schema_is_valid_and_describes_every_field_of_the_model() -> None:
    from jsonschema import Draft202012Validator

    data = schema("selftune-manifest-1")
    Draft202012Validator.check_schema(data)
    fields = set(Manifest.__struct_fields__) - {"path"}
    assert fields <= set(data["properties"])
    assert set(data["properties"]["defaults"]["properties"]) == fields - {"accepted"}


def undescribed(node: Any, root: Any, path: str = "") -> list[str]:
    """Properties without a description, neither of their own nor behind their reference."""
    found: list[str] = []
    for name, sub in node.get("properties", {}).items() if isinstance(node, dict) else ():
        target = root["$defs"][sub["$ref"].rpartition("/")[2]] if "$ref" in sub else {}
        if "description" not in sub and "description" not in target and "const" not in sub:
            found.append(f"{path}/{name}")
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return found + [item for child in children for item in undescribed(child, root, path + "/…")]


def test_every_property_has_a_description_for_editors() -> None:
    data = schema("selftune-manifest-1")
    assert undescribed(data, data) == []


def test_every_object_of_the_schema_is_closed() -> None:
    text = json.dumps(schema("selftune-manifest-1"))
    by_name_too = 2  # `competitors` and `judge` may be a word instead
    assert text.count('"type": "object"') + by_name_too == text.count('"additionalProperties": false')


def test_the_schema_of_the_checkout_is_the_one_that_is_used() -> None:
    file = Path(__file__).parents[3] / "schemas" / "selftune-manifest-1.json"
    assert schema("selftune-manifest-1") == json.loads(file.read_text(encoding="utf-8"))


def test_a_schema_that_is_not_shipped_is_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        schema("selftune-nothing-1")
