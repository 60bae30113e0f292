"""What eval files of public repositories hold, counted with nothing but `json` and `yaml`: prompt, polarity, number of checks.

None of this is our reader; it is the yardstick for it. A case that one prompt cannot ask, or whose files are not there, is
counted with the one check that keeps it undecided.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from msgspec import Struct


class Counted(Struct, frozen=True, order=True):
    """One case: the text that is asked, `+`, `-` or nothing for its polarity, and how many checks it has."""

    prompt: str
    polarity: str
    checks: int


def plain(path: Path) -> Any:
    """The data of a file."""
    text = path.read_text(encoding="utf-8-sig")
    return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)


def evals_json(path: Path, skill: str) -> Iterator[Counted]:
    """An object with `evals` or `cases`, or a bare list, of prompts or questions; without any of them another tool's file."""
    data = plain(path)
    items = data if isinstance(data, list) else next((data[key] for key in ("evals", "cases") if key in data), [data])
    items = items if any({"prompt", "question", "query", "input"} & set(item) for item in items) else []
    homes = [path.parent.parent, path.parent, path.parent.parent.parent]
    for item in items:
        prompt = next((item[key] for key in ("prompt", "question", "query", "input") if item.get(key)), "")
        names = ("expectations", "assertions", "expected_behavior", "tool_assertions")
        said = [check for name in names for check in _list(item.get(name))]
        checks = _different(said) or int(any(_says(item.get(key)) for key in ("expected_output", "ground_truth")))
        files = [file if isinstance(file, str) else file.get("path", "") for file in item.get("files") or []]
        there = all(isinstance(file, str) and any((home / file).is_file() for home in homes) for file in files)
        if not prompt or not there:
            yield Counted(prompt, "", 1)
        else:
            yield Counted(prompt, _polarity(_triggers(item, skill)), checks)


def trigger_set(path: Path, skill: str) -> Iterator[Counted]:
    """A list of queries."""
    for item in plain(path):
        yield Counted(item["query"], _polarity(item["should_trigger"]), 0)


def waza_triggers(path: Path, skill: str) -> Iterator[Counted]:
    """Two lists of prompts."""
    data = plain(path)
    for key, polarity in (("should_trigger_prompts", "+"), ("should_not_trigger_prompts", "-")):
        for item in data.get(key) or []:
            yield Counted(item["prompt"], polarity, 0)


def vally(path: Path, skill: str) -> Iterator[Counted]:
    """Stimuli with graders; two graders and constraints that say the same are one."""
    for item in plain(path)["stimuli"]:
        turns = item.get("turns") or []
        sources = [path.parent / file["src"] for file in (item.get("environment") or {}).get("files") or []]
        if len(turns) > 1 or not all(source.exists() for source in sources):
            yield Counted(item.get("prompt") or turns[0], "", 1)
            continue
        checks: list[Any] = [(key, value) for key, value in (item.get("constraints") or {}).items() if key.startswith("max_")]
        wanted: list[str] = []
        unwanted: list[str] = []
        for grader in item.get("graders") or []:
            kind, config = grader["type"], grader.get("config") or {}
            if kind == "skill-invocation":
                wanted += config.get("required") or []
                unwanted += config.get("disallowed") or []
            elif kind == "tool-calls":
                checks += [(key, tool) for key in ("required", "disallowed") for tool in config.get(key) or []]
            elif kind == "prompt" and not config.get("prompt"):
                checks += [("rubric", text) for text in item.get("rubric") or ["none"]]
            elif kind not in ("completed", "exit-success"):
                checks.append((kind, config))
        others = [("skill", name) for name in wanted if name != skill] + [("no", name) for name in unwanted if name != skill]
        asked = True if skill in wanted else False if skill in unwanted else None
        yield Counted(item.get("prompt") or turns[0], _polarity(asked), _different([*checks, *others]))


