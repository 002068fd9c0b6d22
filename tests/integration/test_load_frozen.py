"""A loader that is frozen between BEGIN and COMMIT holds nothing for long: its heir has the partitions, and others go on."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from ecom_lite.contract.events import utc_now
from ecom_lite.load.claims import Claims
from ecom_lite.load.decode import Batch, Part
from ecom_lite.load.retry import Patience
from ecom_lite.load.topics import Topics
from ecom_lite.load.write import StaleOwner, Writer
from ecom_lite.topic.records import Record
from ecom_lite.warehouse.connect import Address
from tests.runs import wait_for

from .loading import line

TOPIC = "orders"
DEADLINE_S = 80  # the limits are ten seconds
DAYS = ("2026-01-02", "2026-01-03", "2026-01-04")  # with a user, a product and a category each: no row is shared by chance


def batch_of(partition: int, event: dict[str, Any], epoch: int = 1) -> Batch:
    """One record, the first of its partition."""
    batch = Batch()
    record = Record(partition, 0, 1, None, json.dumps(event).encode(), ())
    batch.add(Part(partition, [record], 0, 1, epoch), utc_now())
    return batch


def patiently(work: Callable[[], object], reconnect: Callable[[], None], said: list[str]) -> None:
    """As a loader does it, in this thread."""
    waited = threading.Event()

    def pause(seconds: float) -> None:
        said.append(patience.waiting_for)
        waited.wait(seconds)

    patience = Patience(pause)
    patience.run(work, reconnect)


@contextmanager
def frozen(writer: Writer, batch: Batch, at_point: threading.Event, thaw: threading.Event) -> Iterator[list[object]]:
    """`writer` stands still in the midst of the transaction of `batch` until `thaw`; what its loader then meets is yielded."""
    met: list[object] = []

    def run() -> None:
        try:
            patiently(lambda: writer.write(batch), writer.close, [])
        except BaseException as error:
            met.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert at_point.wait(DEADLINE_S)
    try:
        yield met
    finally:
        thaw.set()
        thread.join(DEADLINE_S)
        writer.close()


def stop_at(point: str, reached: threading.Event, thaw: threading.Event) -> Callable[[str], None]:
    def at(now: str) -> None:
        if now == point and not reached.is_set():
            reached.set()
            thaw.wait(DEADLINE_S + 20)

    return at


@pytest.mark.timeout(2 * DEADLINE_S + 30)
def test_partitions_of_loaders_that_are_frozen_in_a_transaction_go_to_the_heir_and_nobody_else_waits_for_them(
    warehouse: Address,
) -> None:
    claims, thaw, said = Claims(warehouse, Topics(TOPIC)), threading.Event(), list[str]()
    claims.claim({0: 0, 1: 0, 2: 0})
    with ExitStack() as stack:
        stack.callback(claims.close)
        met = []
        for partition, point in ((0, "filled"), (1, "copying")):  # idle in its transaction; and in the midst of its rows
            event = line(partition, partition + 1, user_id=partition + 1, category=f"c{partition}", timestamp=DAYS[partition])
            reached = threading.Event()
            writer = Writer(warehouse, Topics(TOPIC), at=stop_at(point, reached, thaw))
            met.append(stack.enter_context(frozen(writer, batch_of(partition, event), reached, thaw)))

        # A loader of another partition has an event of the customer whom the frozen COPY has just made.
        other, done = Writer(warehouse, Topics(TOPIC)), threading.Event()
        stack.callback(other.close)

        def write_beside() -> None:
            patiently(lambda: other.write(batch_of(2, line(2, 3, user_id=2, category="c2", timestamp=DAYS[2]))), other.close, [])
            done.set()

        threading.Thread(target=write_beside, daemon=True).start()

        claimed = threading.Event()

        def inherit() -> None:
            patiently(lambda: claims.claim({0: 0, 1: 0}), claims.close, said)
            claimed.set()

        threading.Thread(target=inherit, daemon=True).start()
        wait_for(claimed.is_set, lambda: f"the heir to have both partitions; it says {said[-1:]}", DEADLINE_S)
        wait_for(done.is_set, "the loader beside them", DEADLINE_S)
        for held in (0, 1):  # three seconds that the heir waits, and what it needed to begin
            assert re.search(rf"partition {held} held by a loader that is silent for ([3-9]|1\d) s", said[0]), said
        thaw.set()
        wait_for(lambda: all(met), "those that were frozen to see what became of them")
    assert all(isinstance(error, StaleOwner) for (error,) in met), met
    with warehouse.connect("ecom_reader") as reader:
        assert reader.execute("SELECT order_id FROM warehouse.fact_sales").fetchall() == [("2",)]


@pytest.mark.parametrize("role", ["ecom_loader", "ecom_producer", "ecom_stream", "ecom_dbt", "ecom_owner"])
def test_no_writer_of_ours_may_stand_still_in_a_transaction_and_a_lost_machine_is_noticed(warehouse: Address, role: str) -> None:
    with warehouse.connect(role) as connection:
        names = ("idle_in_transaction_session_timeout", "tcp_keepalives_idle", "tcp_user_timeout")
        rows: dict[str, int] = dict(
            connection.execute("SELECT name, setting::bigint FROM pg_settings WHERE name = ANY(%s)", [list(names)]).fetchall()
        )
    assert 0 < rows[names[0]] <= 60_000 and 0 < rows[names[1]] <= 30 and 0 < rows[names[2]] <= 60_000, rows
