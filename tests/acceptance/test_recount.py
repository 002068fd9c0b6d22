"""Half a year with a change of the clock in it: each mart, row for row, beside a recount of the topic that shares no code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import duckdb
import pytest
from kafka import KafkaConsumer, TopicPartition

from tests.runs import LightRun, wait_for

from .odd_sales import RATES, Event, OddSales

RECOUNT: Final = Path(__file__).parent / "recount"
BY_DAY: Final = (
    "daily_sales", "hourly_sales", "cohorts", "new_and_returning", "category_trend", "sales_by_place", "order_facts",
    "customer_ltv", "customer_rfm",
)  # fmt: skip
WITH_RETURNS: Final = (*BY_DAY, "returns_by_product", "product_performance")
MARTS: Final = (*WITH_RETURNS, "sales_by_attribute", "return_problems", "dim_customer_history", "basket_pairs")
# Which product of a pair comes first is the loader's affair.
EITHER_WAY: Final = {
    "basket_pairs": "SELECT * REPLACE (least(product_id, other_product_id) AS product_id, "
    "greatest(product_id, other_product_id) AS other_product_id, least(confidence, confidence_of_other) AS confidence, "
    "greatest(confidence, confidence_of_other) AS confidence_of_other) FROM marts.basket_pairs"
}
TOPIC: Final = "ecommerce_events"
ZONE: Final = "Europe/Berlin"  # summer time ended on 26 October 2025
CLOCK: Final = ("--start", "2025-11-03T00:00Z", "--history", "180d")
SHOP: Final = {
    "ECOM_LITE_SHOP__TIME_ZONE": ZONE, "ECOM_LITE_SHOP__ORDERS_PER_DAY": "350", "ECOM_LITE_SHOP__CUSTOMERS": "20000",
    "ECOM_LITE_FAULTS__DUPLICATE": "2%", "ECOM_LITE_FAULTS__OUT_OF_ORDER": "5%", "ECOM_LITE_FAULTS__LATE": "2%",
    "ECOM_LITE_FAULTS__LATE_S": "5",
}  # fmt: skip
ODD_ORDERS: Final = 6_000


def settled(run: LightRun, foreign: int) -> bool:
    """By the counts, which are of one moment: the lag is what each loader has said last, maybe before the newest came."""
    state = run.state
    loaded = sum(state[name] for name in ("facts", "duplicates", "other", "dead"))
    return bool(state["paused"] and state["held"] == 0 and state["sent_per_s"] == 0 and loaded == state["sent"] + foreign)


def send(run: LightRun, file: Path, events: list[Event]) -> None:
    file.write_text("".join(json.dumps(event, ensure_ascii=False) + "\n" for event in events))
    said = run.verb("produce", str(file), "--rate", "max", "--strict")
    assert said.returncode == 0, said.stderr


def topic_records(bootstrap: str) -> Iterator[dict[str, object]]:
    """All that is committed on the topic, read as any client reads it."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        parts = [TopicPartition(TOPIC, partition) for partition in consumer.partitions_for_topic(TOPIC)]
        consumer.assign(parts)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(parts)
        while any(consumer.position(part) < ends[part] for part in parts):
            for record in chain.from_iterable(consumer.poll(timeout_ms=200, max_records=10_000).values()):
                yield {"partition": record.partition, "offset": record.offset, "text": record.value.decode()}
    finally:
        consumer.close(autocommit=False)


def recount(duck: duckdb.DuckDBPyConnection) -> None:
    """Make a table for each mart, of its name, from the table `records`."""
    duck.execute((RECOUNT / "movements.sql").read_text())
    for mart in MARTS:
        duck.execute(f"CREATE OR REPLACE TABLE {mart} AS {(RECOUNT / f'{mart}.sql').read_text()}")


