"""Memory by part and disk by store, of real processes and files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ecom_lite.observe.disk import STORES, stores_bytes
from ecom_lite.observe.memory import OWN, resident_bytes

HOLD = "import sys; held = bytearray(50_000_000); print(flush=True); sys.stdin.read()"
# The part's own process has a child that holds the memory.
PART = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}])"


def test_memory_is_told_by_part_with_its_children_and_the_rest_is_the_run_s() -> None:
    child = subprocess.Popen([sys.executable, "-c", PART], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None and child.stdout.readline() == b"\n"
        found = resident_bytes({child.pid: "load"})
        assert set(found) == {OWN, "load"}
        assert 50_000_000 < found["load"] < 200_000_000 and found[OWN] > 1_000_000
        whole = resident_bytes({})
        assert set(whole) == {OWN} and whole[OWN] > 50_000_000
    finally:
        child.communicate()
    assert resident_bytes({child.pid: "load"}).keys() == {OWN}


def test_disk_is_told_by_store_with_holes_not_counted_and_what_cannot_be_read_left_out(tmp_path: Path) -> None:
    assert stores_bytes(tmp_path) == {}
    deep = tmp_path / "kafka" / "ecommerce_events-0"
    deep.mkdir(parents=True)
    (deep / "0.log").write_bytes(os.urandom(1_000_000))
    with (deep / "0.index").open("wb") as sparse:
        sparse.truncate(10_000_000)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "gone").symlink_to(tmp_path / "nowhere")
    found = stores_bytes(tmp_path)
    assert set(found) == {"kafka", "logs"} <= set(STORES)
    assert 1_000_000 <= found["kafka"] < 2_000_000 and found["logs"] < 100_000


def test_a_store_that_lives_elsewhere_is_counted_where_it_lives(tmp_path: Path) -> None:
    cluster = tmp_path / "elsewhere" / "cluster"
    (cluster / "base").mkdir(parents=True)
    (cluster / "base" / "1").write_bytes(os.urandom(500_000))
    data = tmp_path / "data"
    (data / "postgres").mkdir(parents=True)
    (data / "postgres" / "cluster").symlink_to(cluster)
    assert 500_000 <= stores_bytes(data)["postgres"] < 700_000
