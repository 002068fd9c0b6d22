"""The fault harness: twenty rounds are green, each broken loader is caught, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from ecom_lite.faults.mutations import MUTATIONS
from ecom_lite.faults.plan import NAMES
from tests.runs import wait_for

ROUNDS = 20
TIMEOUT_S = 280


def harness(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the summary, and what was said on the way."""
    command = [sys.executable, "-m", "ecom_lite.faults", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.timeout(TIMEOUT_S + 20)
def test_twenty_rounds_of_every_scenario_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    report = tmp_path / "faults.md"
    code, summary, said = harness("--rounds", str(ROUNDS), "--seed", "20", "--report", str(report))
    assert code == 0 and summary["ok"] and summary["violations"] == 0, said
    assert summary["rounds"] == summary["strikes"] == ROUNDS and summary["missed"] == []
    assert set(summary["scenarios"]) == set(NAMES)
    assert all(row["strikes"] > 0 and row["records"] > 0 for row in summary["scenarios"].values())
    assert all(f"| {name} |" in report.read_text("utf-8") for name in NAMES)


@pytest.mark.timeout(TIMEOUT_S + 20)
def test_a_loader_that_is_broken_on_purpose_is_caught_whichever_way_it_is_broken() -> None:
    code, summary, said = harness("--mutations", "--seed", "5")
    assert code == 0 and set(summary["caught"]) == set(MUTATIONS), said
    assert None not in summary["caught"].values(), said


def test_ctrl_c_ends_it_with_130_and_stops_what_it_started() -> None:
    command = [sys.executable, "-m", "ecom_lite.faults", "--rounds", "50", "--only", "kill-copied"]
    with tempfile.TemporaryFile("w+") as talk:
        process = subprocess.Popen(command, stderr=talk, stdin=subprocess.DEVNULL)
        try:
            children: dict[int, psutil.Process] = {}

            def running() -> bool:
                children.update((child.pid, child) for child in psutil.Process(process.pid).children(recursive=True))
                talk.seek(0)
                return "kill-copied" in talk.read()

            wait_for(running, "the first round", 60)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        finally:
            process.kill()
            process.wait()
        assert len(children) >= 3  # Kafka, PostgreSQL, a loader
        wait_for(lambda: not [child for child in children.values() if child.is_running()], "all of them to be gone", 10)
        talk.seek(0)
        assert "Traceback" not in talk.read()
