"""Stages: what each needs and what it makes, one file for each."""
