"""What the authors of plugins and skills test with."""
