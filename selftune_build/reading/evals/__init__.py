"""Eval files: every format has a reader of its own and becomes the one neutral case."""

from selftune_build.reading.evals.source import EvalReading
from selftune_build.reading.evals.suite import read_eval_files, read_unit_tests

__all__ = ["EvalReading", "read_eval_files", "read_unit_tests"]
