"""A new warehouse from the raw archive alone is the same one: facts, dead letters, and what was lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from ecom_lite.archive.names import listed, raw_folder
from ecom_lite.archive.read import ArchiveReader
from ecom_lite.check.fingerprint import fingerprint
from ecom_lite.errors import UsageError
from ecom_lite.load.replay import Replay
from ecom_lite.run.rebuild import slices
from ecom_lite.settings.load import load_settings
from ecom_lite.simulate import Shop
from ecom_lite.topic.client import ensure_topics
from ecom_lite.topic.records import Record
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.mark import read_mark
from tests.conftest import a_database
from tests.runs import wait_for

from .archiving import archive_all, archive_records
from .loading import Bench, line

JANUARY_1_NOON = int(datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def again(template: Address) -> Iterator[Address]:
    """A second, empty warehouse."""
    with a_database(template) as made:
        yield made


def send_a_bit_of_all(bench: Bench) -> None:
    """The shop's events as its producer marks them, some twice; foreign ones, broken ones, several lines in one record."""
    shop = Shop(load_settings(env={}, flags={"shop.customers": 50}).shop)
    events = shop.batch(0, 800, datetime(2026, 11, 20, 12, tzinfo=UTC))
    with bench.producer() as producer:
        for number, event in enumerate(events):
            for _ in range(2 if number % 50 == 0 else 1):
                producer.send(bench.topic, event.value, key=event.key, headers=bench.own())
    bench.send([line(f"f{n}", revenue=21.0) for n in range(50)] + [line("f0"), b"broken", b"[]", {"event_type": "unknown"}], 1)
    bench.send([line(f"late{n}", timestamp="2040-01-01T00:00:00Z") for n in range(3)], 2)


def replay(bench: Bench, lake: Path, into: Address, mark: str = "", only: int | None = None) -> dict[str, int]:
    """Of `only` that many chunks of each partition it is as if the process had died then."""
    settings = bench.settings(batch_rows=700)
    reader = ArchiveReader(lake, settings.topics)
    with Replay(settings, into, mark) as filling:
        filling.begin()
        for topic, partition in reader.places:
            filling.load(topic, partition, None, islice(slices(reader.records(topic, partition)), only))
        if only is None:
            filling.end()
    return filling.done.as_json()


def ask(address: Address, statement: str) -> list[tuple[Any, ...]]:
    with address.connect("ecom_reader", autocommit=True) as reader:
        return reader.execute(statement.encode()).fetchall()


def loaded_and_archived(bench: Bench, lake: Path) -> None:
    send_a_bit_of_all(bench)
    bench.load()
    archive_all(bench.bootstrap, lake, bench.topic)


def same(one: Address, two: Address) -> None:
    """Facts by the fingerprint (there are no marts here); the account of each offset; dead letters to the byte."""
    first, second = fingerprint(one), fingerprint(two)
    assert first == second and first.rows["fact_sales"] > 1_000 and first.rows["user_changes"] > 0 < first.rows["fact_returns"]
    account = (
        "SELECT partition, first_offset, next_offset, facts, duplicates, other, dead, markers, lost FROM ops.consumer_offsets"
    )
    assert ask(one, f"{account} ORDER BY 1") == ask(two, f"{account} ORDER BY 1")
    letters = 'SELECT partition, "offset", broker_time, key, value, headers::text, reason FROM ops.dead_letters ORDER BY 1, 2'
    assert ask(one, letters) == ask(two, letters)
    assert len(ask(one, letters)) == 6
    foreign = "SELECT sum(own)::int FROM ops.consumer_offsets"
    assert ask(one, foreign) > [(1_000,)] and ask(two, foreign) == [(0,)], "what was sent is in the other one's ledger"


def test_the_archive_alone_makes_the_same_warehouse(bench: Bench, again: Address, tmp_path: Path) -> None:
    loaded_and_archived(bench, tmp_path)
    done = replay(bench, tmp_path, again)
    same(bench.warehouse, again)
    assert done["records"] == sum(done[name] for name in ("facts", "duplicates", "other", "dead"))
    assert ask(again, "SELECT finished_at IS NOT NULL, records FROM ops.rebuilds") == [(True, done["records"])]


def test_what_was_cut_off_goes_on(bench: Bench, again: Address, tmp_path: Path) -> None:
    loaded_and_archived(bench, tmp_path)
    bench.send([line(f"more{n}") for n in range(6_000)], 3)
    bench.load()
    archive_all(bench.bootstrap, tmp_path, bench.topic)
    cut = replay(bench, tmp_path, again, only=1)
    rest = replay(bench, tmp_path, again)
    assert cut["records"] > 0 and rest["records"] >= 1_000
    same(bench.warehouse, again)
    with pytest.raises(UsageError, match=r"has [0-9,]+ facts: only an empty one is rebuilt"):
        replay(bench, tmp_path, again)


