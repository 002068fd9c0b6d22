"""What becomes of a record: fact, duplicate, other event, dead letter, marker; with a real Kafka and a real PostgreSQL."""

from __future__ import annotations

import base64
import json
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from kafka import KafkaAdminClient, codec

from ecom_lite.contract.events import PRODUCER_HEADER
from ecom_lite.engines.postgres import PostgresServer
from ecom_lite.errors import LoadError
from ecom_lite.load import loader
from ecom_lite.load.topics import Topics
from ecom_lite.load.write import Writer
from ecom_lite.observe.figures import LoaderFigures
from ecom_lite.topic.client import end_offsets
from ecom_lite.warehouse.connect import Address
from tests.integration.topics import records_of
from tests.runs import wait_for

from .loading import Bench, line


def test_plain_lines_become_facts_with_all_their_dimensions(bench: Bench) -> None:
    bench.send([line(order=1, product=7), line("b", 8, category="Toys", user_id="12", timestamp=1767323045678)])
    bench.load()
    rows = bench.ask(
        "SELECT order_id, product_id, product_title, c.category, user_id, date, ordered_at, quantity, unit_price, revenue,"
        " source_partition, source_offset FROM warehouse.fact_sales f"
        " JOIN warehouse.dim_product p USING (product_key)"
        " JOIN warehouse.dim_category c ON c.category_key = f.category_key AND c.category_key = p.category_key"
        " JOIN warehouse.dim_user USING (user_key) JOIN warehouse.dim_date USING (date_key) ORDER BY 1"
    )
    price, revenue, day = Decimal("10.50"), Decimal("21.00"), date(2026, 1, 2)
    assert rows == [
        ("1", "7", "Product 7", "Books", "1", day, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 2, price, revenue, 0, 0),
        ("b", "8", "Product 8", "Toys", "12", day, datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC), 2, price, revenue, 0, 1),
    ]
    assert bench.ask("SELECT date_key, iso_week, iso_weekday, is_weekend FROM warehouse.dim_date") == [(20260102, 1, 5, False)]
    assert bench.counts() == {"facts": 2}
    assert bench.ask("SELECT records, facts, offsets FROM ops.load_batches") == [(2, 2, {"0": [0, 2]})]


def test_a_line_is_counted_once_within_a_batch_across_batches_and_across_partitions(bench: Bench) -> None:
    bench.send([line("a"), line("a"), line("b")])
    bench.load()
    bench.send([line("a"), line("c")], partition=1)
    bench.send([line("b", 2), line("c")], partition=2)
    bench.load()
    bench.load()  # nothing new: nothing changes
    assert bench.counts() == {"facts": 4, "duplicates": 3}
    assert bench.ask("SELECT count(*), count(DISTINCT (order_id, product_key)) FROM warehouse.fact_sales") == [(4, 4)]


UUID, SKU = "018f3f6e-7c1a-7b1e-8000-2b1e7c1a9f3f", "MUG-042/blue"
BIG = str(2**63)  # as a text: no number of 64 bits


