"""`ecom_lite generate` as a user types it: the same bytes everywhere, pipes that end early, memory that stays flat."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs import DEADLINE_S, VERB_S, wait_for

GENERATE = [sys.executable, "-m", "ecom_lite", "generate", "--seed", "7", "--start", "2026-01-01T00:00Z"]
PEAK = """
import re, sys
from pathlib import Path
from ecom_lite.cli import main
try:
    main()
finally:  # not ru_maxrss: that begins with what the parent had
    print("peak", re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""


def generated(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*GENERATE, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        check=True,
        timeout=VERB_S,
    )


def test_two_processes_with_other_hash_seeds_make_the_same_bytes(tmp_path: Path) -> None:
    made = [
        generated("--events", "100000", folder=tmp_path, PYTHONHASHSEED=hash_seed, TZ=zone)
        for hash_seed, zone in (("0", "UTC"), ("4242", "Asia/Kathmandu"))
    ]
    assert len({hashlib.sha256(done.stdout).hexdigest() for done in made}) == 1
    assert made[0].stdout.count(b"\n") == 100_000
    said = made[0].stderr.decode()
    assert re.fullmatch(r"100,000 events of [\d,]+ orders, 2026-01-01T\S+ \.\. 2026-01-\S+, in [\d.]+ s \([\d,]+/s\)\n", said)


def test_a_reader_that_has_seen_enough_ends_it_silently(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*GENERATE, "--events", "100000000"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            assert process.stdout.readline().startswith(b"{")
            process.stdout.close()
            assert process.wait(DEADLINE_S) == 0
            assert process.stderr.read() == b""
        finally:
            process.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_leaves_no_file(number: signal.Signals, code: int, tmp_path: Path) -> None:
    command = [*GENERATE, "--events", "100000000", "--output", "big.parquet"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        try:
            wait_for(lambda: any(path.stat().st_size > 1_000_000 for path in tmp_path.glob(".*/events.jsonl")), "a megabyte")
            process.send_signal(number)
            assert process.wait(DEADLINE_S) == code
            assert process.stderr is not None and b"Traceback" not in process.stderr.read()
        finally:
            process.kill()  # else it would fill the disk
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
@pytest.mark.parametrize(("form", "limit_mb"), [("jsonl", 8), ("parquet", 250)])
def test_memory_does_not_grow_with_the_number_of_events(form: str, limit_mb: int, tmp_path: Path) -> None:
    def peak_mb(events: int) -> float:
        arguments = ["--events", str(events), "--format", form, "--output", "events"]
        command = [sys.executable, "-c", PEAK, *GENERATE[3:], *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=VERB_S)
        return int(done.stderr.split()[-1]) / 1024  # KiB

    small = peak_mb(20_000)
    assert peak_mb(400_000) - small < limit_mb
