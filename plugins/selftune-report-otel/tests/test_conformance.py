"""The formats against the suite that every one has to pass."""

import json

from selftune_report_otel import CONTENT, FORMAT

from selftune_build.testing import ReportContract


class TestOtel(ReportContract):
    format_ = FORMAT

    def check(self, text: str) -> None:
        (resource,) = json.loads(text)["resourceSpans"]
        (span,) = resource["scopeSpans"][0]["spans"]
        assert (span["name"], span["kind"], len(span["traceId"]), len(span["spanId"])) == ("selftune build", 1, 32, 16)
        assert {each["key"]: each["value"] for each in span["attributes"]}["selftune.times"] == {"stringValue": "unknown"}


class TestOtelWithContent(TestOtel):
    format_ = CONTENT