@pytest.mark.parametrize("together", [True, False])
def test_ids_are_numbers_in_any_spelling_or_texts_as_they_are(bench: Bench, together: bool) -> None:
    """In one batch and over several, so that each is found in the cache and in the table."""
    values: list[dict[str, Any]] = [
        line("a", 7, user_id=7), line("a", "007", user_id="07"), line("b", 7.0, user_id="0007"),
        line("a", SKU, user_id=UUID), line("a", SKU, user_id=UUID), line("a", SKU.lower(), user_id=UUID.upper()),
        line("a", BIG, user_id=BIG), line("a", f"000{BIG}", user_id=f"0{BIG}"), line("a", "7 ", user_id="7 "),
        {"event_type": "user_updated", "user_id": "007", "name": "Ada", "timestamp": "2026-01-01"},
        {"event_type": "user_updated", "user_id": UUID, "name": "Bo", "timestamp": "2026-01-01"},
        {"event_type": "user_updated", "user_id": 7.0, "name": "Ada", "timestamp": "2026-01-01"},
        {"event_type": "order_returned", "order_id": "a", "product_id": "7", "quantity": 1, "timestamp": "2026-01-03"},
        {"event_type": "order_returned", "order_id": "a", "product_id": 7, "quantity": 1, "timestamp": "2026-01-03"},
        {"event_type": "order_returned", "order_id": "a", "product_id": SKU, "quantity": 1, "timestamp": "2026-01-03"},
    ]  # fmt: skip
    for part in [values] if together else [[value] for value in values]:
        bench.send(part)
        if not together:
            bench.load()
    bench.load()
    assert bench.counts() == {"facts": 6, "duplicates": 5, "other": 4}
    lines = bench.ask('SELECT order_id, user_id, product_id FROM warehouse.order_lines ORDER BY order_id, user_id COLLATE "C"')
    assert lines == [
        ("a", UUID.upper(), SKU.lower()), ("a", UUID, SKU), ("a", "7", "7"), ("a", "7 ", "7 "), ("a", BIG, BIG), ("b", "7", "7"),
    ]  # fmt: skip
    assert dict(bench.ask("SELECT user_id, name FROM warehouse.dim_user WHERE name IS NOT NULL")) == {"7": "Ada", UUID: "Bo"}
    assert dict(bench.ask("SELECT product_id, kind FROM warehouse.fact_returns")) == dict.fromkeys(["7", SKU], "order_returned")


def test_duplicates_are_passed_by_for_a_while_and_then_the_straight_way_is_tried_again(bench: Bench) -> None:
    writers: list[Writer] = []

    def make_writer(address: Address, topics: Topics) -> Writer:
        writers.append(Writer(address, topics))
        return writers[-1]

    with bench.loading(bench.loader(batch_rows=10, make_writer=make_writer)) as loading:
        for number, orders in enumerate([range(10), range(5, 15), *(range(20 * n, 20 * n + 10) for n in range(1, 7))]):
            # A batch of its own, and in one piece: the next is sent when it is in.
            bench.send([line(order) for order in orders], linger_ms=60_000)  # its end sends them
            bench.until_loaded(loading)
            assert writers[0].facts.detour_left == (0, 3, 2, 1, 0, 0, 0, 0)[number]
    assert bench.counts() == {"facts": 15 + 60, "duplicates": 5}
    assert bench.ask("SELECT sum(records), count(*) FROM ops.load_batches") == [(80, 8)]


def test_a_duplicate_with_another_time_is_remembered_by_its_minute_and_one_with_the_same_is_not(bench: Bench) -> None:
    def at(order: str, time: str) -> dict[str, object]:
        return line(order, timestamp=f"2026-01-02T{time}Z")

    bench.send([at("a", "03:04:05"), at("a", "03:04:05"), at("b", "03:04:05"), at("b", "04:05:01")])  # in one batch
    bench.load()
    bench.send([at("a", "04:05:59"), at("a", "03:04:05"), at("c", "05:00:00"), at("b", "02:00:00")])  # over two
    bench.load()
    assert bench.counts() == {"facts": 3, "duplicates": 5}
    found = bench.ask(
        "SELECT to_char(window_start AT TIME ZONE 'UTC', 'HH24:MI'), partition, lines FROM ops.repeated_lines ORDER BY 1"
    )
    assert found == [("02:00", 0, 1), ("04:05", 0, 2)]


def test_a_line_that_another_loader_is_just_writing_is_waited_for_and_is_a_duplicate(bench: Bench) -> None:
    bench.send([line("a"), line("b")])
    bench.load()
    with bench.warehouse.connect("admin") as other:
        other.execute("DELETE FROM warehouse.fact_sales WHERE order_id = 'a'")
        other.commit()
        other.execute("UPDATE warehouse.fact_sales SET order_id = 'c'")  # not committed: who writes c must wait
        with bench.loading() as running:
            bench.send([line("c"), line("d")], partition=1)
            wait_for(lambda: bench.ask("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"), "it to wait")
            other.commit()
            bench.until_loaded(running)
    assert bench.counts() == {"facts": 3, "duplicates": 1}
    assert bench.ask("SELECT order_id, source_partition FROM warehouse.fact_sales ORDER BY 1") == [("c", 0), ("d", 1)]


