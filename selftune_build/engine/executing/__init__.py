"""Samples that are taken by other processes: what an executor is, what it is sent, and what a worker does with that."""
