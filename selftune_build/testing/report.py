"""What every format of reports has to hold to."""

from __future__ import annotations

from typing import ClassVar

from selftune_build.model.report import Report, Spend
from selftune_build.model.verdict import Verdict
from selftune_build.plugins.contain import Supplier
from selftune_build.plugins.guarded import guarded_report
from selftune_build.plugins.kinds import Kind, id_fault
from selftune_build.report.format import ReportFormat

_SUPPLIER = Supplier("plugin-under-test")


class ReportContract:
    """Subclass it with `format_`; override `check` to look into what it writes."""

    format_: ClassVar[ReportFormat]
    report: ClassVar[Report] = Report(Verdict.INCONCLUSIVE, 3, Spend(), (), "build")

    def check(self, text: str) -> None:
        """What has to hold of the text."""
        assert text

    def test_its_id_can_be_written_on_the_command_line(self) -> None:
        """As `--report ID=FILE`."""
        assert id_fault(Kind.REPORT, self.format_.id) is None

    def test_it_writes_a_report_without_packages(self) -> None:
        """Also where nothing was selected."""
        self.check(guarded_report(self.format_, _SUPPLIER).render(self.report))

    def test_the_same_report_gives_the_same_text(self) -> None:
        """No times, no hosts."""
        render = guarded_report(self.format_, _SUPPLIER).render
        assert render(self.report) == render(self.report)
