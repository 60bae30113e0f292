"""What every mutator of a plugin has to hold to."""

from __future__ import annotations

import json
from typing import ClassVar

from selftune_build.fingerprint.digest import digest_json
from selftune_build.mutators.protocol import CaseEvidence, Mutator, Overlay, PackageView
from selftune_build.plugins.contain import Supplier
from selftune_build.plugins.guarded import guarded_mutator
from selftune_build.plugins.kinds import Kind, id_fault
from selftune_build.reading.skill import read_skill

_SUPPLIER = Supplier("plugin-under-test")


class MutatorContract:
    """Subclass it with `mutator`; override `view` and `evidence` where it needs others."""

    mutator: ClassVar[Mutator]
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
        """The proposals as whoever tries them gets them."""
        proposals = guarded_mutator(self.mutator, _SUPPLIER).propose(self.view, self.evidence, seed)
        return tuple(proposals)

    def test_its_id_can_be_written(self) -> None:
        """As every other id."""
        assert id_fault(Kind.MUTATOR, self.mutator.id) is None

    def test_it_proposes_something_that_differs(self) -> None:
        """An overlay that changes nothing would be paid for and decide nothing."""
        proposals = self.propose()
        assert proposals
        for overlay in proposals:
            assert any(self.view.files.get(edit.path) != edit.content for edit in overlay.patch)

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


def touched(view: PackageView, overlay: Overlay) -> frozenset[str]:
    """The facets that an overlay changes."""
    after = patched(view, overlay)
    names = {f"file:{path}" for path in {*view.files, *after} - {"SKILL.md"} if view.files.get(path) != after.get(path)}
    before, now = (read_skill(files["SKILL.md"], "SKILL.md", view.name).skill for files in (view.files, after))
    names |= {"metadata"} if json.dumps(before.frontmatter) != json.dumps(now.frontmatter) else set()
    return frozenset(names | ({"body"} if before.body != now.body else set()))


def patched(view: PackageView, overlay: Overlay) -> dict[str, bytes]:
    """The files of the package with an overlay laid over them."""
    files = {**view.files, **{edit.path: edit.content for edit in overlay.patch}}
    return {path: content for path, content in files.items() if content is not None}