def test_own_records_are_told_from_foreign_ones(bench: Bench) -> None:
    elsewhere: list[tuple[str, bytes]] = [(PRODUCER_HEADER, b"seed-7@" + b"0" * 12)]  # copied from the topic of another warehouse
    odd: list[list[tuple[str, bytes]]] = [elsewhere, [("other", b"")], [(PRODUCER_HEADER, b"")], [(PRODUCER_HEADER, b"seed-7")]]
    with bench.producer() as producer:
        for order, headers in enumerate([*[bench.own()] * 3, *odd]):
            producer.send(bench.topic, value=json.dumps(line(order)).encode(), headers=headers)
    bench.load()
    assert bench.counts() == {"own": 3, "facts": 7}


def person(kind: str, at: int, **fields: Any) -> dict[str, Any]:
    return {"event_type": kind, "user_id": 5, "timestamp": f"2026-01-{at:02}", **fields}


CHANGES = [
    person("user_registered", 1, name="Ada", email="a@x", city="Paris"),
    person("user_updated", 2, city="Rome"),
    person("user_updated", 3, city="Oslo", country="NO"),
]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
@pytest.mark.parametrize("together", [True, False])
def test_a_profile_is_the_newest_by_event_time_in_whatever_order_it_comes(
    bench: Bench, order: tuple[int, ...], together: bool
) -> None:
    bench.send([CHANGES[i] for i in order])
    bench.load(batch_rows=10_000 if together else 1)
    assert bench.ask(
        "SELECT user_id, name, email, city, country, registered_at::date, profile_at::date FROM warehouse.dim_user"
    ) == [("5", "Ada", "a@x", "Oslo", "NO", date(2026, 1, 1), date(2026, 1, 3))]
    assert bench.counts() == {"other": 3}


def test_returns_are_kept_beside_the_facts_and_repeats_are_duplicates(bench: Bench) -> None:
    taken_back = {"event_type": "order_returned", "order_id": "a", "product_id": 1, "quantity": 1, "timestamp": "2026-01-03"}
    bench.send([line("a"), taken_back, taken_back, {**taken_back, "event_type": "order_cancelled", "reason": "late"}])
    bench.load()
    assert bench.ask("SELECT order_id, kind, reason FROM warehouse.fact_returns ORDER BY kind") == [
        ("a", "order_cancelled", "late"),
        ("a", "order_returned", ""),
    ]
    assert bench.counts() == {"facts": 1, "other": 2, "duplicates": 1}


def test_a_line_that_comes_back_in_parts_is_counted_part_by_part(bench: Bench) -> None:
    part = {"event_type": "order_returned", "order_id": "a", "product_id": 1, "quantity": 1, "timestamp": "2026-01-03T10:00:00Z"}
    named = [{**part, "event_id": "r-1"}, {**part, "event_id": "r-2"}, {**part, "event_id": "r-1", "timestamp": "2026-01-04"}]
    unnamed = [part, {**part, "timestamp": "2026-01-03T10:00:01Z"}, part]
    bench.send([line("a"), *named, *unnamed])
    bench.load()
    assert bench.ask("SELECT return_id, quantity FROM warehouse.fact_returns ORDER BY return_id") == [
        ("2026-01-03T10:00:00.000000Z", 1),
        ("2026-01-03T10:00:01.000000Z", 1),
        ("r-1", 1),
        ("r-2", 1),
    ]
    assert bench.counts() == {"facts": 1, "other": 4, "duplicates": 2}


def test_a_product_has_its_newest_title_and_the_fact_its_category_of_then(bench: Bench) -> None:
    bench.send(
        [
            line("a", timestamp="2026-01-02", category="Old"),
            line("b", timestamp="2026-01-04", product_title="New", category="New"),
            line("c", timestamp="2026-01-03", product_title="Between"),
        ]
    )
    bench.load()
    bench.send([line("d", timestamp="2026-01-01", product_title="Late"), line("e", timestamp="2026-01-05", product_title="New")])
    bench.load()
    assert bench.ask("SELECT product_id, product_title FROM warehouse.dim_product") == [("1", "New")]
    facts = "SELECT order_id, category FROM warehouse.fact_sales JOIN warehouse.dim_category USING (category_key) ORDER BY 1"
    assert bench.ask(facts)[:3] == [("a", "Old"), ("b", "New"), ("c", "Books")]


