"""Locks as an invocation meets them: read, healed, compared, signed, waived."""
