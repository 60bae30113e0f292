"""docs/plugin-reference.md says everything about every hook, and is what the hook specifications say."""

from __future__ import annotations

import inspect
from pathlib import Path

from selftune_build.plugins import api, hookspecs
from selftune_build.plugins.kinds import HOOKS, Kind
from selftune_build.plugins.reference import TYPES, page, undocumented
from tests.plugins.test_hooks import EXERCISED

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_what_the_hook_specifications_say() -> None:
    assert (DOCS / "plugin-reference.md").read_text(encoding="utf-8") == page(), (
        "run: python -m selftune_build.plugins.reference > docs/plugin-reference.md"
    )


def test_every_hook_says_who_names_it_what_it_gets_and_returns_its_errors_when_it_is_called_and_what_enters_the_key() -> None:
    assert undocumented() == []


def test_every_hook_specification_belongs_to_a_kind_and_is_exercised_by_a_test() -> None:
    specified = {name for name, member in vars(hookspecs).items() if inspect.isfunction(member) and name.startswith("selftune_")}
    assert specified == set(HOOKS.values())
    assert set(EXERCISED) == set(Kind)


def test_every_type_of_the_page_can_be_imported_by_a_plugin() -> None:
    named = {name for names in TYPES.values() for name in names}
    assert named - set(api.__all__) == set()


def test_every_name_of_the_api_is_there_and_found_in_the_package_too() -> None:
    from selftune_build import plugins

    assert [name for name in api.__all__ if getattr(plugins, name, None) is not getattr(api, name)] == []
