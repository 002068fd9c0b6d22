"""The count closes when it should, and opens at the right line whatever is taken away, added or changed."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from kafka import KafkaAdminClient, TopicPartition

from ecom_lite.ask.duck import attach, query
from ecom_lite.check.moment import at_one_moment
from ecom_lite.check.named import built_in, choose
from ecom_lite.check.reconcile import LEDGER_FLUSH_S, Line, Report, reconcile
from ecom_lite.errors import CheckFailed, QueryError
from ecom_lite.topic.client import end_offsets, ends_of, ensure_topics
from ecom_lite.topic.records import Record
from ecom_lite.warehouse.connect import Address
from ecom_lite.warehouse.migrate import migrate
from tests.runs import DEADLINE_S, wait_for

from .archiving import archive_records
from .counted import clone, fill, make_marts, send_own, write_ledger
from .loading import Bench, line

SENT = "sent (ledger) = own records on the broker"
OFFSETS = "broker's offsets = offsets accounted for"
RECORDS = "records = facts + duplicates + other + dead"
FACTS = "facts counted = rows of fact_sales"
OTHER = "other events counted = rows of fact_returns + user_changes"
DEAD = "dead letters counted = rows of dead_letters"
BY_DAY = "lines by day = rows of fact_sales"
KINDS = "events (ledger) = order lines + other + sent twice + broken"
BROKEN = "broken on purpose (ledger) = own dead letters, by kind"
UNPLANNED = "own dead letters not broken on purpose"
TWICE = "sent twice on purpose (ledger) = duplicates"
LINES = "order lines sent (ledger) = facts"
ORPHANS, HOMELESS = "facts without a dimension row", "products without their category"
LOST = "offsets lost to retention"
SUM_LINES, SUM_REVENUE = "lines in the totals = facts", "revenue in the totals = facts"
KEPT = [f"kept revenue by {what} = kept total" for what in ("category", "product", "customer")]
BY_MINUTE = [
    "order lines by minute = by category", "revenue by minute = by category", "minutes of the newest hour that are not the facts",
    "of them by country", "returns by minute = returns", "minutes of the newest hour whose returns are not the facts",
]  # fmt: skip
MINUTES_REVENUE, NEWEST = BY_MINUTE[1:3]
AMOUNTS = "lines with an amount in USD + without a rate = facts"
MART_LINES = "lines in daily_sales = facts"
DAILY, PRODUCTS, CUSTOMERS = (f"revenue in {mart} = facts" for mart in ("daily_sales", "product_performance", "customer_ltv"))
ATTRIBUTES = "revenue in sales_by_attribute = facts"
FUTURE = "rows dated in the future"
STALE = [f"minutes that facts wait for the {what}" for what in ("marts", "kept sums")]
WINDOWS = "lines in closed minutes = facts"


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that its test writes once a round may be as late as a busy machine makes a round."""
    monkeypatch.setattr("ecom_lite.check.reconcile.LEDGER_LATE_S", DEADLINE_S)


@pytest.fixture
def loaded(bench: Bench) -> Bench:
    return fill(bench)


@pytest.fixture(scope="module")
def original(kafka_bootstrap: str, template: Address) -> Iterator[Bench]:
    """Loaded once, for the tests that only read it or a copy of it."""
    bench = Bench(kafka_bootstrap, "check_original", template.with_database("check_original"))
    ensure_topics(bench.client, bench.topic, 4, bench.settings().kafka.dlq_topic)
    with clone(template, bench.warehouse):
        yield fill(bench)


@pytest.fixture
def copy(original: Bench) -> Iterator[Bench]:
    """May be tampered with, but not be sent to."""
    bench = replace(original, warehouse=original.warehouse.with_database("check_copy"))
    with clone(original.warehouse, bench.warehouse):
        yield bench


@pytest.fixture(scope="module")
def faulty(kafka_bootstrap: str, template: Address) -> Iterator[Bench]:
    """Own records only: three lines, one of them sent twice, and three that were broken on purpose in two ways."""
    bench = Bench(kafka_bootstrap, "check_faulty", template.with_database("check_faulty"))
    ensure_topics(bench.client, bench.topic, 4, bench.settings().kafka.dlq_topic)
    with clone(template, bench.warehouse):
        send_own(bench, [line(1), line(2)])
        send_own(bench, [line(3)], fault="late")
        send_own(bench, [line(2)], fault="duplicate")
        send_own(bench, [b"{", b"nonsense"], fault="malformed.not_json")
        send_own(bench, [b"[]"], fault="malformed.not_an_object")
        bench.load()
        faults = {"late": 1, "duplicate": 1, "malformed.not_json": 2, "malformed.not_an_object": 1}
        write_ledger(bench, 7, 3, 0, faults)
        make_marts(bench)
        yield bench


