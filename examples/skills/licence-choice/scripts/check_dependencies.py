"""Class every dependency of a list by its licence and say which kinds of product may contain it."""

from __future__ import annotations

import argparse
import csv
import re
import sys
from pathlib import Path

CLASSES = Path(__file__).resolve().parent.parent / "assets" / "classes.csv"
UNKNOWN = "E"
MEANING = {
    "A": "closed product yes, hosted service yes, open project yes",
    "B": "closed product yes if its files stay open, hosted service yes, open project yes",
    "C": "closed product no, hosted service ask legal, open project if compatible",
    "D": "closed product no, hosted service no, open project no: ask legal and procurement",
    "E": "unknown licence: nobody may use it before legal has read it",
}
SOFTENING = ("Linux-syscall-note", "Classpath-exception-2.0", "GCC-exception-3.1", "LLVM-exception")
ATOM = re.compile(r"([\w.+-]+)(?:\s+WITH\s+([\w.-]+))?")


def class_of_atom(text: str, classes: dict[str, str]) -> str:
    """The class of one identifier with its exception. An exception softens class C to B."""
    match = ATOM.fullmatch(text.strip())
    if not match:
        return UNKNOWN
    found = classes.get(match.group(1).lower(), UNKNOWN)
    return "B" if found == "C" and match.group(2) in SOFTENING else found


def class_of(expression: str, classes: dict[str, str]) -> str:
    """The class of an SPDX expression: `OR` takes the mildest side, `AND` the strictest part, nesting is unknown."""
    whole = re.fullmatch(r"\(([^()]*)\)", expression)
    sides = re.split(r"\s+OR\s+", whole.group(1) if whole else expression)
    return min(max(class_of_atom(part, classes) for part in re.split(r"\s+AND\s+", side)) for side in sides)


def report(text: str, classes: dict[str, str]) -> list[str]:
    """One line for each dependency in the order of the list, then what each class means that occurs."""
    pairs = [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    rated = [(pair[0], pair[1].strip() if len(pair) == 2 else "none given") for pair in pairs]
    found = [(name, licence, class_of(licence, classes)) for name, licence in rated]
    lines = [f"{name}: class {letter} ({licence})" for name, licence, letter in found]
    letters = [letter for _, _, letter in found]
    counted = [f"Class {letter}, {letters.count(letter)} of {len(found)}: {MEANING[letter]}" for letter in sorted(set(letters))]
    return [*lines, "", *counted]


def main() -> int:
    """Print the report; 1 with `--closed` where a dependency may not go into a closed product, 2 for an unusable list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("--closed", action="store_true", help="exit 1 when there is a class C, D or E")
    given = parser.parse_args()
    with CLASSES.open(encoding="utf-8", newline="") as table:
        classes = {row["spdx"].lower(): row["class"] for row in csv.DictReader(table)}
    try:
        text = Path(given.file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        print("error: cannot read the list", file=sys.stderr)
        return 2
    lines = report(text, classes)
    if lines == [""]:
        print("error: the list is empty", file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 1 if given.closed and any(line.startswith(("Class C", "Class D", "Class E")) for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
