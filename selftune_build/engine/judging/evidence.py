"""The samples of a key as the engine sees them: archives from the store, their answers parsed, their reads resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial

import msgspec

from selftune_build.agents.observation import Setting, observed, observed_by_script
from selftune_build.agents.protocol import Agent, AgentFailure, Traits
from selftune_build.agents.staging import path_tokens
from selftune_build.fingerprint.digest import digest_bytes, digest_json
from selftune_build.fingerprint.staged import facet_names, is_facet_record
from selftune_build.graph.cohorts import Counted, count
from selftune_build.model.case import Arm
from selftune_build.model.lock import Row
from selftune_build.model.sample import EvidenceOrigin, FileChange, Reply, Sample, Transcript, Usage
from selftune_build.stages.row import RowSpec
from selftune_build.store.archive import Archive, price_in
from selftune_build.store.asked import render_asked
from selftune_build.store.records import RecordStore
from selftune_build.store.samples import SampleStore

SCRIPT_TRAITS = Traits(origin=EvidenceOrigin.LIVE, deterministic=True, free=True, opens_skill_files=False)
"""A script has no host: nothing but the script itself opens files."""

Warn = Callable[[str], None]


class Evidence:
    """Reads samples for rows; keeps what it read, so that rows which share a key share the work."""

    def __init__(self, samples: SampleStore, records: RecordStore, agent: Agent) -> None:
        self.store = samples
        self.records = records
        self.agent = agent
        self._samples: dict[str, tuple[Sample, ...]] = {}
        self._staged: dict[str, dict[str, str]] = {}
        self.costs: list[Decimal] = []
        """What samples that were read have cost, where the agent told."""

    def samples(self, spec: RowSpec) -> tuple[Sample, ...]:
        """Every finished sample of the row's static key, whatever tree it was staged from."""
        if spec.key not in self._samples:
            found = (self._sample(spec, archive) for archive in self.store.archives(spec.key))
            self._samples[spec.key] = tuple(sample for sample in found if sample is not None)
        return self._samples[spec.key]

    def was_asked(self, spec: RowSpec) -> bool:
        """Whether anybody wanted to know the samples of the row's static key."""
        return spec.key in self._samples

    def counted(self, spec: RowSpec) -> Counted:
        """The samples that speak for the row today."""
        samples = self.samples(spec)
        if spec.case.observe_package:
            whole = {f"{spec.package.name}:*"} & spec.staged.today.keys()
            samples = tuple(msgspec.structs.replace(sample, observed=sample.observed | whole) for sample in samples)
        return count(samples, spec.staged.today, self.staged) if samples else Counted((), ())

    def overrules(self, spec: RowSpec, row: Row) -> bool:
        """Whether the samples behind a row of the lock are here, and others speak for today: those of an earlier time when this
        text stood, which saw more of it. Then the row must not stay, or whoever changes a text and changes it back chooses
        between two measurements of it. Cannot happen to what answers the same each time."""
        if self.agent.traits.deterministic or spec.arm is Arm.SCRIPT or self.store.count(spec.key) <= row.n:
            return False
        counted = self.counted(spec).samples
        if len(counted) < spec.needed or evidence_digest(counted) == row.evidence:
            return False
        trees = {sample.staged_tree for sample in self.samples(spec)}
        cohorts = ([sample for sample in self.samples(spec) if sample.staged_tree == tree] for tree in trees)
        return any(evidence_digest(cohort) == row.evidence for cohort in cohorts)

    def forget(self, spec: RowSpec) -> None:
        """Read the samples of this key again when they are next asked for: somebody may have added some."""
        self._samples.pop(spec.key, None)

    def staged(self, sample: Sample) -> Mapping[str, str]:
        """Digest of every facet the sample was staged with; empty where the record is lost, so that nothing fits."""
        return self._staged_by_tree(sample.staged_tree)

    def _staged_by_tree(self, tree: str) -> Mapping[str, str]:
        if tree in self._staged:
            return self._staged[tree]
        names: dict[str, str] = {}
        for package, digest in (self.records.read(tree) or {}).items():
            record = self.records.read(str(digest))
            if record is not None and is_facet_record(record):
                names.update(facet_names(package, record))
        if names:  # a record that is lost may be written again
            self._staged[tree] = names
        return names

    def parse(self, spec: RowSpec, raw: bytes) -> Reply:
        """The answer to a row as data. Raises AgentFailure where it is none."""
        return parse_script(raw) if spec.arm is Arm.SCRIPT else self.agent.parse(raw)

    def billed(self, spec: RowSpec, raw: bytes) -> Usage | None:
        """What an answer says it cost, also one that is not valid."""
        return None if spec.arm is Arm.SCRIPT else self.agent.billed(raw)

    def _sample(self, spec: RowSpec, archive: Archive) -> Sample | None:
        price = price_in(archive.cost)
        if price is not None:
            self.costs.append(price)
        transcript = self._transcript(spec, archive)
        if transcript is None or self.records.read(archive.staged) is None:
            return None
        return Sample(
            static_key=archive.static_key,
            call_id=archive.call_id,
            index=archive.index,
            staged_tree=archive.staged,
            observed=self._observed(spec, archive, transcript),
            transcript=transcript,
            digest=sample_digest(archive.static_key, transcript),
            recorded=archive.recorded,
        )

    def _transcript(self, spec: RowSpec, archive: Archive) -> Transcript | None:
        return transcript_of(archive, partial(self.parse, spec), script=spec.arm is Arm.SCRIPT)

    def _observed(self, spec: RowSpec, archive: Archive, transcript: Transcript) -> frozenset[str]:
        tree = archive.staged
        skills = frozenset(self.records.read(tree) or {})
        touched = None if archive.touched is None else frozenset(archive.touched)
        if transcript.limit and spec.arm is not Arm.SCRIPT:
            return frozenset(f"{name}:*" for name in skills)
        if spec.arm is not Arm.SCRIPT and self.agent.traits.lazy:
            skills &= frozenset(transcript.reply.skills_used or ())
        traits = SCRIPT_TRAITS if spec.arm is Arm.SCRIPT else self.agent.traits
        setting = Setting(skills, self._staged_by_tree(tree).keys(), archive.workspace, traits.skills_folder)
        if spec.arm is Arm.SCRIPT:
            return observed_by_script(setting, touched)
        return observed(setting, touched, transcript.reply, traits)


