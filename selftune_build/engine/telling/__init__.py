"""What reports say of an invocation: derived, never stored."""
