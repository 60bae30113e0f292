"""What every mutator of a plugin has to hold to."""

from __future__ import annotations

from typing import Any, ClassVar

from selftune_build.fingerprint.digest import digest_json
from selftune_build.mutators.protocol import CaseEvidence, Mutator, Overlay, PackageView
from selftune_build.mutators.surface import fault, patched, touched
from selftune_build.plugins.contain import Supplier
from selftune_build.plugins.guarded import guarded_mutator
from selftune_build.plugins.kinds import Kind, id_fault
from selftune_build.reading.skill import read_skill

_SUPPLIER = Supplier("plugin-under-test")


class MutatorContract:
    """Subclass it with `mutator`; override `view` and `evidence` where it needs others.

    Of one that asks a model also `answers`: to each of its questions about them an answer that fits.
    """

    mutator: ClassVar[Mutator]
    answers: ClassVar[tuple[Any, ...]] = ()
    view: ClassVar[PackageView] = PackageView(
        "pdf",
        digest_json({"tree": "of the suite"}),
        {
            "SKILL.md": b"---\nname: pdf\ndescription: Works with PDF files.\n---\n\n# PDF\n\nForms: references/forms.md\n",
            "references/forms.md": b"# Forms\n\nFill every field.\n",
        },
    )
    evidence: ClassVar[tuple[CaseEvidence, ...]] = (
        CaseEvidence("fill-form", "Fill in this form.", True, 3, 1, 1, ('contains "filled"',)),
        CaseEvidence("capital", "What is the capital of Portugal?", False, 3, 0),
    )

    def propose(self, seed: int = 0) -> tuple[Overlay, ...]:
        """The proposals as whoever tries them gets them, those from answers behind those without."""
        mutator = guarded_mutator(self.mutator, _SUPPLIER)
        proposals = tuple(mutator.propose(self.view, self.evidence, seed))
        if mutator.consult is None:
            return proposals
        return (*proposals, *mutator.consult.propose(self.view, self.evidence, seed, self.answers))

    def test_its_id_can_be_written(self) -> None:
        """As every other id."""
        assert id_fault(Kind.MUTATOR, self.mutator.id) is None

    def test_it_proposes_something_that_differs(self) -> None:
        """An overlay that changes nothing would be paid for and decide nothing."""
        proposals = self.propose()
        assert proposals
        for overlay in proposals:
            assert any(self.view.files.get(edit.path) != edit.content for edit in overlay.patch)

    def test_it_says_its_version(self) -> None:
        """It is part of every candidate."""
        assert isinstance(self.mutator.version, str)
        assert self.mutator.version

    def test_its_questions_are_the_same_each_time_and_have_an_answer_here(self) -> None:
        """An answer is paid for once, and found again by its question."""
        consult = guarded_mutator(self.mutator, _SUPPLIER).consult
        if consult is not None:
            questions = consult.ask(self.view, self.evidence, 7)
            assert questions == consult.ask(self.view, self.evidence, 7)
            assert len(tuple(questions)) == len(self.answers), "show an answer to each question in `answers`"

    def test_no_proposal_is_refused(self) -> None:
        """As `selftune mutate` refuses it: for what it touches, or does not say."""
        for overlay in self.propose():
            assert fault(self.view, overlay) is None

    def test_every_proposal_names_its_parent_and_its_reason(self) -> None:
        """They are kept and shown."""
        for overlay in self.propose():
            assert overlay.parent == self.view.tree
            assert overlay.reason.strip()
            assert overlay.reason.isprintable()

    def test_it_touches_what_it_declares_and_nothing_else(self) -> None:
        """The facets of each overlay, compared with what its patch changes."""
        for overlay in self.propose():
            assert touched(self.view, overlay) == overlay.surface

    def test_the_same_seed_gives_the_same_proposals(self) -> None:
        """A search can be repeated."""
        assert self.propose(7) == self.propose(7)

    def test_a_package_that_was_proposed_can_still_be_read(self) -> None:
        """SKILL.md stays, and keeps its name."""
        for overlay in self.propose():
            content = patched(self.view, overlay)["SKILL.md"]
            assert read_skill(content, "SKILL.md", self.view.name).skill.name == self.view.name
