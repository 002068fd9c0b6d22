"""`ecom_lite bench load`, for real and small: all figures come, the count is checked, nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from ecom_lite.bench.backlog import Sent
from ecom_lite.bench.printed import PRODUCER
from ecom_lite.bench.process import check
from ecom_lite.engines.scratch import clear_dead
from ecom_lite.errors import CheckFailed
from ecom_lite.warehouse.connect import Address
from tests.runs import COMMAND, GONE_S, START_S, wait_for, wait_until_gone

EVENTS = 20_000  # they take the loader longer than a busy machine takes to read its clocks
BENCH_S = 300.0  # a whole benchmark, beside other tests
pytestmark = pytest.mark.timeout(400)
RATES = {"copy_raw", "consume", "decode", "write", "loader", "loader_with_start", "loader_two", "naive"}
COSTS = {
    "loader_cpu_us",
    "postgres_cpu_us",
    "cores_busy",
    "loader_cores",
    "rss_start_mb",
    "rss_mb",
    "p50_ms",
    "p95_ms",
    "p99_ms",
    "max_ms",
}
RATIOS = {"loader_to_slowest_stage", "loader_to_copy_raw", "loader_to_naive"}


class Benchmark:
    """The command as a child, in a temporary folder of its own; it remembers processes and folders that it saw."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.temporary, self.work = folder / "tmp", folder / "work"
        self.temporary.mkdir()
        self.work.mkdir()
        self._processes: dict[int, psutil.Process] = {}
        self._clusters: set[Path] = set()
        self._err = folder / "stderr"
        with (folder / "stdout").open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [*COMMAND, "bench", *options], stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=self.work,
                env={**os.environ, "TMPDIR": str(self.temporary)}, start_new_session=True,
            )  # fmt: skip
        self._out = folder / "stdout"

    @property
    def stdout(self) -> str:
        return self._out.read_text()

    @property
    def stderr(self) -> str:
        return self._err.read_text()

    def look(self) -> None:
        try:
            children = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.Error:
            children = []
        self._processes |= {child.pid: child for child in children}
        self._clusters |= {link.resolve() for link in self.temporary.glob("*/postgres/cluster")}

    def ended(self) -> bool:
        self.look()
        return self.process.poll() is not None

    def assert_nothing_left(self) -> None:
        assert len(self._processes) > 3 and self._clusters, "nothing was noted: the test itself is wrong"
        wait_until_gone(self._processes.values(), GONE_S)
        assert [path for path in self._clusters if path.exists()] == []
        assert list(self.temporary.iterdir()) == [] and list(self.work.iterdir()) == []


@contextmanager
def benchmark(folder: Path, *options: str) -> Iterator[Benchmark]:
    run = Benchmark(folder, *options)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()


def test_all_figures_come_from_one_run_and_nothing_is_left(tmp_path: Path) -> None:
    with benchmark(tmp_path, "load", "--events", str(EVENTS), "--latency-s", "1", "--seed", "11", "--json") as run:
        wait_for(run.ended, "the benchmark ends", BENCH_S)
    assert run.process.returncode == 0, run.stderr
    figures = json.loads(run.stdout)
    assert {name for name in RATES | COSTS if not figures[name] > 0} == set()
    assert set(figures["ratios"]) == RATIOS and all(ratio > 0 for ratio in figures["ratios"].values())
    assert figures["p50_ms"] <= figures["p95_ms"] <= figures["p99_ms"] <= figures["max_ms"]
    assert (figures["events"], figures["seed"], figures["latency_s"]) == (EVENTS, 11, 1)
    assert figures["machine"]["cores"] >= 1 and figures["versions"]["kafka"] and figures["versions"]["postgresql"]
    assert f"bench load --events {EVENTS}" in figures["command"]
    run.assert_nothing_left()


def test_the_producers_figures_come_and_its_ledger_is_what_the_topic_holds(tmp_path: Path) -> None:
    with benchmark(tmp_path, "produce", "--events", "20000", "--seed", "11", "--json") as run:
        wait_for(run.ended, "the benchmark ends", BENCH_S)
    assert run.process.returncode == 0, run.stderr
    figures = json.loads(run.stdout)
    every = {**figures, **figures["ratios"]}
    may_be_none = {"cores_others", "rss_growth_mb", "postgres_cpu_us", "kafka_cpu_us", "bench_cpu_us", "produce_send_us"}
    assert set(PRODUCER) - set(every) == set() and {name for name in set(PRODUCER) - may_be_none if not every[name] > 0} == set()
    assert (figures["events"], figures["seed"], figures["naive_events"], figures["shop"]["rate"]) == (20_000, 11, 2_000, "max")
    assert set(figures["ratios"]) == {"produce_to_slowest_stage", "end_to_end_to_slowest", "produce_to_naive"}
    run.assert_nothing_left()


def test_what_a_mapping_costs_is_measured_alone_and_its_counts_are_checked(tmp_path: Path) -> None:
    with benchmark(tmp_path, "load", "--events", str(EVENTS), "--mapping", "none,rename,lines", "--json") as run:
        wait_for(run.ended, "the benchmark ends", BENCH_S)
    assert run.process.returncode == 0, run.stderr
    figures = json.loads(run.stdout)
    assert {name for name in ("none", "rename", "lines") if not figures[f"mapping_{name}"] > 0} == set()
    assert set(figures["ratios"]) == {"mapping_rename_to_none", "mapping_lines_to_none"} and "loader" not in figures
    run.assert_nothing_left()


