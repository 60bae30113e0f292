"""The gates: pure functions from cases and the rows of a lock to verdicts."""
