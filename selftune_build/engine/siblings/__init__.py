"""Skills that stand beside each other: who is activated for whose prompts, and whether they get in each other's way."""
