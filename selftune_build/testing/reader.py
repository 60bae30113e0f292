"""What every reader of a plugin has to hold to."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest

from selftune_build.errors import InputError
from selftune_build.model.case import Case
from selftune_build.plugins.contain import Supplier
from selftune_build.plugins.guarded import guarded_reader
from selftune_build.plugins.kinds import Kind, id_fault
from selftune_build.reading.evals.recognise import Format
from selftune_build.reading.evals.source import EvalReading
from selftune_build.reading.evals.suite import read_eval_files

_SUPPLIER = Supplier("plugin-under-test")


class ReaderContract:
    """Subclass it with `reader`, `path` (the suffix decides how it is read) and `files` (path → bytes, the eval file among them).

    `prompts` are those of the cases it makes, in order. `refused` are contents it has to refuse with an InputError.
    """

    reader: ClassVar[Format]
    path: ClassVar[str]
    files: ClassVar[dict[str, bytes]]
    prompts: ClassVar[tuple[str, ...]]
    refused: ClassVar[tuple[bytes, ...]] = ()

    def read(self, content: bytes | None = None) -> EvalReading:
        """The cases as the engine gets them."""
        files = {**self.files, **({} if content is None else {self.path: content})}
        format_ = guarded_reader(self.reader, _SUPPLIER)
        return read_eval_files([self.path], _from(files), True, package_name="pdf", readers={self.path: format_})

    def cases_of(self, content: bytes) -> tuple[Case, ...]:
        """The cases of another content, none where it is refused."""
        try:
            return self.read(content).cases
        except InputError:
            return ()

    def test_its_name_can_be_written_in_a_manifest(self) -> None:
        """Under `readers:`."""
        assert id_fault(Kind.READER, self.reader.name) is None

    def test_it_reads_the_cases(self) -> None:
        """One for each prompt."""
        assert tuple(case.prompt for case in self.read().cases) == self.prompts

    def test_every_case_can_be_measured_or_is_a_finding(self) -> None:
        """A case without check and polarity passes for nothing; say so with `source.note`."""
        reading = self.read()
        idle = [case.id for case in reading.cases if not case.checks and case.should_trigger is None]
        assert not idle or reading.findings

    def test_every_case_says_where_it_stands(self) -> None:
        """Messages lead people to it."""
        assert [case.id for case in self.read().cases if case.origin is None] == []

    def test_the_same_bytes_make_the_same_cases(self) -> None:
        """Else every edit of nothing makes results stale."""
        assert self.read() == self.read()

    def test_what_it_cannot_read_is_refused_with_a_place(self) -> None:
        """Each of `refused`, and a file that holds nothing or nonsense is refused or has no case that can pass."""
        for content in self.refused:
            with pytest.raises(InputError) as caught:
                self.read(content)
            assert caught.value.at is not None
        for content in (b"", b"{}", b"\x00", b"x" * 1000):
            assert [case for case in self.cases_of(content) if not case.checks and case.should_trigger is None] == []


def _from(files: dict[str, bytes]) -> Callable[[str], bytes]:
    def read(path: str) -> bytes:
        if path not in files:
            raise FileNotFoundError(2, "No such file", path)
        return files[path]

    return read
