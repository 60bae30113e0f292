"""From samples to rows of the lock: evidence of a key, checks, judges."""
