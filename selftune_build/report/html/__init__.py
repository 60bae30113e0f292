"""One page for people: a single file that asks for nothing else."""
