"""Checks: one assertion each on what a sample left behind. One file per family; `registry` is the way in."""
