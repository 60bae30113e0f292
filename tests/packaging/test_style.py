"""The size of a good room, and a promise on every public name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

LONGEST_FUNCTION = 80
LONGEST_FILE = 300

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@pytest.fixture(scope="module")
def trees(checkout: Path) -> dict[str, ast.Module]:
    """The parsed modules of the package by their path in the checkout."""
    paths = sorted((checkout / "selftune_build").rglob("*.py"))
    return {path.relative_to(checkout).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def functions(tree: ast.Module) -> Iterator[Definition]:
    return (node for node in ast.walk(tree) if isinstance(node, Definition))


def public(tree: ast.Module) -> Iterator[Definition | ast.ClassDef]:
    """Public classes and functions of a module, and the public methods of those classes."""
    for node in tree.body:
        if isinstance(node, Definition | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (each for each in node.body if isinstance(each, Definition) and not each.name.startswith("_"))


def length(node: Definition) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_function_is_longer_than_a_page(trees: dict[str, ast.Module]) -> None:
    long = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in trees.items()
        for node in functions(tree)
        if length(node) > LONGEST_FUNCTION
    ]
    assert long == []


def test_half_of_the_functions_have_at_most_ten_lines_and_nine_of_ten_at_most_thirty(trees: dict[str, ast.Module]) -> None:
    lengths = sorted(length(node) for tree in trees.values() for node in functions(tree))
    assert lengths[len(lengths) // 2] <= 10
    assert lengths[len(lengths) * 9 // 10] <= 30


def test_no_file_is_longer_than_three_hundred_lines(trees: dict[str, ast.Module], checkout: Path) -> None:
    lengths = {path: len((checkout / path).read_text(encoding="utf-8").splitlines()) for path in trees}
    assert {path: count for path, count in lengths.items() if count > LONGEST_FILE} == {}


def test_every_module_says_what_it_is_for(trees: dict[str, ast.Module]) -> None:
    assert [path for path, tree in trees.items() if not ast.get_docstring(tree)] == []


def test_every_public_name_says_what_it_promises(trees: dict[str, ast.Module]) -> None:
    silent = [
        f"{path}:{node.lineno} {node.name}"
        for path, tree in trees.items()
        for node in public(tree)
        if not ast.get_docstring(node)
    ]
    assert silent == []


def test_every_function_says_what_it_returns(trees: dict[str, ast.Module]) -> None:
    untyped = [
        f"{path}:{node.lineno} {node.name}" for path, tree in trees.items() for node in functions(tree) if node.returns is None
    ]
    assert untyped == []


def test_every_module_with_functions_reads_annotations_lazily(trees: dict[str, ast.Module]) -> None:
    def is_lazy(tree: ast.Module) -> bool:
        return any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)

    assert [path for path, tree in trees.items() if any(functions(tree)) and not is_lazy(tree)] == []


def test_exit_statuses_are_written_by_their_names(trees: dict[str, ast.Module]) -> None:
    """`exits` defines them: a number elsewhere in what commands return is one more place that does."""
    numbers = {2, 3, 4, 70, 130}
    places = [tree for path, tree in trees.items() if "/cli/" in path or path.endswith(("__main__.py", "errors.py"))]
    given = [node.value for tree in places for node in ast.walk(tree) if isinstance(node, ast.Return | ast.Assign)]
    ends = [end for value in given for end in ((value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,))]
    assert [end.value for end in ends if isinstance(end, ast.Constant) and end.value in numbers] == []


def test_one_class_is_called_a_stage(trees: dict[str, ast.Module]) -> None:
    """One word for one idea: a stage is what a target names."""
    named = [
        path for path, tree in trees.items() for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Stage"
    ]
    assert named == ["selftune_build/graph/targets.py"]
