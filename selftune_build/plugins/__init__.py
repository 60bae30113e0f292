"""What a plugin needs from us: the marker for its hooks."""

from __future__ import annotations

import pluggy

hookimpl = pluggy.HookimplMarker("selftune")
"""Marks a function of a plugin as the implementation of the hook of its name."""
