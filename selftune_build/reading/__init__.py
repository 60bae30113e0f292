"""Bytes to model: every reader checks limits first, then form, then meaning, and names the place of what it refuses."""