def dotnet(path: Path, skill: str) -> Iterator[Counted]:
    """Scenarios; files come from the skill, or are all that lie beside the suite."""
    home = path.parents[2].parent / "plugins" / path.parents[1].name / "skills" / path.parent.name
    for item in plain(path)["scenarios"]:
        setup = item.get("setup") or {}
        sources = [(home / file["source"], path.parent / file["source"]) for file in setup.get("files") or [] if "source" in file]
        beside = [each for each in path.parent.rglob("*") if each.is_file()] if setup.get("copy_test_files") else []
        if len(beside) > 201 or not all(first.is_file() or second.is_file() for first, second in sources):
            yield Counted(item["prompt"], "", 1)
            continue
        asked = [check for check in item.get("assertions") or [] if check["type"] != "exit_success"]
        more = [(key, name) for key in ("expect_tools", "reject_tools", "rubric") for name in item.get(key) or []]
        limits = [key for key in ("max_turns", "max_tokens") if key in item]
        yield Counted(item["prompt"], _polarity(item.get("expect_activation")), _different([*asked, *more, *limits]))


def waza(path: Path, skill: str) -> Iterator[Counted]:
    """A suite and its tasks, in files of their own or in the suite."""
    suite = plain(path)
    tasks = [
        task
        for entry in suite["tasks"]
        for task in ([entry] if isinstance(entry, dict) else map(plain, sorted(path.parent.glob(entry))))
    ]
    for task in tasks:
        inputs, expected = task.get("inputs") or {}, task.get("expected") or {}
        expected = expected if isinstance(expected, dict) else {}
        graders = [*(suite.get("graders") or []), *(task.get("graders") or []), *(task.get("validators") or [])]
        checks = [check for grader in graders for check in _waza_grader(grader, skill)]
        checks += [(key, text) for key in ("output_contains", "output_not_contains") for text in expected.get(key) or []]
        checks += [(key, 1) for key in ("outcomes", "tool_calls", "output_contains_any") if expected.get(key)]
        checks += _behavior(expected.get("behavior") or {})
        names = [
            name for grader in graders if grader.get("type") == "skill_invocation" for name in grader["config"]["required_skills"]
        ]
        asked = expected.get("should_trigger", True if skill in names else None)
        yield Counted(inputs.get("prompt") or task["prompt"], _polarity(asked), _different(checks))


def _waza_grader(grader: dict[str, Any], skill: str) -> list[Any]:
    config = {**(grader.get("config") or {}), **{key: grader[key] for key in ("assertions",) if key in grader}}
    kind = grader["type"]
    if kind == "code":
        return [("code", text) for text in config["assertions"]]
    if kind == "text":
        return [(key, text) for key, texts in config.items() for text in texts]
    if kind == "file":
        paths = [(key, path) for key in ("must_exist", "must_not_exist") for path in config.get(key) or []]
        patterns = [entry for entry in config.get("content_patterns") or []]
        return paths + [
            (entry["path"], key, one)
            for entry in patterns
            for key in ("must_match", "must_not_match")
            for one in entry.get(key) or []
        ]
    if kind == "behavior":
        return _behavior(config)
    if kind == "skill_invocation":
        names = config["required_skills"]
        strict = (len(names) > 1 and config["mode"] != "any_order") or config.get("allow_extra") is False
        return [("skill", name) for name in names if name != skill] + ([("order", config)] if strict else [])
    return [(kind, config)]


def _behavior(config: dict[str, Any]) -> list[Any]:
    return [(key, one) for key, value in config.items() for one in (value if isinstance(value, list) else [value])]


def skillgrade(path: Path, skill: str) -> Iterator[Counted]:
    """Tasks; one that wants a file outside of the workspace is not asked."""
    for task in plain(path)["tasks"]:
        outside = any(str(file["dest"]).startswith("/") for file in task.get("workspace") or [])
        yield Counted(task["instruction"], "", 1 if outside else len(task["graders"]))