def test_no_identity_value_is_burned_for_what_is_known(bench: Bench) -> None:
    for order in range(3):
        bench.send([line(order, user_id=user) for user in range(1, 20)])
        bench.load()
    bench.send([line("x", product=2, user_id=99, category="Toys")])
    bench.load()
    assert bench.ask("SELECT max(user_key) FROM warehouse.dim_user") == [(20,)]
    assert bench.ask("SELECT max(product_key) FROM warehouse.dim_product") == [(2,)]
    assert bench.ask("SELECT max(category_key) FROM warehouse.dim_category") == [(2,)]


def test_a_dead_letter_keeps_its_bytes_in_the_table_and_on_the_topic(bench: Bench) -> None:
    headers = [("h", b"\x00\xff"), ("empty", b""), ("nul\0", b"x")]
    with bench.producer() as producer:
        producer.send(bench.topic, key=b"\xffkey", value=b"\xfe\0 not json", headers=headers, partition=2)
    with bench.producer(value_serializer=lambda _: None) as producer:
        producer.send(bench.topic, key=None, value="neither key nor value", partition=2)
    bench.send([line()], partition=2)
    bench.load()
    assert bench.counts() == {"facts": 1, "dead": 2}
    stored = bench.ask('SELECT partition, "offset", key, value, headers, reason, error_class FROM ops.dead_letters ORDER BY 2')
    encoded = [[name.replace("\0", ""), base64.b64encode(value).decode()] for name, value in headers]
    assert stored == [
        (2, 0, b"\xffkey", b"\xfe\0 not json", encoded, "not_utf8", "Rejected"),
        (2, 1, None, None, [], "empty", "Rejected"),
    ]
    first, second = dead_letter_topic(bench, 2)
    assert (first.key, first.value) == (b"\xffkey", b"\xfe\0 not json")
    assert first.headers[:3] == headers
    added = dict(first.headers[3:])
    assert added["__connect.errors.topic"] == bench.topic.encode()
    assert (added["__connect.errors.partition"], added["__connect.errors.offset"]) == (b"2", b"0")
    assert added["__connect.errors.exception.class.name"] == b"not_utf8"
    assert b"invalid start byte" in added["__connect.errors.exception.message"]
    assert (second.key, second.value, len(second.headers)) == (None, b"", 8)


def test_a_dead_letter_of_the_largest_size_reaches_the_topic_and_takes_no_other_down(bench: Bench) -> None:
    bench.send([b"x" * 1_048_000, b"small"], max_request_size=2_000_000)
    bench.load()
    assert [row[2] for row in bench.dead()] == ["too_large", "not_json"]
    assert [len(record.value) for record in dead_letter_topic(bench, 2)] == [1_048_000, 5]


def dead_letter_topic(bench: Bench, count: int) -> list[Any]:
    found: list[Any] = []

    def all_there() -> bool:
        found[:] = records_of(bench.client, bench.settings().kafka.dlq_topic)
        return len(found) >= count

    wait_for(all_there, lambda: f"{count} dead letters, not {found}")
    return found


@pytest.mark.parametrize("compression", ["gzip", "lz4", None])
def test_compressed_batches_load(bench: Bench, compression: str | None) -> None:
    bench.send([line(order) for order in range(200)], compression_type=compression)
    bench.load(batch_rows=70)  # a batch of ours ends in the middle of one of theirs
    assert bench.counts() == {"facts": 200}