def parse_script(raw: bytes) -> Reply:
    """What a script printed, as the answer that it is."""
    return Reply(raw.decode(errors="replace"), skills_used=(), files_read=(), tool_calls=())


def transcript_of(archive: Archive, parse: Callable[[bytes], Reply], *, script: bool) -> Transcript | None:
    """What came back, paths as tokens; None where the answer cannot be parsed."""
    paths = path_tokens(archive.workspace, archive.home)
    files = tuple(_change_without_paths(change, paths) for change in archive.files)
    if archive.limit:
        return Transcript(Reply(output=""), files, limit=True)
    stderr = _without_paths(archive.stderr, paths).decode(errors="replace")
    try:
        reply = parse(_without_paths(archive.raw, paths))
    except AgentFailure:
        return None
    return Transcript(
        reply,
        files,
        archive.exit_status,
        stderr,
        limit=script and archive.exit_status is None,
        milliseconds=archive.seconds_ms,
    )


def evidence_digest(samples: Iterable[Sample]) -> str:
    """What a row of the lock names its samples by, in whatever order they come."""
    return digest_of_samples(sample.digest for sample in samples)


def digest_of_samples(digests: Iterable[str]) -> str:
    """The same, by the digests of the samples."""
    return digest_json(sorted(digests))


def _without_paths(raw: bytes, paths: Mapping[str, str]) -> bytes:
    for path in sorted(filter(None, paths), key=len, reverse=True):
        raw = raw.replace(path.encode(), paths[path].encode())
    return raw


def _change_without_paths(change: FileChange, paths: Mapping[str, str]) -> FileChange:
    if change.content is None:
        return change
    return FileChange(change.path, _without_paths(change.content, paths), change.executable)


def sample_digest(static_key: str, transcript: Transcript) -> str:
    """Names a sample by what was asked and what came back: without call_id, times, cost and paths."""
    reply = transcript.reply
    calls = None if reply.tool_calls is None else digest_bytes(msgspec.json.encode(reply.tool_calls, order="deterministic"))
    return digest_json(
        {
            "asked": static_key,
            "output": reply.output,
            "skills_used": reply.skills_used,
            "files_read": reply.files_read,
            "tool_calls": calls,
            "model": reply.model,
            "files": [_file_digest(change) for change in transcript.files],
            "exit_status": transcript.exit_status,
            "stderr": transcript.stderr,
            "limit": transcript.limit,
            **({"refused": reply.refused} if reply.refused else {}),
        }
    )


def _file_digest(change: FileChange) -> list[object]:
    return [change.path, None if change.content is None else digest_bytes(change.content), change.executable]


def explanation(spec: RowSpec) -> bytes:
    """What the key was made of, as `key.json` keeps it."""
    return render_asked(spec.inputs)