def differences(duck: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, list[str]]:
    """Rows of each mart that the recount has not, and the other way round."""
    found = {}
    for mart in MARTS:
        file = folder / f"{mart}.parquet"
        columns = ", ".join(column for column, *_ in duck.execute(f"DESCRIBE {mart}").fetchall())
        marts, ours = f"SELECT {columns} FROM '{file}'", f"SELECT {columns} FROM {mart}"
        sides = {"mart": f"{marts} EXCEPT ALL {ours}", "recount": f"{ours} EXCEPT ALL {marts}"}
        rows = [f"{side}: {row}" for side, query in sides.items() for row in duck.execute(f"{query} ORDER BY ALL").fetchall()]
        if rows:
            found[mart] = rows
    return found


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_marts_are_what_a_recount_of_the_topic_finds(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[events.attributes]\nchannel = "text"\n')
    run = LightRun(tmp_path / "data", *CLOCK, "--config", str(tmp_path / "config.toml"), env=SHOP)
    odd = list(OddSales(seed=5, orders=ODD_ORDERS).events())
    try:
        run.wait_ready()
        (tmp_path / "rates.csv").write_text(RATES)
        rated = run.verb("rates", "load", str(tmp_path / "rates.csv"))
        assert rated.returncode == 0, rated.stderr
        send(run, tmp_path / "first.jsonl", odd[: len(odd) // 2])
        wait_for(lambda: run.state.get("history") == "sent" and run.state["lag"] == 0, "the past is loaded", 180)
        assert run.verb("refresh", deadline_s=120).returncode == 0
        send(run, tmp_path / "second.jsonl", odd[len(odd) // 2 :])  # months late for marts that are built
        assert run.verb("pause").returncode == 0
        wait_for(lambda: settled(run, len(odd)), lambda: f"all is loaded: {run.state}")
        refreshed = run.verb("refresh", deadline_s=120)
        assert refreshed.returncode == 0, refreshed.stderr
        checked = run.verb("check")
        assert checked.returncode == 0, checked.stderr

        duck = duckdb.connect()
        duck.execute(f"SET TimeZone = 'UTC'; SET VARIABLE zone = '{ZONE}'")
        duck.execute((RECOUNT / "macros.sql").read_text())
        duck.execute((RECOUNT / "records.sql").read_text(), {"rows": json.dumps(list(topic_records(run.state["bootstrap"])))})
        duck.execute((RECOUNT / "rates.sql").read_text(), {"file": str(tmp_path / "rates.csv")})
        recount(duck)
        counted = dict(
            duck.execute("SELECT 'facts', count(*) FROM sold UNION ALL SELECT 'back', count(*) FROM came_back").fetchall()
        )
        assert counted["facts"] == run.state["facts"] > 100_000, "the topic was read to its end, and is large enough"
        for mart in MARTS:
            asked = EITHER_WAY.get(mart, f"FROM marts.{mart}")
            said = run.verb("sql", "--format", "parquet", "--output", str(tmp_path / f"{mart}.parquet"), asked)
            assert said.returncode == 0, said.stderr
        sizes = {mart: duck.execute(f"SELECT count(*) FROM {mart}").fetchall()[0][0] for mart in MARTS}
        assert all(sizes.values()), sizes
        assert differences(duck, tmp_path) == {}
        long_day = f"SELECT hour_of_day FROM '{tmp_path}/hourly_sales.parquet' WHERE date = '2025-10-26' ORDER BY hour"
        assert [hour for (hour,) in duck.execute(long_day).fetchall()] == [0, 1, 2, 2, *range(3, 24)]
        print(f"{counted['facts']:,} facts and {counted['back']:,} returns; rows that agree: {sizes}")

        # What this test would say of marts that lack a return, count days by another clock, or have not read all of the topic.
        duck.execute("CREATE TABLE kept AS FROM records")
        breaks = {
            (RECOUNT / "without_one_return.sql").read_text(): WITH_RETURNS,
            "SET VARIABLE zone = 'UTC'": (*BY_DAY, "sales_by_attribute"),
            "DELETE FROM records WHERE partition = 0": MARTS,
        }
        for statement, found in breaks.items():
            duck.execute(f"CREATE OR REPLACE TABLE records AS FROM kept; SET VARIABLE zone = '{ZONE}'")
            duck.execute(statement)
            recount(duck)
            assert set(differences(duck, tmp_path)) == set(found), statement
    finally:
        run.close()
