"""The raw archive against a real broker: it equals the topic, record by record, whatever happens to it."""

from __future__ import annotations

import os
import random
import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.record import memory_records

from ecom_lite.archive.names import listed, raw_folder
from ecom_lite.archive.read import ArchiveReader
from ecom_lite.topic.client import client_config, end_offsets, ensure_topics
from tests.runs import wait_for

from .archiving import POINTS, Row, archive_all, archived, archiving, settings_for, start_victim
from .loading import Bench
from .raw_records import NullHeaders, RawSender
from .topics import records_of

DEADLINE_S = 120.0
SEED = int(os.environ.get("ECOM_LITE_ARCHIVE_SEED", "15"))
ROUNDS = int(os.environ.get("ECOM_LITE_ARCHIVE_ROUNDS", "20"))


def on_the_topic(bootstrap: str, topic: str) -> list[Row]:
    """As Kafka's own client reads it."""
    client = {**client_config(settings_for(topic).kafka, bootstrap), "isolation_level": "read_committed"}
    found = records_of(client, topic)
    return [(r.partition, r.offset, r.timestamp, r.key, r.value, tuple(tuple(pair) for pair in r.headers)) for r in found]


def test_every_record_is_kept_as_it_is(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_records, "DefaultRecordBatchBuilder", NullHeaders)
    sender = RawSender(bench)
    sender.send(b'{"order_id": 1}', b"7", [("ecom_lite", b"seed-7@abc")], 0)
    sender.send(None, None, [], 0)
    sender.send(b"", b"", [("empty", b""), ("null", None), ("empty", b"again")], 1)
    sender.send(bytes(range(256)), b"\0\xff", [("bytes", bytes(range(256)))], 1)
    sender.send(b"x" * 900_000, "ключ".encode(), [("имя", b"1")], 3)
    sender.offsets()
    sender.close()
    archive = archive_all(bench.bootstrap, tmp_path, bench.topic)
    found = archived(tmp_path, bench.topic)
    assert found == on_the_topic(bench.bootstrap, bench.topic) and len(found) == 5
    assert (archive.figures.records, archive.figures.waiting_for) == (5, "")
    columns = duckdb.sql(f"DESCRIBE FROM '{tmp_path}/raw/date=*/*.parquet'").fetchall()
    assert [column[:2] for column in columns] == [
        ("topic", "VARCHAR"), ("partition", "INTEGER"), ("offset", "BIGINT"), ("broker_time", "TIMESTAMP WITH TIME ZONE"),
        ("key", "BLOB"), ("value", "BLOB"), ("headers", 'STRUCT("name" VARCHAR, "value" BLOB)[]'), ("date", "DATE"),
    ]  # fmt: skip


def test_aborted_transactions_are_not_in_it_and_their_offsets_are_accounted_for(bench: Bench, tmp_path: Path) -> None:
    producer = KafkaProducer(**bench.client, transactional_id="t", linger_ms=5)
    try:
        producer.init_transactions()
        for number in range(6):
            producer.begin_transaction()
            producer.send(bench.topic, b"%d" % number, partition=0)
            producer.flush(60)
            (producer.commit_transaction if number % 2 == 0 else producer.abort_transaction)()
    finally:
        producer.close(timeout=2)
    bench.send([b"last"])
    # The last transaction is over for its producer before its marker is on the topic; until then nobody may read on.
    wait_for(lambda: end_offsets(bench.client, bench.topic)[0] == 13, "the markers are on the topic")
    archive_all(bench.bootstrap, tmp_path, bench.topic)
    assert [row[4] for row in archived(tmp_path, bench.topic)] == [b"0", b"2", b"4", b"last"]
    assert archived(tmp_path, bench.topic) == on_the_topic(bench.bootstrap, bench.topic)
    reader = ArchiveReader(tmp_path, [bench.topic])
    assert reader.missing == {}
    chunks = list(reader.records(bench.topic, 0))
    assert (chunks[0].first, chunks[-1].end) == (0, 13) and all(a.end == b.first for a, b in pairwise(chunks))


def test_memory_has_a_limit_also_while_it_drains(bench: Bench, tmp_path: Path) -> None:
    bench.send([b"x" * 1_000] * 6_000)
    archive = archive_all(bench.bootstrap, tmp_path, bench.topic, most_bytes=1_000_000, every_s=60)
    assert archive.figures.files >= 3 and len(archived(tmp_path, bench.topic)) == 6_000


def test_it_goes_on_where_the_names_end(bench: Bench, tmp_path: Path) -> None:
    for number in range(3):
        bench.send([b"%d" % number] * 10, partition=number)
        archive_all(bench.bootstrap, tmp_path, bench.topic)
    assert archived(tmp_path, bench.topic) == on_the_topic(bench.bootstrap, bench.topic)
    before = {file.path for file in listed(raw_folder(tmp_path))}
    archive_all(bench.bootstrap, tmp_path, bench.topic)
    assert {file.path for file in listed(raw_folder(tmp_path))} == before


