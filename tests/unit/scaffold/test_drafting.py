"""What is drafted for a package, by kind, and what stays the same when the texts change."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest

from selftune_build.engine.load import load_universe
from selftune_build.model.case import Case
from selftune_build.model.package import Package
from selftune_build.reading.evals.suite import read_eval_files
from selftune_build.scaffold.drafting.drafts import SEED, Draft, Drafting
from selftune_build.scaffold.drafting.generation import Situation
from selftune_build.scaffold.drafting.words import DRAWN_MOST, FromWords
from selftune_build.scaffold.eval_file import FROM_WORDS, render

USES = "when picking a licence, when asked about software patents, or whether a dependency may be used"


def skill(folder: Path, name: str, description: str, body: str = "Do it.\n") -> Package:
    root = folder / name
    (root / "references").mkdir(parents=True, exist_ok=True)
    (root / "references" / "rules.md").write_text("# Rules\n")
    (root / "SKILL.md").write_text(f"---\nname: {name}\ndescription: >-\n  {description}\n---\n\n# {name}\n\n{body}")
    (package,) = load_universe(root).packages
    return package


def draft(package: Package, siblings: Iterable[Package], existing: Iterable[Case], taken: Iterable[str]) -> Drafting:
    return FromWords().draft(Situation(package, "x", tuple(siblings), tuple(existing), frozenset(taken)))


def drafted(package: Package, *siblings: Package) -> Drafting:
    return draft(package, siblings, package.evals, ())


def rendered(drafts: Iterable[Draft]) -> bytes:
    return render(drafts, FROM_WORDS, SEED)


def prompts(drafting: Drafting, *kinds: str) -> list[str]:
    return [each.prompt for each in drafting.drafts if each.kind in kinds]


def test_the_clauses_of_the_description_become_requests_and_its_refusals_do_not(tmp_path: Path) -> None:
    package = skill(tmp_path, "licence", f"Explains licences. Use {USES}. Do not use for house contracts or loan papers.")
    positives = [each.prompt for each in drafted(package).drafts if each.should_trigger]
    assert [prompt.partition("?")[0].partition(".")[0] for prompt in positives] == [
        "Use the licence skill",
        "I am picking a licence",
        "I have a question about software patents",
        "Can you tell me whether a dependency may be used",
    ]


def test_what_the_description_rules_out_becomes_negatives(tmp_path: Path) -> None:
    package = skill(tmp_path, "licence", f"Explains licences. Use {USES}. Do not use for house contracts or loan papers.")
    drafts = [each for each in drafted(package).drafts if each.source == "What its description says it is not for"]
    assert [(each.kind, each.prompt) for each in drafts] == [
        ("negative", "Please help with this: house contracts or loan papers."),
    ]


@pytest.mark.parametrize(
    "sentence", ["Never use emojis in headings.", "Do not wait for the user.", "This is not easy if you are new."]
)
def test_an_instruction_about_something_else_rules_nothing_out(sentence: str, tmp_path: Path) -> None:
    package = skill(tmp_path, "licence", f"Explains licences. Use {USES}. {sentence}")
    assert not [each for each in drafted(package).drafts if each.source.startswith("What its description")]


def test_one_of_three_drawn_prompts_is_told_in_a_situation(tmp_path: Path) -> None:
    plain = ("I am picking a licence. Can you help?", "I have a question about software patents.")
    drafting = drafted(skill(tmp_path, "licence", f"Explains licences. Use {USES}."))
    (contextual,) = prompts(drafting, "contextual")
    (start,) = [
        prompt for prompt in (*plain, "Can you tell me whether a dependency may be used?") if contextual.startswith(prompt)
    ]
    assert len(contextual) > len(start) + 20
    assert len(prompts(drafting, "implicit")) == 2


def test_another_seed_chooses_otherwise_and_the_same_seed_does_not(tmp_path: Path) -> None:
    words = ("small", "heavy", "broken", "urgent", "foreign", "wet", "lost", "empty", "round", "green")
    package = skill(tmp_path, "post", f"Sends parcels. Use {', '.join(f'when sending {word} parcels' for word in words)}.")
    situation = Situation(package, "x", (), (), frozenset())
    assert FromWords(7).draft(situation) == FromWords(7).draft(situation)
    assert FromWords(7).draft(situation) != FromWords(8).draft(situation)


def test_a_nearly_equal_existing_case_is_not_asked_again(tmp_path: Path) -> None:
    package = skill(tmp_path, "licence", f"Use {USES}.")
    existing = [Case("mine", prompt="Can you help? I am picking licences", should_trigger=True)]
    assert not [each for each in draft(package, (), existing, ()).drafts if each.prompt.startswith("I am picking a licence")]


def test_what_users_are_quoted_with_is_taken_as_it_is(tmp_path: Path) -> None:
    package = skill(tmp_path, "gif", 'Makes pictures. Use when users say "make me a moving picture" or "gif".')
    assert prompts(drafted(package), "implicit") == ["make me a moving picture."]


def test_rows_that_lead_to_files_are_drawn_and_other_tables_are_not(tmp_path: Path) -> None:
    body = (
        "| Question is about | Read |\n|---|---|\n| Postal rates | [rules](references/rules.md) |\n\n"
        "| Excuse | Reality |\n|---|---|\n| Nobody reads parcels | They do |\n"
    )
    package = skill(tmp_path, "parcel", "Sends parcels.", body)
    assert prompts(drafted(package), "implicit") == ["Please help with this: postal rates. It is about parcel."]


def test_headings_are_drawn_only_where_they_share_a_word_with_the_description(tmp_path: Path) -> None:
    body = "## Overview\n\nA.\n\n## Damaged Parcels\n\nB.\n\n## Quantum Chess\n\nC.\n"
    package = skill(tmp_path, "post", "Sends parcels.", body)
    assert prompts(drafted(package), "implicit") == ["Please help with this: damaged parcels. It is about post."]


def test_headings_are_left_alone_where_the_description_yields_enough(tmp_path: Path) -> None:
    uses = ", ".join(f"when sending {word} parcels" for word in ("small", "heavy", "broken", "urgent"))
    package = skill(tmp_path, "post", f"Sends parcels. Use {uses}.", "## Damaged Parcels\n\nB.\n")
    assert len(prompts(drafted(package), "implicit", "contextual")) == 4


def test_of_many_clauses_no_more_are_kept_than_a_suite_needs(tmp_path: Path) -> None:
    words = ("small", "heavy", "broken", "urgent", "foreign", "wet", "lost", "empty", "round", "green")
    package = skill(tmp_path, "post", f"Sends parcels. Use {', '.join(f'when sending {word} parcels' for word in words)}.")
    assert len(prompts(drafted(package), "implicit", "contextual")) == DRAWN_MOST


def test_negatives_share_no_word_with_the_description(tmp_path: Path) -> None:
    package = skill(tmp_path, "kitchen", "Says how long to boil eggs and multiplies times. Use when asked about git commits.")
    asked = prompts(drafted(package), "negative")
    assert len(asked) == 5
    assert not [prompt for prompt in asked if "egg" in prompt or "times" in prompt or "commit" in prompt]


def test_siblings_lend_their_name_and_the_prompt_that_is_closest(tmp_path: Path) -> None:
    package = skill(tmp_path, "minutes", "Writes up meetings. Use when a meeting has ended.")
    sibling = skill(tmp_path, "agenda", "Plans meetings. Use when booking hotel rooms, or when planning a meeting.")
    drafts = [each for each in drafted(package, sibling).drafts if each.kind == "sibling"]
    assert [each.prompt for each in drafts] == ["Use the agenda skill.", "I am planning a meeting. Can you help?"]
    assert not any(each.should_trigger for each in drafts)


def test_a_prompt_that_both_siblings_are_for_is_no_negative(tmp_path: Path) -> None:
    package = skill(tmp_path, "minutes", "Use when planning a meeting.")
    sibling = skill(tmp_path, "agenda", "Use when planning a meeting.")
    assert prompts(drafted(package, sibling), "sibling") == ["Use the agenda skill."]


def test_what_existing_cases_ask_is_not_asked_again(tmp_path: Path) -> None:
    package = skill(tmp_path, "licence", f"Use {USES}.")
    existing = [Case("mine", prompt="  use the LICENCE  skill.", should_trigger=True)]
    assert "Use the licence skill." not in prompts(draft(package, (), existing, ()), "explicit")


def test_ids_that_are_taken_are_not_used_again(tmp_path: Path) -> None:
    package = skill(tmp_path, "licence", f"Use {USES}.")
    first = drafted(package).drafts[0].id
    assert first not in {each.id for each in draft(package, (), (), {first}).drafts}


def test_an_edit_elsewhere_in_the_description_leaves_prompts_and_ids_alone(tmp_path: Path) -> None:
    before = drafted(skill(tmp_path, "licence", f"Explains licences. Use {USES}."))
    after = drafted(skill(tmp_path, "licence", f"Compares many licences well. Use {USES}, or when naming an author."))
    kept = {(each.id, each.prompt) for each in before.drafts if each.should_trigger}
    assert kept < {(each.id, each.prompt) for each in after.drafts}


def test_the_same_texts_give_the_same_bytes(tmp_path: Path) -> None:
    package = skill(tmp_path, "licence", f"Use {USES}.")
    sibling = skill(tmp_path, "post", "Use when sending parcels away.")
    assert rendered(drafted(package, sibling).drafts) == rendered(drafted(package, sibling).drafts)


def test_the_negatives_differ_by_the_name_of_the_package(tmp_path: Path) -> None:
    chosen = {tuple(prompts(drafted(skill(tmp_path, name, "Sends parcels.")), "negative")) for name in ("a", "b", "c", "d")}
    assert len(chosen) > 1


def test_what_the_texts_do_not_yield_is_said_with_the_number_to_write(tmp_path: Path) -> None:
    package = skill(tmp_path, "post", "Sends parcels.")
    (shortfall,) = drafted(package).shortfalls
    assert shortfall.startswith("its texts yield only 1 case that should trigger the skill, ")
    assert "write 4 more" in shortfall


def test_existing_cases_count_for_what_suffices(tmp_path: Path) -> None:
    package = skill(tmp_path, "post", "Sends parcels.")
    existing = [Case(str(number), prompt=f"send {number}", should_trigger=True) for number in range(4)]
    assert draft(package, (), existing, ()).shortfalls == ()


@pytest.mark.parametrize("name", ["no", "1.0", "null", "2024-01-01", 'it"s', "a\u2028b", "\u202eabc", "\U0001f600"])
def test_whatever_a_package_is_called_its_file_is_read_back_as_it_was_drafted(name: str, tmp_path: Path) -> None:
    package = msgspec.structs.replace(skill(tmp_path, "post", f"Use {USES}."), name=name)
    drafts = drafted(package, msgspec.structs.replace(package, name=f"{name}\n- x: y")).drafts
    reading = read_eval_files(["evals/generated.yaml"], lambda _: rendered(drafts), True)
    assert [(case.id, case.prompt, case.should_trigger, case.tags) for case in reading.cases] == [
        (each.id, each.prompt, each.should_trigger, each.tags) for each in drafts
    ]
    assert reading.findings == ()
