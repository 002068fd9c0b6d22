"""Temporary folders of tools: gone at the end, cleared by the next tool after a kill, and nobody else's are touched."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from ecom_lite.engines.scratch import Scratch, clear_dead
from tests.runs import wait_for

# A tool that makes a folder, starts a child that would outlive it, fills a small disk where it may, and waits.
TOOL = """
import subprocess, sys
from ecom_lite.engines.scratch import Scratch
scratch = Scratch("tool")
nothing = dict.fromkeys(("stdin", "stdout"), subprocess.DEVNULL)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True, **nothing)
scratch.registry.add(child.pid, "sleeper")
disk = scratch.path / "disk"
disk.mkdir()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True)
(disk / "file").write_text("x")
print(child.pid, scratch.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of the system, for this process and its children."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def start_tool() -> tuple[subprocess.Popen[str], int, Path]:
    process = subprocess.Popen([sys.executable, "-c", TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid, folder = process.stdout.readline().split(" ", 1)
    return process, int(pid), Path(folder.strip())


def mounts_below(folder: Path) -> list[str]:
    return [disk.mountpoint for disk in psutil.disk_partitions(all=True) if folder in Path(disk.mountpoint).parents]


def test_a_living_tools_folder_stays_and_a_killed_ones_goes_with_children_and_mounts(system: Path) -> None:
    process, child, folder = start_tool()
    try:
        assert clear_dead() == [] and (folder / "disk" / "file").exists() and psutil.pid_exists(child)
    finally:
        process.kill()
        process.communicate()
    assert psutil.pid_exists(child) and folder.exists()
    if os.geteuid() == 0 and not mounts_below(folder):
        print("this machine allows no mounting: shown without")
    with_next = Scratch("next")
    try:
        assert list(system.iterdir()) == [with_next.path]
        assert not mounts_below(system)
        wait_for(lambda: not psutil.pid_exists(child), "the child to be gone")
    finally:
        with_next.remove()
    with_next.remove()
    assert list(system.iterdir()) == []


def test_what_has_no_lock_of_ours_stays(system: Path) -> None:
    (system / "ecom_lite_tests_mine").mkdir()
    target = system / "elsewhere"
    target.mkdir()
    (target / "owner.lock").touch()
    (system / "ecom_lite_link").symlink_to(target)
    assert clear_dead() == []
    assert target.exists() and (system / "ecom_lite_tests_mine").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes folders of others")
def test_another_users_folder_stays(system: Path) -> None:
    theirs = system / "ecom_lite_theirs"
    theirs.mkdir()
    (theirs / "owner.lock").touch()
    os.chown(theirs, 65534, 65534)
    assert clear_dead() == [] and theirs.exists()
    os.chown(theirs, 0, 0)
    assert clear_dead() == [theirs] and not theirs.exists()
