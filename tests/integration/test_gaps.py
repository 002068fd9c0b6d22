"""What retention removed before it was loaded is told wherever somebody looks: status, the live view, check."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, TopicPartition
from rich.console import Console

from ecom_lite.check.reconcile import reconcile
from ecom_lite.errors import CheckFailed
from ecom_lite.observe.gaps import read_gaps, tell
from ecom_lite.run.life import Options, Run
from ecom_lite.settings.load import load_settings
from ecom_lite.terminal.view import print_status, status_view
from ecom_lite.topic.client import end_offsets
from ecom_lite.warehouse.connect import Address

from .loading import Bench, line


@pytest.fixture
def bench(kafka_bootstrap: str, topic: str, warehouse: Address) -> Bench:
    return Bench(kafka_bootstrap, topic, warehouse)


def lose(bench: Bench, partition: int, first: int, end: int) -> None:
    """Load up to offset `first`, send up to `end`, and have the broker remove those before they are loaded."""
    bench.send([line(f"{partition}-{n}") for n in range(first)], partition=partition)
    bench.load()
    bench.send([line(f"{partition}-{n}") for n in range(first, end)], partition=partition)
    admin = KafkaAdminClient(**bench.client)
    admin.delete_records({TopicPartition(bench.topic, partition): end})
    admin.close()
    bench.load()


def test_gaps_are_told_by_status_the_live_view_and_check(
    bench: Bench, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(load_settings(env={}, flags={"run.data_dir": data_dir}), Options(quiet=True))
    run._meter.measure(bench.warehouse)
    assert run.status()["gaps"] == []
    lose(bench, 0, 10, 25)
    lose(bench, 2, 3, 4)
    run._meter.measure(bench.warehouse)
    status = run.status()
    run._meter.close()
    assert status["lost"] == 16
    gaps = [(gap["topic"], gap["partition"], gap["first"], gap["last"], gap["count"]) for gap in status["gaps"]]
    assert gaps == [(bench.topic, 0, 10, 24, 15), (bench.topic, 2, 3, 3, 1)]

    print_status(status)
    said = capsys.readouterr().out
    assert "16 LOST" in said and f"offsets 10 .. 24 of {bench.topic}[0], 20" in said and "offsets 3 .. 3" in said

    ends = partial(end_offsets, bench.client, bench.topic)
    report = reconcile(bench.warehouse, bench.topic, ends, producing=False, catch_up_s=0)
    (found,) = (entry for entry in report.lines if entry.name == "offsets lost to retention")
    assert (found.left, found.closes) == (16, False)
    assert f"offsets 10 .. 24 of {bench.topic}[0], offsets 3 .. 3 of {bench.topic}[2] were removed by retention" in found.note
    with pytest.raises(CheckFailed, match="they are gone"):
        report.raise_if_open()


def test_a_live_run_says_each_gap_once(bench: Bench, data_dir: Path) -> None:
    file = io.StringIO()
    data_dir.mkdir()
    run = Run(load_settings(env={}, flags={"run.data_dir": data_dir}), Options())
    run.terminal.console = Console(file=file, width=200, color_system=None)
    lose(bench, 1, 2, 5)
    run._app = type("App", (), {"address": bench.warehouse})()
    for _ in range(3):
        run._measure()
    lose(bench, 3, 1, 3)
    run._measure()
    run._meter.close()
    said = file.getvalue()
    assert said.count("were removed by retention before they were loaded: they are gone") == 2
    assert said.count(f"offsets 2 .. 4 of {bench.topic}[1]") == said.count(f"offsets 1 .. 2 of {bench.topic}[3]") == 1


def test_many_gaps_are_counted_where_they_cannot_be_named(warehouse: Address) -> None:
    detail = "'a[topic].x[3]: offsets ' || n || ' .. ' || n || ' were removed before they were loaded'"
    with warehouse.connect("admin") as admin:
        insert = "INSERT INTO ops.service_events (service, event, detail)"
        admin.execute(f"{insert} SELECT 'load', 'lost', {detail} FROM generate_series(1, 7) AS n".encode())
        admin.execute(f"{insert} VALUES ('load', 'lost', 'in other words')".encode())
        gaps = read_gaps(admin)
    assert [(gap.topic, gap.partition, gap.first, gap.last) for gap in gaps] == [("a[topic].x", 3, n, n) for n in range(1, 8)]
    assert "offsets 5 .. 5 of a[topic].x[3] and 2 more ranges were removed" in tell(gaps)
    console = Console(file=io.StringIO(), width=100)
    console.print(status_view({"state": "running", "lost": 7, "gaps": [gap.as_json() for gap in gaps]}))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "offsets 7 .. 7" in text and "offsets 4 .. 4" not in text and "and 4 older gaps" in text
