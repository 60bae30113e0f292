"""Every hook. A plugin implements those it needs; all are called without arguments, once, when a name is first looked up.

They run when a manifest, an eval file or the command line names something that is not built in, and for `selftune plugins`:
in a thread of their own, within a time limit, never from a checkout. What they return is checked; a fault is reported with
plugin, version and hook, and is never a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from selftune_build.agents.protocol import AgentType
from selftune_build.checks.registry import Family
from selftune_build.engine.executing.protocol import ExecutorType
from selftune_build.gates.builtin import Gate
from selftune_build.mutators.protocol import Mutator
from selftune_build.plugins.kinds import PROJECT
from selftune_build.reading.evals.recognise import Format
from selftune_build.report.format import ReportFormat

hookspec = pluggy.HookspecMarker(PROJECT)


@hookspec
def selftune_agents() -> Iterable[AgentType]:
    """Kinds of agents that answer prompts.

    Named by: `agent: ID` or `agents: {NAME: {type: ID}}` in selftune.yaml, and `--agent ID`.

    Gets: `AgentType.make` gets the settings (name, definition, model, workspace root) and returns an `Agent`; that gets one
    `RunRequest` for each sample and writes its raw answer to the file it is given. `parse` turns such an answer into a `Reply`.

    Returns: one `AgentType` for each id.

    Errors: `AgentFailure` of a kind that fits when there is no answer (never a guess); `InputError` from `make` for settings
    that make no agent. Any other exception is an infrastructure error: kept, counted, tried again within limits.

    Called: `make` once for each package that names the agent, also in a dry run, so it must not start anything; `run` for each
    missing sample, several at once; `parse` whenever a stored answer is read, so it must be pure. Never under `--locked`.

    Enters the key: `Agent.identity`, to which id and `cache_version` are added. Raise `cache_version` when the same question
    may get another answer.
    """
    raise NotImplementedError


@hookspec
def selftune_gates() -> Iterable[Gate]:
    """Gates: decisions over what was measured.

    Named by: `gates: {ID: {…}}` in selftune.yaml. A plugin's gate runs only where it is named.

    Gets: `Gate.judge` gets `Facts` (the outcomes of all cases and the findings), its `GateSetting` and the one-sided confidence.

    Returns: a `Decision`, or None where the package has nothing that the gate measures. `inconclusive` is a verdict of its own:
    say it where the cases cannot tell.

    Errors: none are expected. A gate that raises or hangs is inconclusive with the message `plugin-failed: …` (exit 3).

    Called: several times in a run, between rounds too, and under `--locked` where `policy.plugins` names the distribution; one
    with `Gate.against` once, at the end, with the counts that the engine read from git objects as `Facts.against`;
    for one with `Gate.look` that is called before, though never under `--locked`, and alone may start programs. `judge`
    must be a pure function: no files, no network, no processes, no clock.

    Enters the key: nothing. A gate never makes evidence stale; its setting is part of the policy digest in the lock. The verdict
    of one with `Gate.against` or `Gate.look` stands in no lock: another revision or program may give another one.
    """
    raise NotImplementedError


@hookspec
def selftune_checks() -> Iterable[Family]:
    """Kinds of checks: one assertion on what a sample left behind.

    Named by: `checks: [{NAME/VERSION: VALUE}]` in an eval file of our own format. The version says what the check means; raise
    it when that changes, and evals move on when they are edited.

    Gets: `Family.judge` gets the `Check` (`params` is the mapping that was written, or `{"value": …}`), the `Transcript` and the
    context: arm, package name, the files of the case.

    Returns: a `CheckResult`, made by `held`, `failed`, `decided` or, where nobody can tell, `not_measured`.

    Errors: none are expected. A check that raises or hangs is not measured, its case undecided, and it is judged again when the
    plugin works.

    Called: for each sample of each case that has the check, under every arm. Never under `--locked`. It must be pure.

    Enters the key: the kind with its version and the value as written, so that keys are the same where the plugin is missing.
    """
    raise NotImplementedError


@hookspec
def selftune_readers() -> Iterable[Format]:
    """Readers of eval files in other formats.

    Named by: `readers: {NAME: [GLOB]}` in selftune.yaml. Nobody else reads a file that is given to a reader.

    Gets: `Format.read` gets a `Source`: `document.data` (JSON and YAML as plain data, everything else as text), `read` for other
    files of the package, `package_name`, and `note` and `origin` for findings and places.

    Returns: an `EvalReading` with the cases; findings are those given to `Source.note`.

    Errors: `InputError` with a place for a file that cannot be used (exit 2). Any other exception means that the package could
    not be read: `plugin-failed` (exit 3).

    Called: whenever the workspace is read, under `--locked` where `policy.plugins` names the distribution. It must be pure and
    give the same cases for the same bytes.

    Enters the key: the cases it makes, field by field; never the reader or its version.
    """
    raise NotImplementedError


@hookspec
def selftune_mutators() -> Iterable[Mutator]:
    """Mutators: proposals of edits of one package, each a candidate that `build --overlay` measures.

    Named by: `selftune mutate PACKAGE --mutator ID`.

    Gets: `Mutator.propose` gets a `PackageView` (bytes by path), the evidence by case, those held out left out, and a seed. A
    mutator with a `consult` can have a model asked: it returns questions, and gets the answers, which were paid for and kept.

    Returns: `Overlay`s, the best first: a patch of whole files, the tree it was made from, the reason, the facets it touches.
    One that touches other facets than it says, evals, tests, a lock or a manifest is refused and named; the others stay.

    Errors: `UndecidedError` where a service it needs cannot be reached; any other exception is an infrastructure error.

    Called: once for each `selftune mutate`. The same three arguments must give the same proposals; whoever changes what they
    give raises `Mutator.version`.

    Enters the key: nothing. A candidate is measured like any other package.
    """
    raise NotImplementedError


@hookspec
def selftune_reports() -> Iterable[ReportFormat]:
    """Formats of reports.

    Named by: `selftune build … --report ID=FILE`, or `ID=URL` where the format sends.

    Gets: `ReportFormat.render` gets the finished `Report`, `ReportFormat.send` the same and the URL.

    Returns: the whole text of the file; nothing where it is sent.

    Errors: none are expected of `render`. Where it raises, nothing is written to FILE, the build's own report is printed all the
    same, and the exit status is at least 3. `send` raises `UndecidedError` where nobody takes the report: whatever it raises is
    a warning, and the exit status is that of the build.

    Called: once at the end of a build. Never under `--locked`, which has the tool's own formats alone.

    Enters the key: nothing.
    """
    raise NotImplementedError


@hookspec
def selftune_executors() -> Iterable[ExecutorType]:
    """Executors: workers in other processes, on other machines, that take samples.

    Named by: `selftune build … --executor ID://…`. There is no key for it in a manifest: where samples are taken says nothing of
    them.

    Gets: `ExecutorType.open` gets the URL and returns an `Executor`; that gets bytes, and has a worker call `work` of
    `selftune_build.plugins` with them, in a process that sees the same store and the same workspace by the same paths.

    Returns: one `ExecutorType` for each scheme.

    Errors: `UndecidedError` from `open` where nobody answers (exit 3), `InputError` for a URL that names nothing. An error of
    a task says that nobody can tell what became of it: then the store tells, and a task that was begun is not sent again
    before its time limit.

    Called: `open` once for each build, when a sample is missing; then `everywhere` with a probe, and `submit` for each sample, by
    as many threads as there are slots. Never under `--locked`, never in a dry run. It must not try a task again by itself.

    Enters the key: nothing. The same samples are the same evidence wherever they were taken.
    """
    raise NotImplementedError