def test_a_file_that_is_gone_is_missed_also_a_partitions_last_or_only_one(bench: Bench, tmp_path: Path) -> None:
    for partition in (0, 1, 1, 2):
        bench.send([b"1"] * 5, partition=partition)
        archive_all(bench.bootstrap, tmp_path, bench.topic)
    for file in listed(raw_folder(tmp_path)):
        if (file.partition, file.first) in ((0, 0), (1, 5)):
            file.path.unlink()
    assert ArchiveReader(tmp_path, [bench.topic]).missing == {(bench.topic, 0): [(0, 5)], (bench.topic, 1): [(5, 10)]}


def test_sources_have_files_of_their_own_and_new_partitions_are_found(bench: Bench, tmp_path: Path) -> None:
    other = f"{bench.topic}.other"
    ensure_topics(bench.client, other, 2, f"{other}.dlq")
    bench.send([b"main"])
    archive, running = archiving(bench.bootstrap, tmp_path, bench.topic, other)
    with running:
        wait_for(lambda: archive.figures.records == 1, "the first record is in")
        admin = KafkaAdminClient(**bench.client)
        admin.create_partitions({other: 3})
        admin.close()
        with bench.producer(metadata_max_age_ms=500) as producer:
            wait_for(lambda: len(producer.partitions_for(other)) == 3, "the producer knows of the new partition")
            producer.send(other, b"new", partition=2)
        wait_for(lambda: archive.figures.records == 2, "the record of the new partition is in")
    assert running.failure is None
    assert [row[4] for row in archived(tmp_path, other)] == [b"new"]
    assert [row[4] for row in archived(tmp_path, bench.topic)] == [b"main"]


def test_a_topic_made_anew_is_refused(bench: Bench, tmp_path: Path) -> None:
    bench.send([b"1"] * 3)
    archive_all(bench.bootstrap, tmp_path, bench.topic)
    admin = KafkaAdminClient(**bench.client)
    try:
        admin.delete_topics([bench.topic])
        wait_for(lambda: bench.topic not in admin.list_topics(), "the topic is gone")
    finally:
        admin.close()
    ensure_topics(bench.client, bench.topic, 4, bench.settings().kafka.dlq_topic)
    bench.send([b"2"] * 5)
    archive, running = archiving(bench.bootstrap, tmp_path, bench.topic)
    with running:
        wait_for(lambda: "is not the one" in archive.figures.waiting_for, lambda: f"it says what is wrong: {archive.figures}")
        said = archive.figures.waiting_for
        assert re.match(rf"topic {bench.topic} is not the one that is in .*raw: it was .* move that folder", said), said
        assert [row[4] for row in archived(tmp_path, bench.topic)] == [b"1"] * 3
        raw_folder(tmp_path).rename(tmp_path / "moved")
        wait_for(lambda: archive.figures.records == 5, "a new archive begins")
    assert [row[4] for row in archived(tmp_path, bench.topic)] == [b"2"] * 5


