"""The bare list of questions that NVIDIA's catalogue of skills keeps.

Written from `skills/*/evals/evals.json` of github.com/NVIDIA/skills (2026-08-20): `[{id, question, expected_skill | null,
expected_script | null, ground_truth, expected_behavior: [sentence]}]`.
"""

from __future__ import annotations

from selftune_build.reading.evals.evals_json import read_evals_json
from selftune_build.reading.evals.source import EvalReading, Source

FORMAT = "question-list"


def read_question_list(source: Source) -> EvalReading:
    """One case for each question, with the fields of evals.json under the names that this list has for them."""
    return read_evals_json(source)
