"""The past of a shop: sent, loaded, in the marts, in that order and with times."""

from __future__ import annotations

from ecom_lite.observe.figures import ProducerFigures
from ecom_lite.run.backfill import Backfill
from ecom_lite.warehouse.connect import Address


def account_for(warehouse: Address, facts: int, other: int) -> None:
    with warehouse.connect("ecom_owner") as connection:
        connection.execute(
            "INSERT INTO ops.consumer_offsets (topic, partition, next_offset, epoch, first_offset, facts, other) "
            "VALUES ('t', 0, %(n)s, 1, 0, %(f)s, %(o)s) ON CONFLICT (topic, partition) DO UPDATE "
            "SET next_offset = %(n)s, facts = %(f)s, other = %(o)s",
            {"n": facts + other, "f": facts, "o": other},
        )


def test_a_past_is_pending_until_its_last_event_is_loaded(warehouse: Address) -> None:
    figures = [ProducerFigures()]
    now = [100.0]
    history = Backfill(lambda: figures[-1], lambda: warehouse, lambda: now[0])
    assert not history.pending() and not history.expected, "the producer has not said anything yet"
    figures.append(ProducerFigures(history="sending"))
    assert history.pending() and history.expected
    now[0] = 107.0
    figures.append(ProducerFigures(history="sent", history_events=12))
    account_for(warehouse, 9, 2)
    assert history.pending()
    now[0] = 109.5
    account_for(warehouse, 9, 3)
    assert not history.pending()
    history.in_marts()
    now[0] = 200.0
    assert not history.pending()
    history.in_marts()
    assert history.seconds == {"sent": 7.0, "loaded": 9.5, "marts": 9.5}
    assert history.events == 12


def test_a_shop_without_a_past_waits_for_nothing(warehouse: Address) -> None:
    history = Backfill(ProducerFigures, lambda: warehouse)
    assert not history.pending()
    history.in_marts()
    assert not history.expected and history.seconds == {}


def test_a_database_that_is_away_only_delays() -> None:
    nowhere = Address("127.0.0.1", 1, "none", "postgres", "", {"ecom_reader": "x"})
    history = Backfill(lambda: ProducerFigures(history="sent", history_events=1), lambda: nowhere)
    assert history.pending()
    assert "loaded" not in history.seconds