@pytest.mark.long
def test_each_kind_of_start_is_measured_part_by_part(tmp_path: Path) -> None:
    with benchmark(tmp_path, "start", "--light", "--runs", "1", "--json") as run:
        wait_for(run.ended, "the benchmark ends", BENCH_S)
        figures = json.loads(run.stdout)
        assert set(figures["light"]) == {"cold", "warm", "again"} and "spark" not in figures
        for kind in figures["light"].values():
            assert kind["ready_s"] > kind["parts_s"]["kafka"] > 0 and {"postgres", "load", "produce"} <= set(kind["parts_s"])
        run.assert_nothing_left()


def test_marts_and_board_are_measured_and_are_what_the_facts_say(tmp_path: Path) -> None:
    with benchmark(tmp_path, "marts", "--facts", "10000,20000", "--new", "200", "--rate", "300", "--json") as run:
        wait_for(run.ended, "the benchmark ends", BENCH_S)
    assert run.process.returncode == 0, run.stderr
    small, large = json.loads(run.stdout)["sizes"]
    assert (small["facts"], large["facts"]) == (10_000, 20_000) and small["models"] > 10 and small["tests"] > 50
    for at in (small, large):
        assert min(at[name] for name in ("refresh_s", "full_refresh_s", "board_ms", "events_per_s")) > 0
        assert at["board_worst_ms"] >= at["board_ms"] and len(at["panels_ms"]) > 8
    run.assert_nothing_left()


@pytest.mark.long
def test_boards_and_those_who_look_at_them_are_measured(tmp_path: Path) -> None:
    options = ("--facts", "10000", "--events", "5000", "--latency-s", "2", "--rate", "200", "--viewers", "4", "--json")
    with benchmark(tmp_path, "dashboards", *options) as run:
        wait_for(run.ended, "the benchmark ends", BENCH_S)
    assert run.process.returncode == 0, run.stderr
    (at,) = json.loads(run.stdout)["sizes"]
    assert at["facts"] == 10_000 and set(at["board_ms"]) >= {"realtime-operations", "business-intelligence"}
    assert min(at["board_ms"].values()) > 0 and at["slowest_panel_ms"] > 0 and at["page_kb"] > 10
    assert at["first_paint_why"] or min(at["first_paint_ms"].values()) > 0
    assert at["viewers"]["viewers"] == 4 and at["viewers"]["seen"] > 0 and min(at["ratios"].values()) > 0
    run.assert_nothing_left()


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    with benchmark(tmp_path, "load", "--events", "1000000") as run:

        def at_work() -> bool:
            assert not run.ended(), run.stderr
            return "making a backlog" in run.stderr

        wait_for(at_work, "the engines are up", START_S)
        run.process.send_signal(signal.SIGINT)
        wait_for(run.ended, "it ends", START_S)
    assert run.process.returncode == 130 and run.stdout == "" and "Traceback" not in run.stderr
    run.assert_nothing_left()


def test_what_a_killed_one_has_left_goes_when_a_tool_starts_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with benchmark(tmp_path, "load", "--events", "1000000") as run:

        def at_work() -> bool:
            assert not run.ended(), run.stderr
            return "making a backlog" in run.stderr

        wait_for(at_work, "the engines are up", START_S)
        run.process.kill()
        wait_for(run.ended, "it ends")
    (folder,) = run.temporary.iterdir()
    monkeypatch.setattr(tempfile, "tempdir", str(run.temporary))
    wait_for(lambda: folder in clear_dead(), "it is cleared; of other tests there may be more, in memory")
    run.assert_nothing_left()


def test_the_streams_figures_come_and_its_minutes_hold_the_facts(tmp_path: Path) -> None:
    with benchmark(tmp_path, "stream", "--rates", "200,400", "--seconds", "8", "--backlog", "55000", "--json") as run:
        wait_for(run.ended, "it ends", BENCH_S)
    assert run.process.returncode == 0, run.stderr
    figures = json.loads(run.stdout)
    assert [at["rate"] for at in figures["rates"]] == [200, 400] and figures["catch_up"] > 0 and figures["restart_s"] > 0
    for at in figures["rates"]:
        assert 0 < at["p50_ms"] <= at["p95_ms"] <= at["p99_ms"] and at["jvm_cores"] > 0
        assert {"addBatch", "queryPlanning", "triggerExecution"} <= at["phases_ms"].keys()
    assert {"p95_most_to_least", "jvm_us_to_loader_us"} == figures["ratios"].keys()
    run.assert_nothing_left()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (Sent(10, 9, 12_345, 1.0), "facts in the table: 0, not 9"),
        (Sent(10, 0, 0, 1.0), "other events: 0, not 10"),
    ],
)
def test_a_count_that_does_not_close_fails_the_benchmark(warehouse: Address, sent: Sent, words: str) -> None:
    check(warehouse, "topic", Sent(0, 0, 0, 1.0))
    with pytest.raises(CheckFailed, match=words):
        check(warehouse, "topic", sent)