def test_a_warehouse_with_facts_is_refused(bench: Bench, tmp_path: Path) -> None:
    loaded_and_archived(bench, tmp_path)
    before = fingerprint(bench.warehouse)
    with pytest.raises(UsageError, match="only an empty one is rebuilt"):
        replay(bench, tmp_path, bench.warehouse)
    assert fingerprint(bench.warehouse) == before and ask(bench.warehouse, "SELECT count(*) FROM ops.rebuilds") == [(0,)]


def test_offsets_that_the_archive_lacks_are_noted_as_lost(bench: Bench, again: Address, tmp_path: Path) -> None:
    for numbers in (range(5), range(5, 9), range(9, 12)):
        bench.send([line(f"o{n}") for n in numbers])
        archive_all(bench.bootstrap, tmp_path, bench.topic)
    middle = [file for file in listed(raw_folder(tmp_path)) if file.first == 5]
    middle[0].path.unlink()
    assert ArchiveReader(tmp_path, [bench.topic]).missing == {(bench.topic, 0): [(5, 9)]}
    replay(bench, tmp_path, again)
    assert ask(again, "SELECT topic, partition, first_offset, last_offset FROM ops.gaps") == [(bench.topic, 0, 5, 8)]
    assert ask(again, "SELECT next_offset, facts, lost FROM ops.consumer_offsets") == [(12, 8, 4)]


def test_own_records_are_read_as_such_where_foreign_ones_are_mapped(bench: Bench, again: Address, tmp_path: Path) -> None:
    """A mapping is for foreign records; which ones were the shop's own says the mark in the archive."""
    with bench.warehouse.connect("ecom_reader") as reader:
        mark = read_mark(reader)
    bench.events = {"fields": {"order_id": "bestellung"}}
    with bench.producer() as producer:
        producer.send(bench.topic, json.dumps(line("own")).encode(), headers=bench.own(), partition=1)
        foreign = {**line("theirs"), "bestellung": "theirs"}
        del foreign["order_id"]
        producer.send(bench.topic, json.dumps(foreign).encode(), partition=2)
    bench.load()
    archive_all(bench.bootstrap, tmp_path, bench.topic, mark=mark)
    reader_ = ArchiveReader(tmp_path, [bench.topic])
    assert reader_.mark == mark
    replay(bench, tmp_path, again, mark)
    assert fingerprint(again) == fingerprint(bench.warehouse)
    assert ask(again, "SELECT order_id FROM warehouse.fact_sales ORDER BY 1") == [("own",), ("theirs",)]


def test_further_sources_are_rebuilt_by_their_own_rules(bench: Bench, again: Address, tmp_path: Path) -> None:
    till = f"{bench.topic}.till"
    ensure_topics(bench.client, till, 2, f"{till}.dlq")
    bench.flags = {"events.pos": {"topic": till, "order_prefix": "till-"}}
    bench.send([line("1"), b"broken"], partition=3)
    with bench.producer() as producer:
        for partition in (0, 1):
            producer.send(till, json.dumps(line("1", product=partition + 1)).encode(), partition=partition)
        producer.send(till, b"broken", partition=1)
    with bench.loading() as running:
        loaded = "SELECT coalesce(sum(next_offset), 0)::int FROM ops.consumer_offsets"
        wait_for(lambda: running.failure or ask(bench.warehouse, loaded) == [(5,)], "both topics are loaded")
    assert running.failure is None
    archive_all(bench.bootstrap, tmp_path, bench.topic, till)
    assert replay(bench, tmp_path, again)["dead"] == 2
    assert fingerprint(again) == fingerprint(bench.warehouse)
    orders = "SELECT order_id FROM warehouse.fact_sales ORDER BY 1"
    assert ask(again, orders) == [("1",), ("till-1",), ("till-1",)]
    letters = 'SELECT topic, partition, "offset", reason FROM ops.dead_letters ORDER BY 1'
    assert ask(again, letters) == ask(bench.warehouse, letters) == [(bench.topic, 3, 1, "not_json"), (till, 1, 1, "not_json")]


@pytest.mark.parametrize(
    ("broker_ms", "event_time", "fate"),
    [
        (JANUARY_1_NOON, "2026-01-02T11:59:00Z", "fact"),
        (JANUARY_1_NOON, "2026-01-02T12:01:00Z", "dead"),
        (-1, "2026-01-01T23:59:00Z", "fact"),
        (-1, "2026-01-03T00:00:00Z", "dead"),
    ],
    ids=["within a day", "beyond", "no time within", "no time beyond"],
)
def test_what_was_too_far_ahead_then_still_is(
    bench: Bench, again: Address, tmp_path: Path, broker_ms: int, event_time: str, fate: str
) -> None:
    value = json.dumps(line("ahead", timestamp=event_time)).encode()
    record = Record(0, 0, broker_ms, None, value, ())
    archive_records(tmp_path, [record], bench.topic, date(2026, 1, 1))
    done = replay(bench, tmp_path, again)
    assert {"fact": done["facts"], "dead": done["dead"]}[fate] == 1
