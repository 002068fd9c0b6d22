"""A broker of three, a loader machine of two and PostgreSQL die once each on secured servers; the count closes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.database import why_not

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_the_count_closes_over_the_death_of_a_broker_a_loader_machine_and_the_database(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.cluster.story", str(tmp_path / "cluster")]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=800)
    print(told.stdout)
    assert told.returncode == 0 and told.stdout.count("KILL") == 3, told.stdout + told.stderr
