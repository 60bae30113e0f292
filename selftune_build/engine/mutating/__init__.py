"""What a mutator gets to see of a package, and what becomes of its proposals."""