def test_a_codec_that_is_not_installed_is_named_with_its_remedy(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.send([line(order) for order in range(50)], compression_type="gzip")
    monkeypatch.setattr(codec, "has_gzip", lambda: False)
    with pytest.raises(LoadError, match=r"gzip compression codec not found.*pip install"):
        bench.load()
    monkeypatch.undo()
    bench.load()
    assert bench.counts() == {"facts": 50}


class RawName(str):
    """A header name whose bytes are not UTF-8, as C and Go clients can send it."""

    def encode(self, *_: Any, **__: Any) -> bytes:
        return b"caf\xe9"


def test_a_header_name_that_is_not_utf8_does_not_block_the_partition(bench: Bench) -> None:
    with bench.producer(linger_ms=100) as producer:
        for order in range(3):
            headers = [(RawName("x"), b"caf\xe9"), ("y", b"")] if order == 1 else []
            value = b"caf\xe9" if order == 1 else json.dumps(line(order)).encode()
            producer.send(bench.topic, key=b"\xe9", value=value, headers=headers, partition=0)
    bench.load()
    assert bench.counts() == {"facts": 2, "dead": 1}
    ((key, value, stored),) = bench.ask("SELECT key, value, headers FROM ops.dead_letters")
    assert (key, value, stored) == (b"\xe9", b"caf\xe9", [["caf\\xe9", base64.b64encode(b"caf\xe9").decode()], ["y", ""]])


def test_records_without_a_time_load_and_have_no_delay(bench: Bench) -> None:
    with bench.producer() as producer:
        producer.send(bench.topic, value=json.dumps(line()).encode(), timestamp_ms=0)
    reports: list[LoaderFigures] = []
    with bench.loading(bench.loader(report=reports.append)) as running:
        bench.until_loaded(running)
        wait_for(lambda: reports[-1].records == 1, "a report")
    assert bench.ask("SELECT oldest_broker_time FROM ops.load_batches") == [(None,)]
    assert reports[-1].delay_ms is None and reports[-1].lag == 0


def test_an_aborted_transaction_never_happened_and_its_offsets_are_markers(bench: Bench) -> None:
    with bench.producer(transactional_id=f"t-{bench.topic}") as producer:
        producer.init_transactions()
        for end, orders in (("commit", "ab"), ("abort", "cd"), ("commit", "e"), ("abort", "f")):
            producer.begin_transaction()
            for order in orders:
                producer.send(bench.topic, value=json.dumps(line(order)).encode(), partition=0)
            producer.flush()
            producer.commit_transaction() if end == "commit" else producer.abort_transaction()
    until_readable(bench, 10)
    bench.load()  # ends only when the markers at the very end are accounted for, too
    assert bench.ask("SELECT order_id FROM warehouse.fact_sales ORDER BY 1") == [("a",), ("b",), ("e",)]
    assert bench.counts() == {"facts": 3, "markers": 3 + 4}
    assert bench.positions()[0] == 10


def until_readable(bench: Bench, end: int) -> None:
    """A transaction is over for its producer before its marker is on the topic; until then nobody may read on."""
    wait_for(lambda: end_offsets(bench.client, bench.topic)[0] == end, f"the markers are on the topic, up to offset {end}")


def test_an_open_transaction_is_waited_for_by_position_not_by_stop(bench: Bench) -> None:
    # Its time is long: the broker must not end it, however long a busy machine needs until then.
    with bench.producer(transactional_id=f"t-{bench.topic}", transaction_timeout_ms=600_000) as producer:
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(bench.topic, value=json.dumps(line("a")).encode(), partition=0)
        producer.flush()
        bench.send([line("b")])
        bench.send([line("c")], partition=1)
        with bench.loading(drain_s=50) as running:
            wait_for(lambda: bench.counts() == {"facts": 1}, "the fact that is free")
            assert running.end() < 40  # what cannot be read yet is not waited for, as long as a stop may take
        producer.commit_transaction()
    until_readable(bench, 3)
    bench.load()
    assert bench.counts() == {"facts": 3, "markers": 1}


def test_partitions_that_are_added_later_are_loaded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "CONSUMER", {**loader.CONSUMER, "metadata_max_age_ms": 500})
    with bench.loading() as running:
        bench.send([line("a")])
        bench.until_loaded(running)
        admin = KafkaAdminClient(**bench.client)
        admin.create_partitions({bench.topic: 6})
        admin.close()
        wait_for(lambda: send_to(bench, 5), "the new partition")
        bench.until_loaded(running)
    assert bench.ask("SELECT order_id, source_partition FROM warehouse.fact_sales ORDER BY 1") == [("a", 0), ("new", 5)]