def skill_up(path: Path, skill: str) -> Iterator[Counted]:
    """A suite that names its cases from the folder of the skill."""
    suite = plain(path)
    for name in suite["cases"]["files"]:
        case = plain(path.parent.parent / name)
        expects = {**(suite["cases"].get("defaults", {}).get("expect") or {}), **(case.get("expect") or {})}
        checks: list[Any] = [(key, one) for key, value in expects.items() if key != "exit_code" for one in value]
        judge = case.get("judge") or {}
        if judge.get("type") == "rule_based":
            for rule in judge.get("success") or []:
                found = rule.get("output_contains") or {}
                checks += [("must_contain", one) for one in found.get("all") or []] + [
                    ("must_not_contain", one) for one in found.get("not") or []
                ]
                checks += [("any", found["any"])] if found.get("any") else []
            checks += [("failure", rule) for rule in judge.get("failure") or []]
        elif judge:
            checks.append(("judge", judge))
        yield Counted(case["input"]["prompt"], "", _different(checks))


def harness(path: Path, skill: str) -> Iterator[Counted]:
    """Folders with `input.yaml` below the data set; the prompt is the template with the fields of the case."""
    suite = plain(path)
    template = suite["execution"].get("prompt") or suite["execution"].get("arguments") or "{prompt}"
    for case in sorted((path.parent / suite["dataset"]["path"]).glob("*/input.yaml")):
        prompt = template
        for name, value in plain(case).items():
            prompt = prompt.replace("{" + name + "}", str(value))
        yield Counted(prompt.strip(), "", len(suite["judges"]))


def tessl(path: Path, skill: str) -> Iterator[Counted]:
    """A checklist beside its task."""
    sentences = [entry.get("description") or entry["name"] for entry in plain(path)["checklist"]]
    yield Counted((path.parent / "task.md").read_text().strip(), "", _different(sentences))


def claude_plugin(path: Path, skill: str) -> Iterator[Counted]:
    """A case folder, told by its `prompt.md` or `case.yaml`; a prompt without any grader is another tool's."""
    case = plain(path) if path.suffix == ".yaml" else {}
    text = "" if case else path.read_text()
    body = text.split("\n---\n", 1)[1] if text.startswith("---\n") else text
    prompt = (case.get("execution") or {}).get("prompt") or body.strip()
    lying = [_grader(file) for file in sorted((path.parent / "graders").glob("*.md"))]
    graders = [*(case.get("graders") or []), *lying]
    if not graders:
        return
    asked = [grader.get("max") != 0 for grader in graders if _is_skill(grader, skill)]
    checks = [grader for grader in graders if not _is_skill(grader, skill)]
    yield Counted(prompt, _polarity(asked[0] if asked else None), _different(checks))


def _grader(path: Path) -> dict[str, Any]:
    front, body = path.read_text().split("---\n", 2)[1:]
    return {**yaml.safe_load(front), "body": body}


def _is_skill(grader: dict[str, Any], skill: str) -> bool:
    return grader.get("tool") == "Skill" and grader.get("input_match") in (None, skill)


def shared_benchmark(path: Path, skill: str) -> Iterator[Counted]:
    """Cases with assertions; lists of texts that all have to be there, or none of them, are as many checks."""
    for item in plain(path)["cases"]:
        checks: list[Any] = []
        for check in item.get("assertions") or []:
            many = {"contains_all": "values", "excludes_any": "values", "judge": "rubric"}.get(check["type"])
            checks += [(check["type"], one) for one in check[many]] if many else [{**check, "name": "", "description": ""}]
        kept = path.parent / item.get("prompt_ref", "none")
        prompt = item.get("prompt") or (kept.read_text() if kept.is_file() else "")
        kind = item.get("trigger_type")
        asked = None if kind is None else not kind.startswith("negative")
        yield Counted(prompt, _polarity(asked), _different(checks)) if prompt else Counted("", "", 1)


def _triggers(item: dict[str, Any], skill: str) -> bool | None:
    if isinstance(item.get("should_trigger"), bool):
        return bool(item["should_trigger"])
    if "expected_skill" not in item:
        return None
    return {None: False, skill: True}.get(item["expected_skill"])


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _says(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def _different(values: Iterable[Any]) -> int:
    return len({json.dumps(value, sort_keys=True, default=str) for value in values})


def _polarity(value: bool | None) -> str:
    return {True: "+", False: "-", None: ""}[value]


Counter = Callable[[Path, str], Iterator[Counted]]