@pytest.fixture
def faulty_copy(faulty: Bench) -> Iterator[Bench]:
    bench = replace(faulty, warehouse=faulty.warehouse.with_database("check_faulty_copy"))
    with clone(faulty.warehouse, bench.warehouse):
        yield bench


def count(bench: Bench, *, producing: bool = False, catch_up_s: float = 0.5) -> Report:
    ends = partial(ends_of, bench.client, [bench.topic])
    return reconcile(bench.warehouse, [bench.topic], ends, producing=producing, catch_up_s=catch_up_s)


def lines_of(reader: psycopg.Connection, *names: str) -> dict[str, Line]:
    """What these checks say of one moment."""
    checks = choose(built_in(), names)
    with at_one_moment(reader, checks, {}, 10) as moment:
        return {line.name: line for check in checks for line in moment.run(check).lines}


def recent(order: str, product: int = 1) -> dict[str, Any]:
    """A line that comes in time for its minute."""
    return line(order, product, timestamp="2026-02-01")


def open_lines(report: Report) -> set[str]:
    return {found.name for found in report.lines if not found.closes}


def test_the_count_closes_and_says_what_it_counted(original: Bench) -> None:
    report = count(original)
    assert open_lines(report) == set()
    report.raise_if_open()
    expected = {"sent": 9, "broker": 12, "own": 9, "foreign": 3, "facts": 9, "duplicates": 1, "other": 1, "dead": 1}
    assert {name: report.figures[name] for name in expected} == expected
    assert json.loads(json.dumps(report.as_json(), default=str))["closes"] is True
    assert [found.name for found in report.lines] == [
        SENT, OFFSETS, RECORDS, KINDS, BROKEN, UNPLANNED, TWICE, LINES, FACTS, OTHER, DEAD, BY_DAY, LOST, ORPHANS, HOMELESS,
        AMOUNTS, SUM_LINES, SUM_REVENUE, *KEPT, *BY_MINUTE, MART_LINES, DAILY, PRODUCTS, CUSTOMERS, ATTRIBUTES, WINDOWS,
        FUTURE, *STALE,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tampering", "opens"),
    [
        (
            "DELETE FROM warehouse.fact_sales WHERE order_id = 'foreign'",
            {FACTS, SUM_LINES, SUM_REVENUE, NEWEST, MART_LINES, DAILY, PRODUCTS, CUSTOMERS, ATTRIBUTES, WINDOWS},
        ),
        (
            "INSERT INTO warehouse.fact_sales"
            " SELECT 'added', product_key, user_key, category_key, date_key, '2026-02-01', 1, 1, 1, 0, 0,"
            " 9223372036854775807 FROM warehouse.fact_sales LIMIT 1",
            {FACTS},
        ),
        (
            "UPDATE warehouse.fact_sales SET revenue = revenue + 0.01 WHERE order_id = 'foreign'",
            {SUM_REVENUE, NEWEST, DAILY, PRODUCTS, CUSTOMERS, ATTRIBUTES},
        ),
        ("UPDATE realtime.rolled SET load_xid_below = 0", {SUM_LINES, SUM_REVENUE, NEWEST}),
        ("UPDATE realtime.rolled SET lines = lines - 1", {SUM_LINES}),
        ("UPDATE realtime.rolled_categories SET revenue = revenue + 0.01", {KEPT[0], MINUTES_REVENUE}),
        ("DELETE FROM realtime.rolled_products", {KEPT[1]}),
        ("UPDATE realtime.rolled_customers SET revenue = 0", {KEPT[2]}),
        ("UPDATE ops.sent_ledger SET events = events - 1", {SENT, KINDS}),
        ("UPDATE ops.sent_ledger SET order_lines = order_lines + 2, other_events = other_events - 2", {LINES}),
        ("DELETE FROM ops.sent_ledger", {SENT, LINES}),
        ("UPDATE ops.consumer_offsets SET own = own + 1 WHERE partition = 1", {SENT}),
        ("UPDATE ops.consumer_offsets SET facts = facts - 1, duplicates = duplicates + 1 WHERE partition = 0", {FACTS}),
        ("UPDATE ops.consumer_offsets SET other = other - 1, duplicates = duplicates + 1 WHERE partition = 0", {OTHER}),
        ("UPDATE ops.consumer_offsets SET dead = dead - 1, lost = lost + 1 WHERE partition = 1", {DEAD, LOST}),
        ("UPDATE ops.consumer_offsets SET next_offset = 4, markers = 1 WHERE partition = 1", {OFFSETS}),
        ("DELETE FROM ops.consumer_offsets WHERE partition = 1", {OFFSETS, FACTS, DEAD}),
        ("DELETE FROM warehouse.user_changes", {OTHER}),
        ("DELETE FROM ops.dead_letters", {DEAD}),
        ("DELETE FROM warehouse.dim_user", {ORPHANS}),
        ("DELETE FROM warehouse.dim_product WHERE product_id = '2'", {ORPHANS}),
        ("DELETE FROM warehouse.dim_category WHERE category = 'C1'", {ORPHANS, HOMELESS}),
        ("DELETE FROM warehouse.dim_date", {ORPHANS}),
        ("UPDATE marts.daily_sales SET lines = lines + 1", {MART_LINES}),
        ("UPDATE marts.daily_sales SET revenue = revenue - 0.01", {DAILY}),
        ("UPDATE marts.product_performance SET revenue = revenue - 0.01", {PRODUCTS}),
        ("DELETE FROM marts.customer_ltv", {CUSTOMERS}),
        ("UPDATE marts.sales_by_attribute SET revenue = revenue - 0.01", {ATTRIBUTES}),
        ("UPDATE marts.sales_by_attribute SET lines = lines - 1", {ATTRIBUTES}),
        ("UPDATE realtime.minutes_by_currency SET lines = lines - 1", {WINDOWS}),
        ("UPDATE realtime.minutes_by_currency SET lines = lines + 1", {WINDOWS}),
    ],
)
def test_each_violation_opens_its_line(copy: Bench, tampering: str, opens: set[str]) -> None:
    copy.ask(tampering)
    report = count(copy, catch_up_s=0)
    assert open_lines(report) == opens
    with pytest.raises(CheckFailed, match="the count does not close"):
        report.raise_if_open()


