"""The fault harness on the whole program: five rounds are green, and what is broken on purpose is caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_lite.harness.chain_plan import CHAIN_NAMES
from ecom_lite.harness.targets import CHAIN_MUTATIONS
from tests.faults.test_harness import TIMEOUT_S, harness

ROUNDS = 5  # the last one with Spark; `make test-long` makes more
SEED = "1080"


@pytest.mark.timeout(2 * TIMEOUT_S)
def test_five_rounds_of_the_whole_chain_close_to_the_last_mart(tmp_path: Path) -> None:
    report, kept = tmp_path / "faults.md", tmp_path / "rounds.jsonl"
    code, summary, said = harness(
        "--chain", "--rounds", str(ROUNDS), "--seed", SEED, "--keep", str(kept), "--report", str(report)
    )
    assert code == 0 and summary["ok"] and summary["violations"] == 0, said
    assert summary["rounds"] == summary["strikes"] == ROUNDS and summary["missed"] == []
    assert set(summary["scenarios"]) <= set(CHAIN_NAMES) and summary["modes"] == {"light": ROUNDS - 1, "spark": 1}
    assert all(f"| {name} |" in report.read_text("utf-8") for name in summary["scenarios"])
    assert len(kept.read_text("utf-8").splitlines()) == ROUNDS


@pytest.mark.long
@pytest.mark.timeout(2 * TIMEOUT_S)
def test_a_run_that_is_broken_on_purpose_is_caught_whichever_way_it_is_broken() -> None:
    code, summary, said = harness("--chain", "--mutations", "--seed", "2", "--only", "kill-lake", "--rounds", "5")
    assert code == 0 and set(summary["caught"]) == set(CHAIN_MUTATIONS), said
    assert None not in summary["caught"].values(), said
