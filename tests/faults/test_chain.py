"""The fault harness on the whole program: five rounds are green, and what is broken on purpose is caught."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecom_lite.harness.chain_plan import CHAIN_NAMES
from ecom_lite.harness.targets import CHAIN_MUTATIONS
from tests.faults.test_harness import TIMEOUT_S, harness

ROUNDS = 5
# Without Spark, and without a start after the first: what a machine that tests beside this one can bear.
QUICK = ("kill-kafka", "kill-postgres", "kill-produce", "kill-load", "kill-lake", "cut-dbt", "clock-back", "kill-page")


def five_rounds(folder: Path, *arguments: str) -> dict[str, Any]:
    """The summary of rounds of which each struck and none found anything."""
    report, kept = folder / "faults.md", folder / "rounds.jsonl"
    code, summary, said = harness("--chain", "--rounds", str(ROUNDS), "--keep", str(kept), "--report", str(report), *arguments)
    assert code == 0 and summary["ok"] and summary["violations"] == 0, said
    assert summary["rounds"] == summary["strikes"] == ROUNDS and summary["missed"] == []
    assert all(f"| {name} |" in report.read_text("utf-8") for name in summary["scenarios"])
    assert len(kept.read_text("utf-8").splitlines()) == ROUNDS
    return summary


@pytest.mark.timeout(TIMEOUT_S + 20)
def test_five_rounds_of_the_whole_chain_close_to_the_last_mart(tmp_path: Path) -> None:
    only = [word for name in QUICK for word in ("--only", name)]
    summary = five_rounds(tmp_path, "--seed", "1", *only)
    assert set(summary["scenarios"]) <= set(QUICK) and summary["modes"] == {"light": ROUNDS}


@pytest.mark.long
@pytest.mark.timeout(TIMEOUT_S + 20)
def test_five_rounds_with_a_killed_run_and_a_killed_jvm_close_too(tmp_path: Path) -> None:
    summary = five_rounds(tmp_path, "--seed", "1080")
    assert {"kill-dbt", "kill-spark"} <= set(summary["scenarios"]) <= set(CHAIN_NAMES)
    assert summary["modes"] == {"light": ROUNDS - 1, "spark": 1}


@pytest.mark.long
@pytest.mark.timeout(2 * TIMEOUT_S)
def test_a_run_that_is_broken_on_purpose_is_caught_whichever_way_it_is_broken() -> None:
    code, summary, said = harness("--chain", "--mutations", "--seed", "2", "--only", "kill-lake", "--rounds", "5")
    assert code == 0 and set(summary["caught"]) == set(CHAIN_MUTATIONS), said
    assert None not in summary["caught"].values(), said
