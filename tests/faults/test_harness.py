"""The fault harness: six rounds of loader and producer are green, what is broken is caught, and Ctrl-C leaves nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from ecom_lite.harness.mutations import MUTATIONS
from ecom_lite.harness.plan import NAMES
from ecom_lite.harness.producer_mutations import PRODUCER_MUTATIONS
from ecom_lite.harness.producer_plan import PRODUCER_NAMES
from tests.runs import wait_for, wait_until_gone

ROUNDS = 6  # `make test-long` makes sixty
TIMEOUT_S = 900
FIRST_ROUND_S = 180.0  # with the start of the engines
END_S = 120.0


def harness(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the summary, and what was said on the way."""
    command = [sys.executable, "-m", "ecom_lite.harness", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.timeout(TIMEOUT_S + 20)
def test_six_rounds_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    report = tmp_path / "faults.md"
    code, summary, said = harness("--rounds", str(ROUNDS), "--seed", "20", "--report", str(report))
    assert code == 0 and summary["ok"] and summary["violations"] == 0, said
    assert summary["rounds"] == summary["strikes"] == ROUNDS and summary["missed"] == []
    struck = {name: row for name, row in summary["scenarios"].items() if row["strikes"]}
    assert len(struck) > ROUNDS / 2 and set(struck) <= set(NAMES), "the first rounds have a scenario each"
    assert all(row["records"] > 0 and f"| {name} |" in report.read_text("utf-8") for name, row in struck.items())


@pytest.mark.timeout(TIMEOUT_S + 20)
def test_a_loader_that_is_broken_on_purpose_is_caught_whichever_way_it_is_broken() -> None:
    code, summary, said = harness("--mutations", "--seed", "2")
    assert code == 0 and set(summary["caught"]) == set(MUTATIONS), said
    assert None not in summary["caught"].values(), said


@pytest.mark.timeout(TIMEOUT_S + 20)
def test_six_rounds_of_the_producer_send_the_stream_once_and_book_what_is_there() -> None:
    code, summary, said = harness("--producer", "--rounds", str(ROUNDS), "--seed", "4923")
    assert code == 0 and summary["ok"] and summary["violations"] == 0, said
    assert summary["rounds"] == summary["strikes"] == ROUNDS and summary["missed"] == []
    assert set(summary["scenarios"]) <= set(PRODUCER_NAMES) and len(summary["scenarios"]) == ROUNDS


@pytest.mark.timeout(TIMEOUT_S + 20)
def test_a_producer_that_is_broken_on_purpose_is_caught_whichever_way_it_is_broken() -> None:
    only = ("--only", "producer-sent", "--only", "late-request")  # what shows it soonest
    code, summary, said = harness("--producer", "--mutations", "--seed", "2", *only)
    assert code == 0 and set(summary["caught"]) == set(PRODUCER_MUTATIONS), said
    assert None not in summary["caught"].values(), said


def test_its_older_name_still_starts_it() -> None:
    said = [
        subprocess.run([sys.executable, "-m", name, "--list"], capture_output=True, text=True, check=True).stdout
        for name in ("ecom_lite.harness", "ecom_lite.faults")
    ]
    assert said[0] == said[1] and all(name in said[0] for name in NAMES)


@pytest.fixture
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tool talks, outside its temporary folder; opened once more to be read, so that both have a place of their own."""
    return tmp_path_factory.mktemp("talk") / "stderr"


def begun(temporary: Path, talk: Path) -> subprocess.Popen[bytes]:
    """Rounds without end, in a temporary folder of their own."""
    command = [sys.executable, "-m", "ecom_lite.harness", "--rounds", "50", "--only", "disk-full"]
    with talk.open("wb") as said:
        return subprocess.Popen(command, stderr=said, stdin=subprocess.DEVNULL, env={**os.environ, "TMPDIR": str(temporary)})


@pytest.mark.timeout(TIMEOUT_S + 20)
@pytest.mark.parametrize("impatient", [False, True])
def test_ctrl_c_ends_it_with_130_and_leaves_nothing(tmp_path: Path, talk: Path, impatient: bool) -> None:
    process = begun(tmp_path, talk)
    try:
        children: dict[int, psutil.Process] = {}

        def running() -> bool:
            assert process.poll() is None, talk.read_text()
            children.update((child.pid, child) for child in psutil.Process(process.pid).children(recursive=True))
            return "disk-full" in talk.read_text()

        wait_for(running, "the first round", FIRST_ROUND_S)
        clusters = [link.resolve().parent for link in tmp_path.glob("*/postgres/cluster")]
        process.send_signal(signal.SIGINT)
        while impatient and process.poll() is None:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
        assert process.wait(END_S) == 130
    finally:
        process.kill()
        process.wait()
    assert len(children) >= 3  # Kafka, PostgreSQL, a loader
    wait_until_gone(children.values())
    assert list(tmp_path.iterdir()) == [] and clusters and not [path for path in clusters if path.exists()]
    assert not [disk.mountpoint for disk in psutil.disk_partitions(all=True) if Path(disk.mountpoint).parent in clusters]
    assert "Traceback" not in talk.read_text()


@pytest.mark.timeout(TIMEOUT_S + 20)
def test_what_a_killed_one_has_left_goes_when_the_next_one_starts(tmp_path: Path, talk: Path) -> None:
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    process = begun(tmp_path, talk)
    try:
        wait_for(lambda: "disk-full" in talk.read_text(), "the first round", FIRST_ROUND_S)
    finally:
        process.kill()
        process.wait()
    clusters = [link.resolve().parent for link in tmp_path.glob("*/postgres/cluster")]
    assert clusters and all(path.exists() for path in clusters)
    again = [sys.executable, "-m", "ecom_lite.harness", "--rounds", "1", "--only", "kill-begun"]
    done = subprocess.run(again, capture_output=True, text=True, env=env, timeout=TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == [] and not [path for path in clusters if path.exists()]
    assert not [disk.mountpoint for disk in psutil.disk_partitions(all=True) if Path(disk.mountpoint).parent in clusters]
