"""Who rules on what needs a judge, what it has said so far, and what it has yet to be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from selftune_build.agents.builtin import make_agent
from selftune_build.agents.protocol import Agent, AgentFailure
from selftune_build.checks.context import CheckContext
from selftune_build.checks.registry import judge as judge_check
from selftune_build.checks.registry import judge_calls, needs_judge
from selftune_build.checks.votes import Asked, Rule, Vote, Votes
from selftune_build.engine.judging.evidence import Evidence
from selftune_build.engine.judging.families import family_of_identities, shared_family
from selftune_build.engine.registry import Registry
from selftune_build.errors import InputError
from selftune_build.limits import JUDGE_ANSWER_BYTES
from selftune_build.lock.parsing import LockReading
from selftune_build.model.location import Location
from selftune_build.model.manifest import JudgeSetting
from selftune_build.model.package import Package
from selftune_build.model.sample import ErrorKind, Reply, Sample, Transcript
from selftune_build.reading.answer import InvalidAnswer, structured
from selftune_build.stages.row import JudgedBy, RowSpec
from selftune_build.stages.ruling import SCHEMA, ruling_spec
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore

REFUSED = "judge and agent are of one family of models ({}), and policy.judge_family refuses that"


class Opinions(Evidence):
    """The votes of one judge: samples like any other, but that only an answer of the schema asked for is one."""

    def parse(self, spec: RowSpec, raw: bytes) -> Reply:
        """The answer to a question. Raises AgentFailure where it is none."""
        reply = super().parse(spec, raw)
        try:
            _vote(reply, spec.inputs[SCHEMA])
        except InvalidAnswer as error:
            raise AgentFailure(ErrorKind.PROTOCOL, f"the judge's answer cannot be used: {error}") from None
        return reply

    def votes(self, question: RowSpec) -> tuple[Sample, ...]:
        """The votes that count, by index: never more than are asked for."""
        return self.samples(question)[: question.needed]


def _vote(reply: Reply, schema: dict[str, Any]) -> Vote:
    vote: Vote = structured(reply.output, schema, limit=JUDGE_ANSWER_BYTES)
    return vote


class Ruling(Struct, frozen=True):
    """A question that a judge has yet to answer, and how often."""

    question: RowSpec
    missing: int


class Judge(Struct, frozen=True):
    """The judge of one package under one agent. Nothing here asks."""

    agent: Agent
    model: str | None
    by: JudgedBy
    opinions: Opinions
    family: str = ""
    """What it has in common with the agent by what is asked of both, empty where nothing is known."""

    @property
    def refused(self) -> str:
        """Why its rulings do not count, empty where they do."""
        return REFUSED.format(self.family) if self.family and self.by.refuses_family else ""

    def rule(self, row: RowSpec, sample: Sample) -> Rule:
        """Where checks of the row on this sample get their votes: what the store has, and nothing is asked."""

        def rule(asked: Asked) -> Votes:
            if row.judge is None:
                return Votes(missing=self.refused)
            question = ruling_spec(row, asked, row.judge)
            votes = self.opinions.votes(question)
            if len(votes) < question.needed:
                return Votes(missing=f"{len(votes)} of {question.needed} votes of the judge {self.agent.name} are there")
            served = shared_family([sample.transcript.reply.model], [vote.transcript.reply.model for vote in votes])
            if served and row.judge.refuses_family:
                return Votes(missing=REFUSED.format(served))
            return Votes(tuple(_vote(vote.transcript.reply, asked.schema) for vote in votes))

        return rule

    def open(self, row: RowSpec, samples: Iterable[Sample], others: Sequence[Sample]) -> tuple[Ruling, ...]:
        """What has to be asked before every check of the row is decided on these samples, each question once."""
        found: dict[str, Ruling] = {}
        for question in self.questions(row, samples, others):
            missing = question.needed - len(self.opinions.votes(question))
            if missing > 0:
                found[question.key] = Ruling(question, missing)
        return tuple(found.values())

    def questions(self, row: RowSpec, samples: Iterable[Sample], others: Sequence[Sample]) -> list[RowSpec]:
        """Every question that the checks of the row put on these samples."""
        asked: list[Asked] = []

        def note(question: Asked) -> Votes:
            asked.append(question)
            return Votes(missing="not asked yet")

        if row.judge is None:
            return []
        for position, sample in enumerate(samples):
            context = context_of(row, note, other_of(others, position))
            for check in row.checks:
                if needs_judge(check.kind):
                    judge_check(check, sample.transcript, context)
        return [ruling_spec(row, each, row.judge) for each in asked]


def context_of(row: RowSpec, rule: Rule | None, other: Transcript | None) -> CheckContext:
    """The case around a transcript, as far as judges look at it."""
    return CheckContext(
        package_name=row.package.name, arm=row.arm, case_files=row.case.files, prompt=row.case.prompt, rule=rule, other=other
    )


def other_of(others: Sequence[Sample], position: int) -> Transcript | None:
    """What the sample at this position is compared with: sample r with sample r, from the start again where those are fewer."""
    return others[position % len(others)].transcript if others else None


def calls_for(row: RowSpec, samples: int) -> int:
    """How many judge calls so many samples of the row lead to at most."""
    return 0 if row.judge is None else samples * row.judge.votes * sum(map(judge_calls, row.checks))


JudgeOf = Callable[[Package, Agent, LockReading], Judge | None]
"""A package, its agent and its lock → its judge; None where none is declared or nothing needs one."""


def judges(root: Path, samples: SampleStore, records: RecordStore, registry: Registry) -> JudgeOf:
    """The judges that manifests name. Raises UndecidedError where nothing supplies one, InputError for one that cannot judge.

    Packages that name the same one share it, and what was read of its votes.
    """
    made: dict[str, tuple[Agent, Opinions]] = {}

    def judge_of(package: Package, agent: Agent, _lock: LockReading) -> Judge | None:
        setting = package.manifest.judge
        if setting is None:
            return None
        judge = make_agent(setting.agent, package.manifest, root, setting.model, registry.agents)
        if not asks_judge(package):
            return None
        if not judge.traits.completes:
            raise InputError(
                f"the agent {setting.agent!r} cannot judge: it answers no question that stands alone",
                at=Location(package.manifest.path or package.path),
                hint="name an agent that serves the role `complete` under `judge:`: a command agent, or one that asks a model",
            )
        same = repr((judge.name, sorted(judge.identity.items()), judge.traits, setting.model))
        shared = made.setdefault(same, (judge, Opinions(samples, records, judge)))
        return configured(setting, package, agent, *shared)

    return judge_of


def configured(setting: JudgeSetting, package: Package, agent: Agent, judge: Agent, opinions: Opinions) -> Judge:
    """The judge of a package under an agent."""
    by = JudgedBy(
        identity=judge.identity,
        votes=1 if judge.traits.deterministic else setting.votes,
        refuses_family=package.manifest.policy.judge_family == "refuse",
    )
    return Judge(judge, setting.model, by, opinions, family_of_identities(agent.identity, judge.identity))


def asks_judge(package: Package) -> bool:
    """Whether a check of the package needs a judge."""
    return any(needs_judge(check.kind) for case in (*package.evals, *package.unit_tests) for check in case.checks)
