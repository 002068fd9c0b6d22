"""What retention removed before it was loaded is told wherever somebody looks: status, the live view, check."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from kafka import KafkaAdminClient, TopicPartition
from rich.console import Console

from ecom_lite.check.reconcile import reconcile
from ecom_lite.engines.registry import ChildRegistry
from ecom_lite.errors import CheckFailed
from ecom_lite.observe.gaps import read_gaps, tell
from ecom_lite.observe.meter import Meter
from ecom_lite.observe.status import Gap, RunStatus
from ecom_lite.run.execute import Options
from ecom_lite.run.life import Run
from ecom_lite.settings.load import load_settings
from ecom_lite.supervise.supervisor import Supervisor
from ecom_lite.terminal.terminal import Terminal
from ecom_lite.terminal.view import print_status, status_view
from ecom_lite.topic.client import ends_of
from ecom_lite.warehouse.connect import Address

from .loading import Bench, line


def lose(bench: Bench, partition: int, first: int, end: int) -> None:
    """Load up to offset `first`, send up to `end`, and have the broker remove those before they are loaded."""
    bench.send([line(f"{partition}-{n}") for n in range(first)], partition=partition)
    bench.load()
    bench.send([line(f"{partition}-{n}") for n in range(first, end)], partition=partition)
    admin = KafkaAdminClient(**bench.client)
    admin.delete_records({TopicPartition(bench.topic, partition): end})
    admin.close()
    bench.load()


def a_run(bench: Bench, data_dir: Path, terminal: Terminal, meter: Meter) -> Run:
    """One that has nothing to start, on the warehouse of the test."""
    settings = load_settings(env={}, flags={"run.data_dir": data_dir, "run.light": True})
    supervisor = Supervisor(restarts=0, restart_window_s=1, ready_timeout_s=1, listener=lambda *_: None)
    servers: Any = SimpleNamespace(
        supervisor=supervisor, registry=ChildRegistry(data_dir / "children.json"), reach=SimpleNamespace(address=bench.warehouse),
        kafka=None, postgres=None, spark=None,
    )  # fmt: skip
    return Run(settings, Options(quiet=True), servers, terminal, meter)


def test_gaps_are_told_by_status_the_live_view_and_check(
    bench: Bench, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    meter = Meter(data_dir)
    run = a_run(bench, data_dir, Terminal(quiet=True), meter)
    meter.measure(bench.warehouse, {})
    assert run.status().gaps == []
    lose(bench, 0, 10, 25)
    lose(bench, 2, 3, 4)
    meter.measure(bench.warehouse, {})
    status = run.status()
    meter.close()
    assert status.lost == 16
    gaps = [(gap.topic, gap.partition, gap.first, gap.last, gap.count) for gap in status.gaps]
    assert gaps == [(bench.topic, 0, 10, 24, 15), (bench.topic, 2, 3, 3, 1)]

    print_status(status, {})
    said = capsys.readouterr().out
    assert "16 LOST" in said and f"offsets 10 .. 24 of {bench.topic}[0], 20" in said and "offsets 3 .. 3" in said

    ends = partial(ends_of, bench.client, [bench.topic])
    report = reconcile(bench.warehouse, [bench.topic], ends, producing=False, catch_up_s=0)
    (found,) = (entry for entry in report.lines if entry.name == "offsets lost to retention")
    assert (found.left, found.closes) == (16, False)
    assert f"offsets 10 .. 24 of {bench.topic}[0], offsets 3 .. 3 of {bench.topic}[2] were removed by retention" in found.note
    with pytest.raises(CheckFailed, match="they are gone"):
        report.raise_if_open()


def test_a_live_run_says_each_gap_once(bench: Bench, data_dir: Path) -> None:
    file = io.StringIO()
    data_dir.mkdir()
    meter = Meter(data_dir)
    run = a_run(bench, data_dir, Terminal(console=Console(file=file, width=200, color_system=None)), meter)
    lose(bench, 1, 2, 5)
    for _ in range(3):
        run.measure()
    lose(bench, 3, 1, 3)
    run.measure()
    meter.close()
    said = file.getvalue()
    assert said.count("were removed by retention before they were loaded: they are gone") == 2
    assert said.count(f"offsets 2 .. 4 of {bench.topic}[1]") == said.count(f"offsets 1 .. 2 of {bench.topic}[3]") == 1


def test_many_gaps_are_counted_where_they_cannot_be_named(warehouse: Address) -> None:
    with warehouse.connect("admin") as admin:
        admin.execute("INSERT INTO ops.gaps SELECT 'topic.x', 3, n, n FROM generate_series(1, 7) AS n")
        gaps = read_gaps(admin)
    assert [(gap.topic, gap.partition, gap.first, gap.last) for gap in gaps] == [("topic.x", 3, n, n) for n in range(1, 8)]
    assert "offsets 5 .. 5 of topic.x[3] and 2 more ranges were removed" in tell(gaps)
    shown = [msgspec.convert(gap.as_json(), Gap) for gap in gaps]
    console = Console(file=io.StringIO(), width=100)
    console.print(status_view(RunStatus(state="running", lost=7, gaps=shown)))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "offsets 7 .. 7" in text and "offsets 4 .. 4" not in text and "and 4 older gaps" in text
