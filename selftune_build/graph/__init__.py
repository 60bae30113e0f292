"""Targets, how they depend on each other, which are asked for, and which samples still speak for them."""