def test_marts_of_a_version_without_attributes_are_counted_as_they_are(copy: Bench) -> None:
    copy.ask("DROP TABLE marts.sales_by_attribute")
    report = count(copy, catch_up_s=0)
    assert report.closes and ATTRIBUTES not in {line_.name for line_ in report.lines}


def test_a_missing_member_of_an_attributes_dimension_is_an_orphan(copy: Bench) -> None:
    migrate(copy.warehouse, attributes={"channel": "text", "store": "dimension"})
    copy.ask("INSERT INTO warehouse.dim_store (store) VALUES ('S1')")
    copy.ask(
        "UPDATE warehouse.fact_sales SET store_key = (SELECT store_key FROM warehouse.dim_store) WHERE order_id <> 'foreign'"
    )
    assert count(copy, catch_up_s=0).closes
    copy.ask("DELETE FROM warehouse.dim_store")
    report = count(copy, catch_up_s=0)
    assert open_lines(report) == {ORPHANS} and report.figures["orphans"] == 8


def test_faults_are_counted_by_kind_against_what_was_found(faulty: Bench) -> None:
    report = count(faulty)
    assert open_lines(report) == set(), report.lines
    assert {found.name: (found.left, found.right) for found in report.lines if found.name in (KINDS, BROKEN, TWICE, LINES)} == {
        KINDS: (7, 7), BROKEN: (3, 3), TWICE: (1, 1), LINES: (3, 3)
    }  # fmt: skip
    assert json.loads(json.dumps(report.as_json(), default=str))["faults"] == {
        "duplicate": {"sent": 1, "found": 1, "reason": None},
        "late": {"sent": 1, "found": None, "reason": None},
        "malformed.not_an_object": {"sent": 1, "found": 1, "reason": "not_an_object"},
        "malformed.not_json": {"sent": 2, "found": 2, "reason": "not_json"},
    }


OWN_DEAD = "UPDATE ops.dead_letters SET headers = "
SENT_FAULTS = "UPDATE ops.sent_ledger SET faults = faults || "


