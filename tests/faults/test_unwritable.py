"""What a part needs for its start cannot be written: told at once, as that part's failure, with the file and the way out."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs import LightRun

pytestmark = pytest.mark.timeout(600)  # whole runs
SOON_S = 110.0  # less than run.ready_timeout_s
FULL = """mount -t tmpfs -o size=1m none "$0" && ! cat /dev/zero > "$0/filler" && exec unshare --user --map-user=1000 "$@" """


def refused(run: LightRun, *words: str) -> None:
    """The run ended by itself with one error, no traceback, and these words."""
    try:
        assert run.wait(SOON_S) == 1
        said = run.stderr
        assert "Traceback" not in said and "not ready after" not in said, said
        last = said[said.rindex("ecom_lite: ") :]
        assert all(word in last for word in words), said
    finally:
        run.close()


def test_a_worker_whose_log_cannot_be_written_is_named(data_dir: Path) -> None:
    log = data_dir / "logs" / "load.log"
    log.mkdir(parents=True)
    refused(LightRun(data_dir), f"load did not start: {log}: Is a directory", "move it out of the way")


def test_a_server_whose_log_takes_no_byte_is_named(data_dir: Path) -> None:
    log = data_dir / "logs" / "postgres.log"
    log.parent.mkdir(parents=True)
    log.symlink_to("/dev/full")
    refused(LightRun(data_dir), f"postgres did not start: {log}: No space left on device", "make room there")


def test_a_list_of_children_that_cannot_be_written_is_named(data_dir: Path) -> None:
    children = data_dir / "children.json"
    children.mkdir(parents=True)
    run = LightRun(data_dir)
    run.note_processes()
    try:
        refused(run, f"{children}: Is a directory", "move it out of the way")
    finally:
        children.rmdir()


@pytest.fixture
def full_disk(data_dir: Path) -> Iterator[list[str]]:
    """A command that runs its arguments with a data folder on a full file system of its own."""
    data_dir.mkdir()
    wrap = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", FULL, str(data_dir)]
    if shutil.which("unshare") is None or subprocess.run([*wrap, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine allows no user and mount namespaces")
    yield wrap


def test_a_full_disk_is_named_as_the_cause(data_dir: Path, full_disk: list[str]) -> None:
    refused(LightRun(data_dir, wrap=full_disk), f"{data_dir}/run.lock: No space left on device: make room there")
