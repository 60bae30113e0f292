"""Regular expressions that are compiled when first used: most commands never come to most rules."""

from __future__ import annotations

import re
from typing import Any, cast


class _Late:
    """Stands for a pattern until somebody asks for one of its methods."""

    def __init__(self, pattern: str, flags: int) -> None:
        self._made_of = pattern, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._made_of), name)
        setattr(self, name, found)
        return found


def late(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """As `re.compile`, when it is needed. A pattern that is wrong is so then, too."""
    return cast("re.Pattern[str]", _Late(pattern, flags))
