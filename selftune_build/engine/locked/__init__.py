"""`--locked`: what follows from tree and lock alone, and by whose policy."""
