"""Workspaces and locks as a commit has them."""
