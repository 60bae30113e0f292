"""make for agent skills: evidence keyed by fingerprints, paid for only where an edit made it stale."""

__version__ = "0.1.0"
