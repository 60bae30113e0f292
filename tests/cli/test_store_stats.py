"""`selftune store stats`: every call is on the bill, and what nobody priced is told as such."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from selftune_build.store.archive import Attempt, encode
from tests.cli.storing import SAMPLES, archive, archives, paid_kitchen, put, said, store
from tests.property.workspace import Workspace


def failed(workspace: Workspace, usage: dict[str, Any] | None) -> None:
    """Put a failed attempt beside the first sample."""
    path = archives(workspace)[0]
    sample = archive(path)
    attempt = Attempt(
        sample.call_id, sample.static_key, 0, 1, "crash", "it ended", b"", usage, started="2025-01-31T23:59:59+00:00"
    )
    path.with_name(path.name.replace(".zst", ".1.err.zst")).write_bytes(encode(attempt))


def test_the_bill_is_told_by_agent_package_and_month(paid: Workspace) -> None:
    status, document = store(paid, "stats")
    months = {archive(path).recorded[:7] for path in archives(paid)}
    assert status == 0
    assert (document["total"]["samples"], document["total"]["cost_usd"]) == (SAMPLES, "0.1000")
    assert document["total"]["bytes"] == sum(path.stat().st_size for path in archives(paid))
    assert {name: tally["samples"] for name, tally in document["by_agent"].items()} == {"house": SAMPLES}
    assert {name: tally["cost_usd"] for name, tally in document["by_package"].items()} == {"bake": "0.0375", "brew": "0.0625"}
    assert set(document["by_month"]) == months


def test_failed_attempts_are_on_the_bill_under_the_agent_and_the_month_they_were_asked_in(paid: Workspace) -> None:
    failed(paid, {"cost_usd": "0.40"})
    _, document = store(paid, "stats")
    assert (document["total"]["attempts"], document["total"]["cost_usd"]) == (1, "0.5000")
    assert document["by_agent"]["house"]["attempts"] == 1
    assert document["by_month"]["2025-01"] == {
        "samples": 0,
        "attempts": 1,
        "cost_usd": "0.40",
        "unknown_cost": 0,
        "free": 0,
        "bytes": document["by_month"]["2025-01"]["bytes"],
    }


@pytest.mark.parametrize("cost", [None, {"cost_usd": "NaN"}, {"cost_usd": "lots"}, {"cost_usd": "1e99"}, {"unpriced": True}])
def test_a_price_that_nobody_told_is_unknown_and_never_nothing(paid: Workspace, cost: dict[str, Any] | None) -> None:
    path = archives(paid)[0]
    put(path, msgspec.structs.replace(archive(path), cost=cost))
    failed(paid, None)
    _, document = store(paid, "stats")
    assert (document["total"]["unknown_cost"], document["total"]["cost_usd"]) == (2, "0.0875")
    assert "0.0875 USD and 2 calls of unknown price" in said(paid, "stats")[1]
    assert paid.build("--dry-run").status == 0


def test_an_agent_that_tells_no_price_costs_an_unknown_amount(tmp_path: Path) -> None:
    workspace = paid_kitchen(tmp_path)
    program = (workspace.root / "tools/agent.py").read_text()
    workspace.write("tools/agent.py", program.replace(', "cost_usd": cost}', "}"))
    workspace.remove_store()
    assert workspace.build().status == 0
    _, document = store(workspace, "stats")
    assert (document["total"]["unknown_cost"], document["total"]["cost_usd"]) == (SAMPLES, "0")


def test_what_the_embedded_agent_answers_is_free(tmp_path: Path) -> None:
    workspace = paid_kitchen(tmp_path)
    workspace.remove_store()
    assert workspace.build("--agent", "embedded").status in (0, 1, 3)
    _, document = store(workspace, "stats")
    assert document["by_agent"]["embedded"]["free"] == document["total"]["samples"] > 0
    assert ": free\n" in said(workspace, "stats")[1]


def test_files_moved_aside_and_files_that_cannot_be_read_are_counted(paid: Workspace) -> None:
    first, second, *_ = archives(paid)
    first.rename(first.with_name(first.name + ".corrupt-1"))
    second.write_bytes(b"rubbish")
    _, document = store(paid, "stats")
    assert (document["other_files"]["aside"]["count"], document["unreadable"]) == (1, 1)
    assert document["total"]["samples"] == SAMPLES - 2
    text = said(paid, "stats")[1]
    assert "moved aside, not used: 1 file" in text
    assert "1 file cannot be read: `selftune store fsck` says why" in text


def test_a_workspace_that_cannot_be_read_hides_nothing_that_was_spent(paid: Workspace) -> None:
    for name in ("brew", "bake"):
        paid.write(f"{name}/selftune.yaml", "version: [\n")
    status, document = store(paid, "stats")
    assert (status, document["total"]["cost_usd"]) == (0, "0.1000")
    assert "bake + brew" in document["by_package"]


def test_a_store_that_is_not_there_is_empty_and_stays_away(paid: Workspace) -> None:
    paid.remove_store()
    status, document = store(paid, "stats")
    assert (status, document["total"]["samples"]) == (0, 0)
    assert not (paid.root / ".selftune").exists()


def test_a_link_in_place_of_the_store_is_refused(paid: Workspace, tmp_path: Path) -> None:
    (paid.root / ".selftune").rename(tmp_path / "elsewhere")
    (paid.root / ".selftune").symlink_to(tmp_path / "elsewhere")
    status, document = store(paid, "stats")
    assert status == 4
    assert "symbolic link" in json.dumps(document)