def test_what_retention_removed_unread_is_missing_and_named(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench.send([b"1"] * 3)
    archive_all(bench.bootstrap, tmp_path, bench.topic)
    bench.send([b"2"] * 4)
    admin = KafkaAdminClient(**bench.client)
    try:
        admin.delete_records({TopicPartition(bench.topic, 0): 5})
    finally:
        admin.close()
    archive_all(bench.bootstrap, tmp_path, bench.topic)
    reader = ArchiveReader(tmp_path, [bench.topic])
    assert reader.missing == {(bench.topic, 0): [(3, 5)]}
    assert [row[1] for row in archived(tmp_path, bench.topic)] == [0, 1, 2, 5, 6]
    assert f"{bench.topic}[0]: offsets 3 .. 4 are MISSING" in caplog.text


def test_days_have_folders_and_old_ones_go(bench: Bench, tmp_path: Path) -> None:
    now = datetime.now(UTC)  # retention of a week removes a topic whose newest record is older
    clock = [now.timestamp()]
    with bench.producer() as producer:
        for days in (40, 31, 30, 1, 0):
            for partition in (0, 1):
                ms = int((now - timedelta(days=days)).timestamp() * 1000)
                producer.send(bench.topic, b"%d" % days, partition=partition, timestamp_ms=ms)
    archive_all(bench.bootstrap, tmp_path, bench.topic, clock=lambda: clock[0])
    assert archived(tmp_path, bench.topic) == on_the_topic(bench.bootstrap, bench.topic)

    def folders() -> list[str]:
        return sorted(path.name for path in raw_folder(tmp_path).iterdir())

    def folder(days: int) -> str:
        return f"date={now - timedelta(days=days):%Y-%m-%d}"

    assert folders() == [folder(30), folder(1), folder(0)], "older ones count as of the oldest day kept"
    clock[0] += 30 * 86_400
    archive, running = archiving(bench.bootstrap, tmp_path, bench.topic, clock=lambda: clock[0])
    with running:
        wait_for(lambda: folders() == [folder(0)], "the older days are gone")
    clock[0] += 86_400
    archive, running = archiving(bench.bootstrap, tmp_path, bench.topic, clock=lambda: clock[0])
    with running:
        wait_for(lambda: f"date={archive.figures.oldest}" == folder(0), "the newest files stay: they say where to go on")
    archive_all(bench.bootstrap, tmp_path, bench.topic, clock=lambda: clock[0])
    assert [row[4] for row in archived(tmp_path, bench.topic)] == [b"0", b"0"]


def test_while_it_is_held_nothing_is_written_and_then_all_of_it(bench: Bench, tmp_path: Path) -> None:
    archive, running = archiving(bench.bootstrap, tmp_path, bench.topic)
    with running:
        bench.send([b"before"])
        wait_for(lambda: archive.figures.records == 1, "the first record is in a file")
        archive.hold("room")
        bench.send([b"while"] * 3)
        files = sorted(tmp_path.rglob("*.parquet"))
    assert running.failure is None and sorted(tmp_path.rglob("*.parquet")) == files, "a held one does not drain"
    archive_all(bench.bootstrap, tmp_path, bench.topic)
    assert archived(tmp_path, bench.topic) == on_the_topic(bench.bootstrap, bench.topic)


def test_a_disk_that_refuses_is_waited_for(bench: Bench, tmp_path: Path) -> None:
    bench.send([b"1"] * 3)
    in_the_way = raw_folder(tmp_path)
    in_the_way.parent.mkdir(exist_ok=True)
    in_the_way.write_text("a file where the folder should be")
    archive, running = archiving(bench.bootstrap, tmp_path, bench.topic)
    with running:
        wait_for(lambda: str(in_the_way) in archive.figures.waiting_for, "it says what it waits for")
        in_the_way.unlink()
        wait_for(lambda: archive.figures.records == 3 and not archive.figures.waiting_for, "it goes on")
    assert running.failure is None
    assert archived(tmp_path, bench.topic) == on_the_topic(bench.bootstrap, bench.topic)


@contextmanager
def sending(bench: Bench, rng: random.Random) -> Iterator[None]:
    """Records of all kinds, a few every moment, until the block ends."""
    stop = threading.Event()

    def send() -> None:
        with bench.producer() as producer:
            while not stop.wait(0.02):
                for _ in range(rng.randrange(1, 20)):
                    key = rng.choice([None, b"", b"%d" % rng.randrange(10)])
                    value = rng.choice([b"", rng.randbytes(rng.randrange(300)), b'{"order_id": %d}' % rng.randrange(10**6)])
                    headers = rng.choice([[], [("a", b"1")], [("a", b""), ("b", b"\xff")]])
                    producer.send(bench.topic, value, key=key, headers=headers, partition=rng.randrange(2))
                producer.flush(60)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(DEADLINE_S)


@pytest.mark.timeout(30 + 20 * ROUNDS)
def test_killed_at_any_point_the_archive_equals_the_topic(bench: Bench, tmp_path: Path) -> None:
    rng = random.Random(SEED)
    with sending(bench, rng):
        for number in range(ROUNDS):
            point = rng.choice(POINTS)
            nth = rng.randrange(1, 20) if point in ("drafted", "placed") else rng.randrange(1, 17) if point == "merging" else 1
            victim = start_victim(bench.bootstrap, tmp_path, bench.topic, point, nth)
            told = f"round {number} of seed {SEED}: {point}, time {nth}"
            try:
                assert victim.wait(DEADLINE_S) == -signal.SIGKILL, told
            finally:
                victim.kill()
                victim.wait()
            names = [(file.partition, file.first, file.end) for file in listed(raw_folder(tmp_path))]
            assert len(names) == len(set(names)), told
    archive_all(bench.bootstrap, tmp_path, bench.topic)
    on_topic = on_the_topic(bench.bootstrap, bench.topic)
    assert archived(tmp_path, bench.topic) == on_topic and len(on_topic) > 10 * ROUNDS
    plain = duckdb.sql(
        f"SELECT count(*), count(DISTINCT (partition, \"offset\")) FROM '{tmp_path}/raw/date=*/*.parquet'"
    ).fetchone()
    assert plain == (len(on_topic), len(on_topic)), "whoever reads the files by a pattern has each record once"
    assert not list(raw_folder(tmp_path).glob("**/*.new"))
