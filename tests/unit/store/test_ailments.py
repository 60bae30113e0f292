"""The ids of what `store fsck` finds are documented, every one, with the severity that it has."""

from __future__ import annotations

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
IN_CODE = re.compile(r'(?:Ailment\(\s*|: \()"([a-z-]+)",\s*Severity\.([A-Z]+)')
IN_DOCS = re.compile(r"^\| (`[^|]+) \| ([^|]+) \|", re.MULTILINE)


def test_the_table_of_ids_is_that_of_the_code() -> None:
    files = [*(CHECKOUT / "selftune_build/store").glob("*.py")]
    code = {(name, severity.lower()) for path in files for name, severity in IN_CODE.findall(path.read_text())}
    both = (("damaged", "error"), ("newer", "warning"))
    code |= {(f"{kind}-{end}", severity) for kind in ("archive", "attempt") for end, severity in both}
    section = (CHECKOUT / "docs/formats/store.md").read_text().partition("## What `store fsck` finds")[2].partition("\n## ")[0]
    docs: set[tuple[str, str]] = set()
    for names, severities in IN_DOCS.findall(section):
        ids = re.findall(r"`([a-z-]+)`", names)
        each = severities.strip().split(", ")
        docs |= set(zip(ids, each * (len(ids) if len(each) == 1 else 1), strict=True))
    assert len(code) > 30
    assert docs == code