def send_to(bench: Bench, partition: int) -> bool:
    with bench.producer() as producer:
        if partition not in (producer.partitions_for(bench.topic) or ()):
            return False
        producer.send(bench.topic, value=json.dumps(line("new")).encode(), partition=partition)
    return True


def test_a_record_that_only_the_database_refuses_is_a_dead_letter_and_the_rest_load(bench: Bench) -> None:
    bench.ask("ALTER TABLE warehouse.fact_sales ADD CHECK (quantity <> 13)")
    bench.ask("ALTER TABLE warehouse.user_changes ADD CHECK (name <> 'Mallory')")
    orders = [
        line(i, i % 40 + 1, quantity=13 if i in (17, 63) else 1, revenue=136.5 if i in (17, 63) else 10.5) for i in range(100)
    ]
    people = [person("user_updated", 1, name="Mallory"), person("user_updated", 2, name="Alice")]
    bench.send([*orders, b"nonsense", *people])
    bench.load()
    assert bench.counts() == {"facts": 98, "dead": 4, "other": 1}
    assert bench.dead() == [
        (0, 17, "refused_by_database"),
        (0, 63, "refused_by_database"),
        (0, 100, "not_json"),
        (0, 101, "refused_by_database"),
    ]
    ((detail, value),) = bench.ask('SELECT detail, value FROM ops.dead_letters WHERE "offset" = 17')
    assert "23514" in detail and json.loads(value)["order_id"] == 17
    assert bench.ask("SELECT name FROM warehouse.dim_user WHERE user_id = '5'") == [("Alice",)]
    assert len(dead_letter_topic(bench, 4)) == 4


def test_a_return_whose_id_is_too_long_for_an_index_is_a_dead_letter_and_the_rest_load(bench: Bench) -> None:
    back = {"event_type": "order_returned", "order_id": "a", "product_id": 1, "quantity": 1, "timestamp": "2026-01-03"}
    names = [random.Random(7).randbytes(size).hex() for size in (3000, 9000)]  # of which PostgreSQL says two things
    bench.send([line("a"), *({**back, "event_id": name} for name in [*names, "x"])])
    bench.load()
    assert bench.counts() == {"facts": 1, "other": 1, "dead": 2}
    assert bench.dead() == [(0, 1, "refused_by_database"), (0, 2, "refused_by_database")]
    assert all("SQLSTATE 54000" in detail for (detail,) in bench.ask("SELECT detail FROM ops.dead_letters"))


def test_what_is_no_record_s_fault_stops_the_loader_loudly_and_nothing_is_lost(bench: Bench) -> None:
    bench.ask("ALTER TABLE ops.load_batches ADD CHECK (records < 0)")
    bench.send([line("a")])
    with pytest.raises(LoadError, match=r"refused the loader.*load_batches.*23514"):
        bench.load()
    assert bench.counts() == {}
    bench.ask("ALTER TABLE ops.load_batches DROP CONSTRAINT load_batches_records_check")
    bench.ask("REVOKE INSERT ON warehouse.fact_sales FROM ecom_loader")
    with pytest.raises(LoadError, match=r"permission denied.*42501.*ecom_lite migrate"):
        bench.load()
    bench.ask("GRANT INSERT ON warehouse.fact_sales TO ecom_loader")
    bench.load()
    assert bench.counts() == {"facts": 1}


def test_a_duplicate_is_no_error_in_the_log_of_the_server(bench: Bench, postgres_server: PostgresServer) -> None:
    begin = postgres_server.log.stat().st_size
    bench.send([line("a")])
    bench.load()
    bench.send([line("a"), line("b")], partition=1)
    bench.load()
    assert bench.counts() == {"facts": 2, "duplicates": 1}
    with postgres_server.log.open("rb") as log:
        log.seek(begin)
        said = log.read().decode()
    assert "duplicate key" not in said, said
