"""Kill anything, at any point: nothing is lost, nothing is counted twice."""

from __future__ import annotations

import json
import logging
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from kafka import KafkaAdminClient, TopicPartition

from ecom_lite.engines.postgres import PostgresServer
from ecom_lite.errors import LoadError
from ecom_lite.load import loader, source
from ecom_lite.load.topics import Topics
from ecom_lite.load.write import StaleOwner, Writer
from ecom_lite.observe.figures import LoaderFigures
from ecom_lite.run.jobs import load_job
from ecom_lite.run.reach import Reach
from ecom_lite.topic.client import client_config, ensure_topics
from ecom_lite.warehouse.connect import Address
from tests.running import Running
from tests.runs import START_S, wait_for

from .loading import LOAD_S, Bench, line, rest_in_each_batch, without_rest

pytestmark = pytest.mark.timeout(600)  # a PostgreSQL of its own is started three times, loads are held up


def mixed(count: int, seed: int = 1) -> tuple[list[Any], dict[str, int]]:
    """Lines (some of them twice), other events and nonsense, and what must become of them."""
    draw = random.Random(seed)
    values: list[Any] = []
    for i in range(count):
        kind = draw.random()
        if kind < 0.9:
            values.append(line(i // 2, i % 7 + 1 + 10 * (i % 2), user_id=i % 50 + 1))
        elif kind < 0.95:
            values.append({"event_type": "user_updated", "user_id": i, "name": "N", "timestamp": "2026-01-01"})
        else:
            values.append(b"nonsense %d" % i)
    values += draw.sample([value for value in values if isinstance(value, dict)], count // 20)
    dead = sum(isinstance(value, bytes) for value in values)
    distinct = {json.dumps(value) for value in values if isinstance(value, dict)}
    other = sum("event_type" in value for value in distinct)
    facts = len(distinct) - other
    return values, {"facts": facts, "other": other, "dead": dead, "duplicates": len(values) - facts - other - dead}


@pytest.fixture
def time_to_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever ends tells the group, also on a busy machine: the product gives that two seconds, else its session ends it."""
    monkeypatch.setattr(source, "CLOSE_MS", 30_000)


def spread(bench: Bench, values: list[Any]) -> None:
    for partition in range(4):
        bench.send(values[partition::4], partition=partition)


def assert_rows_are_as_counted(bench: Bench, counts: dict[str, int]) -> None:
    assert bench.counts() == counts
    assert bench.ask(
        "SELECT (SELECT count(*) FROM warehouse.fact_sales), (SELECT count(*) FROM warehouse.user_changes),"
        " (SELECT count(*) FROM ops.dead_letters), (SELECT sum(records) FROM ops.load_batches)"
    ) == [(counts["facts"], counts["other"], counts["dead"], sum(counts.values()))]


@contextmanager
def worker(bench: Bench, batch_rows: int) -> Iterator[subprocess.Popen[str]]:
    job = load_job(bench.settings(batch_rows), Reach(bench.warehouse, bench.bootstrap, bench.settings().kafka), "one", 20)
    process = subprocess.Popen(
        [sys.executable, "-m", "ecom_lite.run.worker", "load"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(job).decode() + "\n")
        process.stdin.flush()
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_loader_killed_again_and_again_loads_everything_once(bench: Bench) -> None:
    values, counts = mixed(6000)
    spread(bench, values)
    rest_in_each_batch(bench)
    for enough in (0, 1000, 2000):
        with worker(bench, batch_rows=20) as process:
            wait_for(partial(has_progressed, bench, enough), "progress")
            assert process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert sum(bench.positions().values()) < len(values), "it was killed too late to prove anything"
    without_rest(bench)
    bench.load()
    assert_rows_are_as_counted(bench, counts)


def test_connections_killed_at_random_lose_and_repeat_nothing(bench: Bench) -> None:
    values, counts = mixed(6000, seed=2)
    spread(bench, values)
    rest_in_each_batch(bench)
    draw, killed = random.Random(3), [0]

    def killer(ended: threading.Event) -> None:
        with bench.warehouse.connect("admin", autocommit=True) as admin:
            while not ended.wait(draw.uniform(0.0, 0.05)):
                killed[0] += admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = 'ecom_loader' AND datname = current_database()"
                ).rowcount

    with bench.loading(bench.loader(batch_rows=200)) as running:
        wait_for(bench.counts, "the first batch")
        with Running(killer) as killing:
            at_end = partial(has_progressed, bench, len(values) - 1)
            wait_for(lambda: killed[0] >= 20 or (killed[0] and at_end()), "twenty kills, or the end", LOAD_S)
        assert killing.failure is None and killed[0] > 0
        bench.until_loaded(running)
    assert_rows_are_as_counted(bench, counts)


def has_progressed(bench: Bench, enough: int) -> bool:
    return sum(bench.positions().values()) > enough


class CuttingProxy:
    """A TCP proxy before PostgreSQL that, once armed, swallows the reply to a batch's COMMIT and cuts the connection."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.armed = threading.Event()
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                server = socket.create_connection(self._target)
                doomed = threading.Event()
                threading.Thread(target=self._pump, args=(client, server, doomed, True), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, doomed, False), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, doomed: threading.Event, asks: bool) -> None:
        loads = False  # a batch, and not what opens a session or prunes
        with suppress(OSError):
            while data := source.recv(65_536):
                loads = loads or b"INSERT INTO ops.load_batches" in data
                if asks and self.armed.is_set() and loads and b"COMMIT" in data:
                    self.armed.clear()
                    self.cuts += 1
                    doomed.set()
                elif not asks and doomed.is_set():
                    break  # the server has committed, and nobody hears of it
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._server.close()


def test_a_lost_reply_to_commit_is_settled_and_counted_once(
    bench: Bench, postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ecom_lite.load")
    proxy = CuttingProxy((postgres_server.host, postgres_server.port))
    real, bench.warehouse = bench.warehouse, replace(bench.warehouse, host="127.0.0.1", port=proxy.port)
    reports: list[LoaderFigures] = []
    with bench.loading(bench.loader(report=reports.append)) as running:
        bench.warehouse = real
        values, counts = mixed(400)
        wait_for(lambda: len(bench.positions()) == 4, "the claims")
        proxy.armed.set()
        spread(bench, values)
        bench.until_loaded(running)
        wait_for(lambda: reports[-1].records == len(values), "the report")
    proxy.close()
    assert proxy.cuts == 1 and running.failure is None
    assert "a lost COMMIT reply was settled" in caplog.text
    assert {name: getattr(reports[-1], name) for name in counts} == counts
    assert_rows_are_as_counted(bench, counts)
    assert {epoch for (epoch,) in bench.ask("SELECT epoch FROM ops.consumer_offsets")} == {1}  # settled, not taken over again


def test_a_raised_epoch_throws_a_stale_owner_out_and_it_starts_anew_from_the_table(bench: Bench) -> None:
    with bench.loading() as running:
        for round_ in range(3):
            values, _ = mixed(300, seed=round_)
            spread(bench, values)
            bench.until_loaded(running)
            bench.ask("UPDATE ops.consumer_offsets SET epoch = epoch + 5 WHERE partition IN (0, 2)")
        spread(bench, [b"the last"])
        bench.until_loaded(running)
    assert running.failure is None
    total = sum(bench.positions().values())
    assert sum(bench.counts().values()) == total
    assert bench.ask("SELECT count(*), sum(records) FROM ops.load_batches")[0][1] == total


def test_a_stale_owner_with_a_dead_letter_in_hand_is_thrown_out_like_any_other(bench: Bench) -> None:
    bench.send([b"nonsense"])
    bench.load()
    from ecom_lite.contract.events import utc_now
    from ecom_lite.load.decode import Batch, Part
    from ecom_lite.topic.records import Record

    batch = Batch()
    batch.add(Part(0, [Record(0, 0, 1, None, b"nonsense", ())], 0, 1, epoch=99), utc_now())
    writer = Writer(bench.warehouse, Topics(bench.topic))
    with pytest.raises(StaleOwner):
        writer.write(batch)
    writer.close()
    assert bench.counts() == {"dead": 1}


@pytest.mark.usefixtures("time_to_leave")
def test_two_loaders_share_the_partitions_and_the_end_of_one_moves_them_to_the_other(bench: Bench) -> None:
    values, counts = mixed(4000, seed=5)
    first_shares: list[object] = []
    first = bench.loader("one", lambda figures: first_shares.append(figures.partitions), batch_rows=50, session_timeout_ms=90_000)
    with bench.loading(first) as one:
        spread(bench, values[:1000])
        bench.until_loaded(one)
        shares: list[object] = []
        second = bench.loader("two", lambda figures: shares.append(figures.partitions), batch_rows=50, session_timeout_ms=90_000)
        with bench.loading(second) as two:
            spread(bench, values[1000:2000])
            wait_for(lambda: shares[-1:] == [2], "half of the partitions")
            spread(bench, values[2000:3000])
            bench.until_loaded(one)
        wait_for(lambda: first_shares[-1:] == [4], "all partitions, long before the session of the other times out", 60)
        spread(bench, values[3000:])
        bench.until_loaded(one)
    assert one.failure is None and two.failure is None
    assert_rows_are_as_counted(bench, counts)


@pytest.mark.usefixtures("time_to_leave")
def test_a_graceful_end_leaves_the_group_and_a_kill_keeps_the_place_for_a_restart(bench: Bench) -> None:
    bench.send([line(0)])
    with worker(bench, batch_rows=20) as process:
        wait_for(bench.counts, "the first batch")
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert members(bench) == ["one"]
    with bench.loading(bench.loader("one")) as running:
        bench.send([line(1)])
        bench.until_loaded(running)  # long before the session of the killed one times out
        assert members(bench) == ["one"]
    assert running.failure is None and members(bench) == []


def members(bench: Bench) -> list[str]:
    """The names of the loaders' group's members."""
    admin = KafkaAdminClient(**bench.client)
    try:
        groups = [group["group_id"] for group in admin.list_groups() if f".load.{bench.topic}." in group["group_id"]]
        (described,) = admin.describe_groups(groups).values()
        return [member["group_instance_id"] for member in described["members"]]
    finally:
        admin.close()


def test_a_second_loader_of_the_same_name_is_told_apart(bench: Bench) -> None:
    with bench.loading() as one:
        bench.send([line("a")])
        bench.until_loaded(one)
        with bench.loading() as two:
            wait_for(lambda: one.failure is not None, "the first to be fenced")
            bench.send([line("b")])
            bench.until_loaded(two)
    assert isinstance(one.failure, LoadError)
    assert "another process has joined the group under our name" in str(one.failure)
    assert bench.counts() == {"facts": 2}


def test_offsets_that_retention_removed_are_recorded_as_lost(bench: Bench) -> None:
    bench.send([line(i) for i in range(10)])
    bench.load()
    bench.send([line(i) for i in range(10, 30)])
    delete_before(bench, 25)
    bench.send([line("new")])
    bench.load()
    assert bench.counts() == {"facts": 10 + 5 + 1, "lost": 15}
    assert bench.ask("SELECT topic, partition, first_offset, last_offset FROM ops.gaps") == [(bench.topic, 0, 10, 24)]


def test_retention_that_overtakes_a_running_loader_is_recorded_too(bench: Bench) -> None:
    with bench.loading() as running:
        bench.send([line(0)])
        bench.until_loaded(running)
        lock = bench.warehouse.connect("admin")
        lock.execute("UPDATE ops.consumer_offsets SET epoch = epoch + 1")  # it cannot go on, and must claim anew afterwards
        values = [line(i, product_title="x" * 200) for i in range(1, 30)]
        for value in values:  # more batches than the loader reads ahead
            bench.send([value])
        bench.send([line(30)])
        delete_before(bench, 25)
        lock.commit()
        lock.close()
        bench.until_loaded(running)
    counts = bench.counts()
    assert running.failure is None
    assert counts["facts"] + counts.get("lost", 0) == 31 and counts["facts"] >= 7


def delete_before(bench: Bench, offset: int) -> None:
    admin = KafkaAdminClient(**bench.client)
    admin.delete_records({TopicPartition(bench.topic, 0): offset})
    admin.close()


@pytest.mark.parametrize("while_it_runs", [True, False])
def test_a_topic_made_anew_is_an_error_that_says_so(bench: Bench, while_it_runs: bool) -> None:
    bench.send([line(i) for i in range(10)])
    if not while_it_runs:
        bench.load()
        make_anew(bench)
        with pytest.raises(LoadError, match=r"was loaded up to offset 10 of partition 0 as .*: the topic was made anew"):
            bench.load()
        bench.send([line(i) for i in range(30)])  # past where the old one was left
        with pytest.raises(LoadError, match="was made anew"):
            bench.load()
        assert bench.counts() == {"facts": 10} and bench.positions()[0] == 10
        bench.ask("UPDATE ops.consumer_offsets SET topic_id = NULL")  # as an older broker left it
        with pytest.raises(LoadError, match=r"record at offset 9 of .*\[0\] was loaded with the time .* made anew"):
            bench.load()
        bench.ask("UPDATE ops.consumer_offsets SET newest_offset = NULL, newest_time = NULL")  # as an older version left it
        bench.load()
        assert bench.counts() == {"facts": 30}
        return
    with bench.loading() as running:
        bench.until_loaded(running)
        make_anew(bench)
        wait_for(lambda: running.failure, "the error", LOAD_S)  # it looks at the topic each ten seconds, and asks a few times
    assert isinstance(running.failure, LoadError) and "made anew" in str(running.failure)


def test_a_broker_without_topic_ids_shows_a_topic_made_anew_by_its_newest_record(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "client_config", lambda *given: {**client_config(*given), "api_version": (2, 4)})
    bench.send([line(i) for i in range(10)])
    bench.load()
    assert bench.ask("SELECT topic_id, newest_offset FROM ops.consumer_offsets WHERE partition = 0") == [(None, 9)]
    bench.send([line(i) for i in range(10, 20)])
    bench.load()  # it is the same
    delete_before(bench, 20)
    bench.send([line(20)])
    bench.load()  # still: the newest record loaded went by retention
    make_anew(bench)
    bench.send([line(i) for i in range(100, 140)])  # past where the old one was left
    with pytest.raises(LoadError, match=r"record at offset 20 of .*\[0\] was loaded with the time .* made anew"):
        bench.load()
    assert bench.counts() == {"facts": 21} and bench.positions()[0] == 21


def make_anew(bench: Bench) -> None:
    admin = KafkaAdminClient(**bench.client)
    admin.delete_topics([bench.topic])
    wait_for(lambda: bench.topic not in admin.list_topics(), "the topic to go")
    admin.close()
    ensure_topics(bench.client, bench.topic, 4, bench.settings().kafka.dlq_topic)


def test_a_stop_drains_what_the_topic_holds_at_that_moment(bench: Bench) -> None:
    values, counts = mixed(8000, seed=6)
    spread(bench, values)
    with bench.loading(bench.loader(batch_rows=100), drain_s=55) as running:
        wait_for(bench.counts, "the first batch")
        running.end()
    assert running.failure is None
    assert_rows_are_as_counted(bench, counts)


@pytest.fixture
def own_postgres(tmp_path_factory: pytest.TempPathFactory, session_dir: Path) -> Iterator[tuple[PostgresServer, Address]]:
    """A PostgreSQL that a test may stop."""
    from ecom_lite.warehouse.migrate import migrate
    from ecom_lite.warehouse.passwords import load_passwords
    from ecom_lite.warehouse.roles import ensure_database_and_roles

    folder = session_dir / "own_postgres"
    server = PostgresServer(folder / "data", folder / "logs")
    server.start(START_S)
    address = Address(server.host, server.port, "shop", "postgres", server.superuser_password, load_passwords(session_dir))
    ensure_database_and_roles(address)
    migrate(address)
    yield server, address
    server.stop()
    server.remove()


def test_a_postgresql_that_goes_and_comes_back_or_never_does(
    kafka_bootstrap: str, topic: str, own_postgres: tuple[PostgresServer, Address]
) -> None:
    server, address = own_postgres
    bench = Bench(kafka_bootstrap, topic, address)
    values, counts = mixed(8000, seed=7)
    reports: list[LoaderFigures] = []
    spread(bench, values[:4000])
    loader = bench.loader(report=reports.append, batch_rows=50)
    with bench.loading(loader, drain_s=2) as running:
        wait_for(bench.counts, "the first batch")
        server.kill()
        spread(bench, values[4000:])
        wait_for(lambda: reports[-1].waiting_for, "health to say what it waits for")
        server.start(START_S)
        bench.until_loaded(running)
        wait_for(lambda: not reports[-1].waiting_for, "health to be good again")
        assert_rows_are_as_counted(bench, counts)
        server.stop()
        bench.send([line("after")])
        wait_for(lambda: reports[-1].waiting_for, "it to be away")
        for wave in (1, 2):  # nothing is fetched when the queue is full, and yet the lag is told
            spread(bench, [line(f"{wave} {i}") for i in range(500)])
            wait_for(lambda lag=500 * wave + 1: reports[-1].lag == lag, "the lag to be what the broker has")  # type: ignore[misc]
        assert 2 <= running.end() < 30
    assert running.failure is None
    # A start while the database is away waits too, reports so, and can be stopped.
    reports.clear()
    with bench.loading(bench.loader(report=reports.append), drain_s=0.5) as waiting:
        wait_for(lambda: reports and reports[-1].waiting_for, "it to wait")
        assert waiting.end() < 30
    assert waiting.failure is None
    server.start(START_S)
    bench.load()
    assert bench.counts() == counts | {"facts": counts["facts"] + 1001}


def test_a_database_that_hangs_does_not_hold_up_the_stop(bench: Bench) -> None:
    with bench.loading(drain_s=0.5) as running:
        bench.send([line("a")])
        bench.until_loaded(running)
        with bench.warehouse.connect("admin") as lock:
            lock.execute("SELECT 1 FROM ops.consumer_offsets FOR UPDATE")
            bench.send([line("b")])
            wait_for(lambda: bench.ask("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' LIMIT 1"), "it to hang")
            assert running.end() < 30  # it hangs for good
    assert running.failure is None
    bench.load()
    assert bench.counts() == {"facts": 2}


def test_a_writer_that_fails_ends_the_run_while_the_reader_waits_for_it(bench: Bench) -> None:
    bench.ask("REVOKE UPDATE ON ops.consumer_offsets FROM ecom_loader")
    with bench.loading() as running:
        spread(bench, mixed(2000)[0])
        wait_for(lambda: running.failure, "the failure")
        assert running.end() < 4
    assert isinstance(running.failure, LoadError) and "42501" in str(running.failure)
    bench.ask("GRANT UPDATE ON ops.consumer_offsets TO ecom_loader")
    bench.load()


def test_a_stop_before_anything_is_assigned_ends_at_once(bench: Bench) -> None:
    with bench.loading(drain_s=50) as running:
        assert running.end() < 40
    assert running.failure is None


def test_no_kafka_is_an_error_that_says_where(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from ecom_lite.topic import client as kafka_client

    monkeypatch.setattr(kafka_client, "BOOTSTRAP_TIMEOUT_MS", 500)
    bench.bootstrap = "127.0.0.1:1"
    with bench.loading() as running:
        wait_for(lambda: running.failure, "the error")
    assert isinstance(running.failure, LoadError) and "no Kafka at 127.0.0.1:1" in str(running.failure)
    with psycopg.connect(bench.warehouse.conninfo("admin")) as admin:
        assert admin.execute("SELECT count(*) FROM ops.consumer_offsets").fetchone() == (0,)


def test_a_password_that_is_wrong_or_a_database_that_is_gone_stops_the_loader_and_says_what_to_do(bench: Bench) -> None:
    wrong = replace(bench.warehouse, passwords={role: "wrong" for role in bench.warehouse.passwords})
    with bench.loading(replace(bench, warehouse=wrong).loader()) as running:
        wait_for(lambda: running.failure, "the refusal")
    assert isinstance(running.failure, LoadError)
    assert "(SQLSTATE 28P01)" in str(running.failure) and "`ecom_lite migrate`" in str(running.failure)
    assert "wrong" not in str(running.failure).replace("password authentication failed", "")
    other, name = f"{bench.warehouse.database}_gone", bench.warehouse.database
    rename = "ALTER DATABASE {} RENAME TO {}".format
    with bench.loading() as running, bench.warehouse.with_database("postgres").connect("admin", autocommit=True) as admin:
        bench.send([line("a")])
        bench.until_loaded(running)
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        left = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
        wait_for(lambda: admin.execute(left, [name]).fetchone() == (0,), "all sessions are gone")
        admin.execute(rename(name, other).encode())
        try:
            bench.send([line("b")])
            wait_for(lambda: running.failure, "the refusal")
        finally:
            admin.execute(rename(other, name).encode())
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
    assert isinstance(running.failure, LoadError)
    assert "(SQLSTATE 3D000)" in str(running.failure) and "`ecom_lite migrate`" in str(running.failure)
    bench.load()
    assert bench.counts() == {"facts": 2}
