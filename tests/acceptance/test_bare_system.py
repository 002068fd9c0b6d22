"""A light run without what only some systems have: no parent-death signal, no `nobody`, no priority of a thread."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ecom_lite.system import BARE
from tests.runs import LightRun, wait_for, wait_until_gone


@pytest.mark.timeout(500)
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every other test is this one")
def test_a_run_loads_leaves_no_child_when_it_is_killed_and_carries_on(tmp_path: Path) -> None:
    killed = LightRun(tmp_path / "data", "--rate", "200", "--seed", "7", env={BARE: "1"})
    try:
        killed.wait_ready()
        wait_for(lambda: killed.state["facts"], "facts are loaded")
        assert {"kafka", "postgres"} <= set(killed.note_processes())
        killed.process.kill()
        wait_until_gone(killed.known.values())
        killed.process.wait()
        again = LightRun(tmp_path / "data", "--events", "300", "--rate", "max", "--seed", "7", env={BARE: "1"})
        try:
            assert again.wait(180) == 0, again.stderr
        finally:
            again.close()
    finally:
        killed.close()