@pytest.mark.parametrize(
    ("tampering", "opens", "note"),
    [
        # the sums agree, the kinds do not
        (
            SENT_FAULTS + '\'{"malformed.not_json": 1, "malformed.not_an_object": 2}\'',
            {BROKEN},
            "not_an_object: 2 sent, 1 found; not_json: 1 sent, 2 found",
        ),
        (
            SENT_FAULTS + '\'{"malformed.not_json": 1, "malformed.huge": 1}\'',
            {BROKEN},
            "huge: 1 sent, 0 found; not_json: 1 sent, 2",
        ),
        (SENT_FAULTS + "'{\"malformed.not_json\": 3}'", {BROKEN, KINDS}, "not_json: 3 sent, 2 found"),
        (SENT_FAULTS + "'{\"duplicate\": 2}'", {TWICE, KINDS}, ""),
        (SENT_FAULTS + '\'{"duplicate": 0, "malformed.huge": 1}\'', {TWICE, BROKEN}, "huge: 1 sent, 0 found"),
        ("UPDATE ops.sent_ledger SET faults = faults - 'duplicate', other_events = 1", {TWICE}, ""),
        ("UPDATE ops.sent_ledger SET order_lines = 4, events = 8", {SENT, LINES}, ""),
        ("UPDATE ops.sent_ledger SET order_lines = 2, other_events = 1", {LINES}, ""),
        ("DELETE FROM ops.dead_letters WHERE reason = 'not_an_object'", {DEAD, BROKEN}, "not_an_object: 1 sent, 0 found"),
        (OWN_DEAD + "headers - 1 WHERE reason = 'not_an_object'", {BROKEN, UNPLANNED}, "not_an_object: 1 sent, 0 found"),
        (
            OWN_DEAD + "jsonb_set(headers, '{1,1}', to_jsonb(encode('late', 'base64'))) WHERE reason = 'not_an_object'",
            {BROKEN, UNPLANNED},
            "not_an_object: 1 sent, 0 found",
        ),
        (OWN_DEAD + "'[]' WHERE reason = 'not_an_object'", {BROKEN}, "not_an_object: 1 sent, 0 found"),  # nobody's
        (
            "UPDATE ops.consumer_offsets SET facts = facts - 1, duplicates = duplicates + 1 WHERE partition = 0",
            {FACTS, TWICE, LINES},
            "",
        ),
    ],
)
def test_each_fault_that_is_not_found_opens_its_line(faulty_copy: Bench, tampering: str, opens: set[str], note: str) -> None:
    faulty_copy.ask(tampering)
    report = count(faulty_copy, catch_up_s=0)
    assert open_lines(report) == opens
    (broken,) = (found for found in report.lines if found.name == BROKEN)
    assert note in broken.note and (BROKEN in opens) == bool(note)
    with pytest.raises(CheckFailed) as refused:
        report.raise_if_open()
    assert note in str(refused.value)


def test_an_own_dead_letter_that_nobody_planned_is_named_by_its_reason(faulty_copy: Bench) -> None:
    faulty_copy.ask(OWN_DEAD + "headers - 1 WHERE reason = 'not_json'")
    (unplanned,) = (found for found in count(faulty_copy).lines if found.name == UNPLANNED)
    assert (unplanned.left, unplanned.note, unplanned.closes) == (2, "not_json 2", False)


def test_foreign_duplicates_are_allowed_for_and_no_more(loaded: Bench) -> None:
    loaded.send([line("foreign", 2)] * 3, partition=1)
    loaded.load()
    report = count(loaded)
    assert open_lines(report) == set() and report.figures["foreign"] == 6
    (twice,) = (found for found in report.lines if found.name == TWICE)
    assert (twice.left, twice.right, twice.note) == ("0 .. 6", 4, "6 foreign records may be some of them")
    write_ledger(loaded, 14, 8, 1, {"duplicate": 5})
    assert open_lines(count(loaded)) == {SENT, TWICE}


