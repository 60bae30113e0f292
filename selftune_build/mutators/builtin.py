"""The mutators that come with the tool."""

from __future__ import annotations

from collections.abc import Mapping

from selftune_build.mutators.protocol import Mutator
from selftune_build.mutators.routing import DETERMINISTIC
from selftune_build.mutators.targeted import TARGETED

MUTATORS: Mapping[str, Mutator] = {each.id: each for each in (TARGETED, DETERMINISTIC)}
