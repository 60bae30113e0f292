"""Every limit on size, depth, count and time, named, in one place."""

from __future__ import annotations

KIB = 1024
MIB = 1024 * KIB
