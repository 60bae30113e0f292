"""Count in how many descriptions of public skills each word occurs: `python tests/benchmarks/make_background.py OUT FOLDER…`.

Writes numbers only, no text; needs nothing but folders that hold SKILL.md files at any depth.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from selftune_build.agents.embedded.vocabulary import stems
from tests.benchmarks.public_skills import PublicSkill, read_skills

FEWEST_DESCRIPTIONS = 3
"""A word in fewer descriptions than this is left out: it says more about one author than about the language."""


def counted(skills: list[PublicSkill]) -> dict[str, object]:
    """The background vocabulary as plain JSON: stems that several descriptions share, sorted."""
    documents = [stems(f"{skill.name} {skill.description}") for skill in skills]
    counts = Counter(stem for document in documents for stem in set(document))
    kept = {stem: count for stem, count in sorted(counts.items()) if count >= FEWEST_DESCRIPTIONS and stem.isascii()}
    average = round(sum(map(len, documents)) / len(documents), 2)
    return {"documents": len(documents), "words_per_document": average, "counts": kept}


def main() -> None:
    """Read the folders named on the command line and write the file named first."""
    target, *folders = map(Path, sys.argv[1:])
    document = counted(read_skills(folders))
    target.write_text(json.dumps(document, ensure_ascii=True, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    print(f"{document['documents']} descriptions of {document['words_per_document']} words")


if __name__ == "__main__":
    main()
