"""The mutators that come with the tool pass the suite that those of plugins have to pass."""

from __future__ import annotations

from selftune_build.mutators.protocol import CaseEvidence, PackageView
from selftune_build.mutators.routing import DETERMINISTIC
from selftune_build.mutators.targeted import TARGETED
from selftune_build.testing import MutatorContract


class TestTargeted(MutatorContract):
    mutator = TARGETED
    answers = ({"proposals": [{"description": "Works with PDF files: forms, too.", "reason": "names forms"}]},)


class TestDeterministic(MutatorContract):
    mutator = DETERMINISTIC
    view = PackageView(
        "pdf",
        MutatorContract.view.tree,
        {
            "SKILL.md": b"---\nname: pdf\ndescription: Works with PDF files.\n---\n\n"
            b"| When | Read |\n|---|---|\n| forms | references/forms.md |\n| a \\| b | references/pages.md |\n",
            "references/forms.md": b"# Forms\n\nFill every field.\n",
            "references/pages.md": b"# Pages\n\nMerge them.\n",
        },
    )
    evidence = (
        CaseEvidence("fill-form", "Fill in this tax form.", True, 3, 3, 1, ('contains "filled"',)),
        CaseEvidence("merge", "Merge two scans", True, 3, 1),
    )