def test_faults_close_while_they_are_being_sent(loaded: Bench, late: None) -> None:
    ended = threading.Event()

    def produce() -> None:
        rounds = 0
        while not ended.is_set():
            rounds += 1
            lines = [recent(f"live-{rounds}-{i}", 2) for i in range(20)]
            send_own(loaded, lines)
            send_own(loaded, lines[:3], fault="duplicate")
            send_own(loaded, [b"nonsense"] * 2, fault="malformed.not_json")
            faults = {"duplicate": 3 * rounds, "malformed.not_json": 2 * rounds}
            write_ledger(loaded, 9 + 25 * rounds, 8 + 20 * rounds, 1, faults)
            ended.wait(0.05)

    thread = threading.Thread(target=produce)
    with loaded.loading() as running:
        thread.start()
        try:
            for _ in range(3):
                report = count(loaded, producing=True, catch_up_s=60)
                assert open_lines(report) == set(), report.lines
        finally:
            ended.set()
            thread.join()
        loaded.until_loaded(running)
    report = count(loaded)
    assert open_lines(report) == set()
    assert report.figures["faults"]["malformed.not_json"]["found"] == report.figures["faults"]["malformed.not_json"]["sent"] > 0


def test_counters_that_do_not_add_up_are_refused_by_the_table_itself(original: Bench) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        original.ask("UPDATE ops.consumer_offsets SET facts = facts - 1 WHERE partition = 0")


def test_what_the_loader_has_not_reached_keeps_the_count_open(loaded: Bench) -> None:
    loaded.send([recent("new")])
    report = count(loaded)
    assert open_lines(report) == {OFFSETS}
    assert next(found for found in report.lines if found.name == OFFSETS).note.startswith("1 wait on the topic")
    loaded.load()
    assert open_lines(count(loaded)) == set()  # a fact that is newer than the dbt run does not open the marts


def test_markers_of_transactions_do_not_keep_the_count_open(loaded: Bench) -> None:
    with loaded.producer(transactional_id=f"t-{loaded.topic}") as producer:
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(loaded.topic, value=json.dumps(line("t")).encode(), partition=3)
        producer.flush()
        producer.abort_transaction()
    # The transaction is over for its producer before its marker is on the topic.
    wait_for(lambda: end_offsets(loaded.client, loaded.topic)[3] == 2, "the marker is on the topic")
    loaded.load()
    assert open_lines(count(loaded)) == set()


def test_lost_offsets_are_told_and_fail_the_check(loaded: Bench) -> None:
    loaded.send([recent("gone"), recent("new")], partition=1)
    admin = KafkaAdminClient(**loaded.client)
    admin.delete_records({TopicPartition(loaded.topic, 1): 4})
    admin.close()
    loaded.load()
    report = count(loaded)
    assert open_lines(report) == {LOST} and report.figures["lost"] == 1
    (gap,) = report.figures["gaps"]
    assert (gap["topic"], gap["partition"], gap["first"], gap["last"], gap["count"]) == (loaded.topic, 1, 3, 3, 1)
    with pytest.raises(CheckFailed, match=r"offsets 3 \.\. 3 of .*\[1\] were removed by retention .* they are gone"):
        report.raise_if_open()


def test_minutes_that_spark_closes_ahead_of_the_loader_do_not_open_the_count(loaded: Bench) -> None:
    """At full speed Spark may have closed minutes whose events the loader has not loaded at the moment of the count."""

    def ends() -> dict[tuple[str, int], int]:
        found = ends_of(loaded.client, [loaded.topic])
        loaded.ask("UPDATE realtime.stream_progress SET watermark = '2027-01-01'")
        loaded.ask(
            "INSERT INTO realtime.minutes_by_currency (window_start, category, currency, revenue, orders, lines, units)"
            " VALUES ('2026-06-01', 'ahead', 'USD', 1, 1, 1, 1) ON CONFLICT DO NOTHING"
        )
        return found

    assert open_lines(reconcile(loaded.warehouse, [loaded.topic], ends, producing=False, catch_up_s=0)) == set()
    assert open_lines(count(loaded)) == {WINDOWS}  # nothing was on its way: it is wrong


def test_a_second_topic_in_the_same_warehouse_closes_too(loaded: Bench) -> None:
    other = replace(loaded, topic=f"{loaded.topic}-two")
    ensure_topics(other.client, other.topic, 2, f"{other.topic}.dlq")
    other.send([recent("other topic"), b"nonsense"])
    other.load()
    assert open_lines(count(other)) == open_lines(count(loaded)) == set()


