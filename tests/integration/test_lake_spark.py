"""Spark reads the lake by the lines of docs/lake.md: an export, and the files of the newest snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecom_lite.engines.jars import JarCache
from ecom_lite.engines.spark import SparkGateway
from ecom_lite.settings.load import load_settings
from ecom_lite.stream.session import close_session, open_session
from ecom_lite.warehouse.connect import Address
from tests.runs import START_S

from .facts import rows
from .lake_page import LINES, a_lake, prepare, run_lines


@pytest.fixture
def spark(tmp_path: Path, java: Path, jar_cache: JarCache) -> Iterator[None]:
    """A session of ours, which the page's getOrCreate then gets."""
    jars, archive_dir = jar_cache.classpath("spark"), jar_cache.root.parent / "cds"
    gateway = SparkGateway(tmp_path / "work", tmp_path / "logs", java=java, jars=jars, memory_mb=512, archive_dir=archive_dir)
    gateway.start(START_S)
    try:
        open_session(load_settings(env={}, flags={"run.data_dir": str(tmp_path)}), gateway, tmp_path)
        yield
    finally:
        close_session()
        gateway.stop()


def test_spark_reads_what_the_lake_holds(
    warehouse: Address, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spark: None,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    with a_lake(warehouse, data_dir):
        prepare(warehouse, tmp_path / "work", monkeypatch)  # where the JVM is at home
        made = run_lines("From elsewhere", "Spark")
    said = capsys.readouterr().out
    assert "sum(revenue)" in said and "Garden" in said
    assert made["newest"].count() == made["exported"].count() == LINES and len(made["names"]) > 1
    expected = rows(
        warehouse,
        "SELECT category, sum(revenue), count(*), (extract(epoch FROM min(timestamp)) * 1000000)::bigint, "
        "sum(extract(hour FROM timestamp AT TIME ZONE 'UTC'))::int FROM warehouse.order_lines GROUP BY 1 ORDER BY 1",
    )
    for frame in (made["newest"], made["exported"]):
        frame.createOrReplaceTempView("lines")
        found = made["spark"].sql(
            "SELECT category, sum(revenue), count(*), unix_micros(min(ordered_at)), sum(hour) FROM lines GROUP BY 1 ORDER BY 1"
        )
        assert [tuple(row) for row in found.collect()] == expected
