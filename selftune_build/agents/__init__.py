"""Agents: what answers a prompt, the workspace it answers in, and what it was seen to read."""
