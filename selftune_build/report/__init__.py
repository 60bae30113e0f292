"""Results as text for people and as documents for programs: pure functions, except for progress."""