def test_the_count_closes_on_a_live_system(loaded: Bench, late: None) -> None:
    ended = threading.Event()

    def produce() -> None:
        sent = 9
        while not ended.is_set():
            send_own(loaded, [recent(f"live-{sent + i}", 2) for i in range(20)])
            sent += 20
            write_ledger(loaded, sent, sent - 1, 1, {})
            ended.wait(0.05)

    thread = threading.Thread(target=produce)
    with loaded.loading() as running:
        thread.start()
        try:
            for _ in range(3):
                report = count(loaded, producing=True, catch_up_s=60)
                assert open_lines(report) == set(), report.lines
        finally:
            ended.set()
            thread.join()
        loaded.until_loaded(running)
    assert open_lines(count(loaded)) == set()


def test_a_ledger_that_a_busy_machine_writes_late_is_waited_for(loaded: Bench) -> None:
    send_own(loaded, [recent("late", 2)])
    loaded.load()
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if sum(waited) > LEDGER_FLUSH_S + 1:
            write_ledger(loaded, 10, 9, 1, {})

    ends = partial(ends_of, loaded.client, [loaded.topic])
    report = reconcile(
        loaded.warehouse, [loaded.topic], ends, producing=True, catch_up_s=0.5, clock=lambda: sum(waited), wait=wait
    )
    assert SENT not in open_lines(report), report.lines


ANOTHER_FACT = (
    "INSERT INTO warehouse.fact_sales (order_id, product_key, user_key, category_key, date_key, ordered_at, quantity,"
    " unit_price, revenue, source_partition, source_offset, load_xid) SELECT {order}, product_key, user_key, category_key,"
    " date_key, ordered_at, 1, 1, 1, 0, 0, pg_current_xact_id()::text::bigint FROM {source}"
)
COUNTED = "UPDATE ops.consumer_offsets SET facts = facts + {n}, next_offset = next_offset + {n} WHERE partition = 0"


def test_all_figures_are_of_one_moment_while_a_writer_commits(loaded: Bench) -> None:
    many = 120_000  # so many pages that a parallel scan would be worth it
    source = "(SELECT * FROM warehouse.fact_sales LIMIT 1) AS one"
    loaded.ask(ANOTHER_FACT.format(order="'m-' || n", source=f"{source}, generate_series(1, {many}) AS n"))
    loaded.ask(COUNTED.format(n=many))
    loaded.ask("VACUUM ANALYZE warehouse.fact_sales")
    ended = threading.Event()

    def write() -> None:
        with loaded.warehouse.connect("admin") as connection:
            for number in itertools.count():
                with connection.transaction():
                    connection.execute(ANOTHER_FACT.format(order=f"'w-{number}'", source=source).encode())
                    connection.execute(COUNTED.format(n=1).encode())
                if ended.is_set():
                    return

    thread = threading.Thread(target=write)
    thread.start()
    try:
        with loaded.warehouse.connect("ecom_reader", autocommit=True) as reader:
            found = [lines_of(reader, "rows", "references") for _ in range(25)]
    finally:
        ended.set()
        thread.join()
    pairs = [(lines[FACTS].left, lines[FACTS].right) for lines in found]
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
    assert len(set(pairs)) > 5, "nothing was written meanwhile: the test proves nothing"
    assert {lines[ORPHANS].left for lines in found} == {0}


def new_run(bench: Bench, status: str) -> None:
    bench.ask(
        "INSERT INTO ops.dbt_runs (trigger, started_at, status, load_xid_below)"
        " VALUES ('t', now(), %s, pg_current_xact_id()::text::bigint)",
        [status],
    )


@pytest.mark.parametrize("status", ["running", "error"])
def test_a_dbt_run_that_has_brought_some_marts_further_keeps_the_count_closed(copy: Bench, status: str) -> None:
    source = "(SELECT * FROM warehouse.fact_sales LIMIT 1) AS one"
    copy.ask(ANOTHER_FACT.format(order="'late-1'", source=source))
    copy.ask(COUNTED.format(n=1))
    copy.ask("UPDATE warehouse.fact_sales SET ordered_at = '2026-02-01' WHERE order_id = 'late-1'")
    marts = {MART_LINES, DAILY, PRODUCTS, CUSTOMERS}
    new_run(copy, status)
    assert not open_lines(count(copy, catch_up_s=0)) & marts
    copy.ask("UPDATE marts.daily_sales SET lines = lines + 1, revenue = revenue + 1")
    report = count(copy, catch_up_s=0)
    assert not open_lines(report) & marts
    (line_,) = (found for found in report.lines if found.name == MART_LINES)
    assert (", which is at work" if status == "running" else ", which failed") in line_.note
    copy.ask("UPDATE marts.customer_ltv SET revenue = revenue + 1")
    assert not open_lines(count(copy, catch_up_s=0)) & marts
    copy.ask("UPDATE marts.customer_ltv SET revenue = revenue + 0.01")
    assert open_lines(count(copy, catch_up_s=0)) & marts == {CUSTOMERS}  # neither what it was nor what it will be
    copy.ask("UPDATE marts.customer_ltv SET revenue = revenue - 0.01")
    new_run(copy, "success")
    assert open_lines(count(copy, catch_up_s=0)) & marts == {PRODUCTS}  # a run that ended well has brought all


