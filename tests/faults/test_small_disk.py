"""A disk that fills: the shop pauses, then the loaders wait; both go on by themselves, and the count closes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SIZE_MB = 400
# As an ordinary user, so that all of the run, PostgreSQL too, is on the small file system.
SMALL = f"""mount -t tmpfs -o size={SIZE_MB}m none "$0" && exec unshare --user --map-user=1000 "$@" """


@pytest.mark.timeout(600)
def test_a_disk_that_fills_pauses_the_shop_and_then_the_loaders_and_both_go_on(tmp_path: Path) -> None:
    wrap = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SMALL, str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run([*wrap, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine allows no user and mount namespaces: no small file system can be had")
    command = [*wrap, sys.executable, "-m", "tests.faults.small_disk", str(tmp_path)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=580)
    print(told.stdout)
    assert told.returncode == 0, told.stdout + told.stderr
