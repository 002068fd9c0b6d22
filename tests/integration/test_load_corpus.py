"""The corpus, and generated records, through a real Kafka and the real loader: nothing stops it, nothing is held up, each
offset ends as it should, and what is dead is kept to the byte."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from kafka.record import memory_records

from ecom_lite.contract.events import Event, OrderLine, OrderReversal, parse
from ecom_lite.contract.rejected import Rejected
from ecom_lite.warehouse.connect import Address
from tests.unit.contract.corpus import CASES
from tests.unit.contract.corpus_base import FACT, NOW, OTHER
from tests.unit.contract.fuzz import records

from .loading import PARTITIONS, Bench, line
from .raw_records import NullHeaders, RawSender, make_wide_topic, open_lines, stored_headers

SEED = int(os.environ.get("ECOM_LITE_FUZZ_SEED", "5"))
RECORDS = int(os.environ.get("ECOM_LITE_FUZZ_RECORDS", "600"))
PER_BATCH = 60
Place = tuple[int, int]


@pytest.fixture
def bench(kafka_bootstrap: str, topic: str, warehouse: Address) -> Bench:
    bench = Bench(kafka_bootstrap, f"{topic}_wide", warehouse)
    make_wide_topic(bench)
    return bench


@pytest.fixture
def sender(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Iterator[RawSender]:
    monkeypatch.setattr(memory_records, "DefaultRecordBatchBuilder", NullHeaders)
    sender = RawSender(bench)
    yield sender
    sender.close()


def fates(bench: Bench) -> dict[Place, str]:
    """What became of each offset; duplicates are in no table."""
    found = [
        *bench.ask("SELECT source_partition, source_offset, 'fact' FROM warehouse.fact_sales"),
        *bench.ask("SELECT source_partition, source_offset, 'other' FROM warehouse.fact_returns"),
        *bench.ask("SELECT source_partition, source_offset, 'other' FROM warehouse.user_changes"),
        *bench.dead(),
    ]
    places = {(partition, offset): fate for partition, offset, fate in found}
    assert len(places) == len(found), "an offset ended twice"
    return places


def facts(bench: Bench) -> dict[Place, tuple[Any, ...]]:
    rows = bench.ask(
        "SELECT f.source_partition, f.source_offset, f.order_id, u.user_id, p.product_id, c.category, f.quantity,"
        " coalesce(f.exact_price, f.unit_price), coalesce(f.exact_price * f.quantity, f.revenue), f.currency, f.ordered_at"
        " FROM warehouse.fact_sales f JOIN warehouse.dim_user u USING (user_key)"
        " JOIN warehouse.dim_product p USING (product_key) JOIN warehouse.dim_category c ON c.category_key = f.category_key"
    )
    return {row[:2]: row[2:] for row in rows}


def columns(event: OrderLine) -> tuple[Any, ...]:
    return (
        event.order_id, str(event.user_id), str(event.product_id), event.category, event.quantity, event.price, event.revenue,
        event.currency, event.timestamp,
    )  # fmt: skip


def test_every_case_ends_as_it_should_and_the_valid_lines_between_them_are_facts(bench: Bench, sender: RawSender) -> None:
    for number, case in enumerate(CASES):
        sender.send(case.value, case.key, case.headers, number % PARTITIONS)
        sender.send(line_bytes(f"between-{number}", number), b"1", (), number % PARTITIONS)
    offsets = sender.offsets()
    with bench.loading(bench.loader(batch_rows=100, clock=lambda: NOW)) as running:
        bench.until_loaded(running)
    assert running.failure is None
    found = fates(bench)
    expected: dict[Place, str] = {}
    for number, case in enumerate(CASES):
        expected[number % PARTITIONS, offsets[2 * number]] = case.fate
        expected[number % PARTITIONS, offsets[2 * number + 1]] = FACT
    assert {place: (fate, found.get(place)) for place, fate in expected.items() if found.get(place) != fate} == {}
    kinds = Counter(fate if fate in (FACT, OTHER) else "dead" for fate in expected.values())
    assert bench.counts() == {"facts": kinds[FACT], "other": kinds[OTHER], "dead": kinds["dead"]}
    assert open_lines(bench) == []
    stored = {
        row[:2]: row[2:] for row in bench.ask('SELECT partition, "offset", key, value, headers, detail FROM ops.dead_letters')
    }
    rows = facts(bench)
    for number, case in enumerate(CASES):
        place = number % PARTITIONS, offsets[2 * number]
        if case.fate == FACT:
            event = parse(case.value, NOW)
            assert isinstance(event, OrderLine) and rows[place] == columns(event), case.name
        elif case.fate != OTHER:
            key, value, headers, detail = stored[place]
            assert (key, value, headers) == (case.key, case.value, stored_headers(case.headers)), case.name
            assert case.says in detail


def line_bytes(order: str, product: int) -> bytes:
    return json.dumps(line(order, 1 + product)).encode()


def generated(count: int, seed: int) -> list[Any]:
    """(value, key, headers) by the strategies of the unit fuzz: the same for the same seed and the same modules loaded."""
    found: list[Any] = []

    @seeded(seed)
    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(records)
    def collect(record: Any) -> None:
        found.append(record)

    collect()
    return found


def identity(event: Event) -> tuple[object, ...]:
    """What the warehouse counts once."""
    if isinstance(event, OrderLine):
        return "line", event.order_id, event.product_id
    if isinstance(event, OrderReversal):
        return event.event_type, event.order_id, event.product_id, event.event_id or event.timestamp
    return event.event_type, event.user_id, event.timestamp


def test_generated_records_hold_nothing_up_and_rows_are_what_parse_says(bench: Bench, sender: RawSender) -> None:
    print(f"ECOM_LITE_FUZZ_SEED={SEED} ECOM_LITE_FUZZ_RECORDS={RECORDS}")
    sample = generated(RECORDS, SEED)
    assert len(sample) >= min(RECORDS, 100)
    seen: set[tuple[object, ...]] = set()
    counts: Counter[str] = Counter()
    expected: dict[Place, str] = {}
    rows: dict[Place, tuple[Any, ...]] = {}
    sent: dict[Place, Any] = {}
    with bench.loading(bench.loader(clock=lambda: NOW)) as running:
        for first in range(0, len(sample), PER_BATCH):
            batch, partition = sample[first : first + PER_BATCH], first // PER_BATCH % PARTITIONS
            for value, key, headers in batch:
                sender.send(value, key, headers, partition)
            sender.send(line_bytes(f"sentinel-{first}", first), None, (), partition)
            offsets = sender.offsets()
            bench.until_loaded(running)
            for record, offset in zip([*batch, (line_bytes(f"sentinel-{first}", first), None, ())], offsets, strict=True):
                place = partition, offset
                sent[place] = record
                try:
                    event = parse(record[0], NOW)
                except Rejected as rejected:
                    counts["dead"] += 1
                    expected[place] = rejected.reason
                    continue
                if identity(event) in seen:
                    counts["duplicates"] += 1
                elif isinstance(event, OrderLine):
                    counts["facts"] += 1
                    expected[place], rows[place] = FACT, columns(event)
                else:
                    counts["other"] += 1
                    expected[place] = OTHER
                seen.add(identity(event))
    assert running.failure is None
    found = fates(bench)
    wrong = {place: (expected.get(place), found.get(place)) for place in expected | found}
    assert {sent[place]: fate for place, fate in wrong.items() if fate[0] != fate[1]} == {}, (
        "(value, key, headers): expected, found"
    )
    assert facts(bench) == rows
    assert bench.counts() == counts
    # One in twenty is another event; how many exactly is a matter of what else this process has imported.
    assert min(counts[kind] for kind in ("facts", "other", "dead")) >= RECORDS / 80, "the sample proves little"
    assert open_lines(bench) == []