def test_a_mart_that_is_swapped_for_a_new_one_is_seen_whole(copy: Bench) -> None:
    ended = threading.Event()

    def swap() -> None:
        with copy.warehouse.connect("admin") as connection:
            while not ended.is_set():
                connection.execute("CREATE TABLE marts.fresh AS TABLE marts.product_performance")
                connection.execute("GRANT SELECT ON marts.fresh TO ecom_reader")
                connection.execute("ALTER TABLE marts.product_performance RENAME TO old")
                connection.execute("ALTER TABLE marts.fresh RENAME TO product_performance")
                connection.commit()
                connection.execute("DROP TABLE marts.old")
                connection.commit()

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        with copy.warehouse.connect("ecom_reader", autocommit=True) as reader:
            found = [lines_of(reader, "marts")[PRODUCTS].left for _ in range(60)]
    finally:
        ended.set()
        thread.join()
    assert len(set(found)) == 1 and found[0] == Decimal("189.00")


@pytest.fixture
def reader(original: Bench, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    archive_records(tmp_path, [Record(0, 7, 0, None, b"{}", ()), Record(0, 8, 0, b"7", b"\xff", ())])
    connection = attach(original.warehouse, tmp_path)
    yield connection
    connection.close()


def test_sql_reads_the_warehouse_and_the_lake(reader: duckdb.DuckDBPyConnection) -> None:
    assert query(reader, "SELECT count(*) AS n FROM fact_sales", 5) == (["n"], [(9,)], False)
    assert query(reader, "SELECT order_id FROM fact_sales ORDER BY 1", 2) == (["order_id"], [("1",), ("2",)], True)
    raw = query(reader, 'SELECT topic, partition, "offset", key, value, date::text FROM memory.main.lake ORDER BY 3', 5)[1]
    assert raw == [("t", 0, 7, None, "{}", "2026-11-27"), ("t", 0, 8, "7", "\\xFF", "2026-11-27")]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DELETE FROM fact_sales", "read-only"),
        ("CALL postgres_execute('ecom', 'DELETE FROM warehouse.fact_sales')", "read-only transaction"),
        ("SELECT * FROM read_text('/etc/passwd')", "disabled by configuration"),
        ("COPY (SELECT 1) TO '/tmp/ecom_lite_must_not_exist.csv'", "disabled by configuration"),
        ("ATTACH '/tmp/ecom_lite_must_not_exist.db'", "disabled by configuration"),
        ("SET enable_external_access = true", "locked"),
    ],
)
def test_the_attached_database_itself_refuses_to_write(reader: duckdb.DuckDBPyConnection, statement: str, message: str) -> None:
    """The second wall: `query` does not let these come so far (test_sql_only_reads.py)."""
    with pytest.raises(duckdb.Error, match=message):
        reader.execute(statement)


@pytest.mark.parametrize(
    ("statement", "message"),
    [("SELECT nope FROM fact_sales", 'Referenced column "nope" not found'), ("SELEC 1", "syntax error")],
)
def test_a_wrong_question_gets_the_databases_own_message(reader: duckdb.DuckDBPyConnection, statement: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        query(reader, statement, 5)


def test_no_password_is_shown(reader: duckdb.DuckDBPyConnection, original: Bench) -> None:
    password = original.warehouse.passwords["ecom_reader"]
    for table in ("duckdb_databases()", "duckdb_secrets()", "duckdb_settings()"):
        assert password not in str(reader.execute(f"SELECT * FROM {table}").fetchall())
    with pytest.raises(QueryError, match=r"cannot be reached: .*refused") as refused:
        attach(replace(original.warehouse, port=1))
    assert password not in str(refused.value)
