"""The harness's own reading of the contract, in SQL: it shares no code with the loader's, and both say the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from ecom_lite.contract.events import Event, OrderLine, UserChange, parse, utc_now
from ecom_lite.contract.reader import make_reader
from ecom_lite.contract.rejected import Rejected
from ecom_lite.harness.records import POISON, REFUSED_QUANTITY, Drawn
from ecom_lite.harness.recount import Account, Lost, judge
from ecom_lite.harness.shapes import EVENTS, ORDERS, RENAMED
from ecom_lite.harness.shapes import drawn as shaped
from ecom_lite.harness.topic import Raw
from ecom_lite.settings.events import Events
from ecom_lite.warehouse.connect import Address
from tests.unit.contract.corpus import cases
from tests.unit.contract.differences import RECOUNT

NOWHERE = Address("127.0.0.1", 1, "none", "postgres", "", {})


def drawn(seed: int, count: int = 1500, refuse: bool = False) -> list[Raw]:
    portions = Drawn(random.Random(seed), refuse).portions(count, transactions=True)
    values = [record.value for portion in portions for record in portion.records]
    return [(0, offset, value, False) for offset, value in enumerate(values)]


def judged(records: list[Raw], lost: list[Lost] | None = None, refused: int | None = None) -> duckdb.DuckDBPyConnection:
    duck = duckdb.connect(":memory:")
    duck.execute("SET TimeZone = 'UTC'")
    judge(duck, Account(NOWHERE, "topic", records, {0: len(records)}, {}, lost or [], refused))
    return duck


def as_the_loader_sees_it(value: bytes | None, now: datetime | None = None) -> tuple[object, ...]:
    try:
        return as_seen(parse(value, now or utc_now()))
    except Rejected as rejected:
        return (rejected.reason,)


def as_seen(event: Event) -> tuple[object, ...]:
    if isinstance(event, OrderLine):
        return (
            "order",
            event.order_id,
            str(event.user_id),
            str(event.product_id),
            event.product_title,
            event.category,
            event.currency,
            event.quantity,
            event.price,
            event.list_price,
            event.revenue,
            event.timestamp,
        )
    if isinstance(event, UserChange):
        return (event.event_type, str(event.user_id), event.timestamp)
    return (event.event_type, event.order_id, str(event.product_id), event.quantity, event.timestamp)


def as_the_recount_sees_it(records: list[Raw]) -> list[tuple[object, ...]]:
    rows = judged(records).execute(
        "SELECT reason, kind, order_id, user_id, product_id, title, category, currency, quantity, price, list_price, revenue,"
        ' moment FROM judged ORDER BY "offset"'
    )
    return [_as_seen(row) for row in rows.fetchall()]


def _key(seen: tuple[object, ...]) -> str:
    return str(seen[:4])


def _as_seen(row: Sequence[Any]) -> tuple[object, ...]:
    reason, kind, *fields = row
    order_id, user_id, product_id, _, _, _, quantity, *_, moment = fields
    if reason:
        return (reason,)
    if kind == "order":
        return (kind, *fields)
    return (kind, user_id, moment) if kind.startswith("user") else (kind, order_id, product_id, quantity, moment)


@pytest.mark.parametrize("seed", range(4))
def test_the_recount_and_the_loader_read_every_record_of_the_harness_alike(seed: int) -> None:
    records = drawn(seed)
    for (_, _, value, _), found in zip(records, as_the_recount_sees_it(records), strict=True):
        assert found == as_the_loader_sees_it(value), (value or b"")[:300]


@pytest.mark.parametrize("form", [RENAMED, ORDERS])
@pytest.mark.parametrize("seed", range(4))
def test_the_recount_and_the_loader_read_every_foreign_record_alike(form: str, seed: int) -> None:
    draw = random.Random(seed)
    sent = [record for portion in shaped(form, draw, True).portions(1500, transactions=True) for record in portion.records]
    read = make_reader(Events.model_validate(EVENTS[form]))
    duck = duckdb.connect(":memory:")
    duck.execute("SET TimeZone = 'UTC'")
    records = [(0, offset, record.value, record.own) for offset, record in enumerate(sent)]
    judge(duck, Account(NOWHERE, "topic", records, {0: len(records)}, {}, [], None, form))
    rows = duck.execute(
        "SELECT reason, kind, order_id, user_id, product_id, title, category, currency, quantity, price, list_price, revenue,"
        ' moment, "offset" FROM judged ORDER BY "offset", line'
    ).fetchall()
    found: dict[int, list[tuple[object, ...]]] = {}
    for *row, offset in rows:
        found.setdefault(offset, []).append(_as_seen(row))
    several = 0
    for offset, record in enumerate(sent):
        try:
            events = [parse(record.value, utc_now())] if record.own else read(record.value, utc_now())
            expected = [as_seen(event) for event in events]
        except Rejected as rejected:
            expected = [(rejected.reason,)]
        several += len(expected) > 1
        assert sorted(found[offset], key=_key) == sorted(expected, key=_key), (record.value or b"")[:600]
    assert (several > 300) == (form == ORDERS)


def test_the_recount_and_the_loader_read_the_corpus_alike_but_for_what_is_listed() -> None:
    now = utc_now()
    corpus = cases(now, margin=timedelta(hours=1))
    records: list[Raw] = [(0, offset, case.value, False) for offset, case in enumerate(corpus)]
    different = {
        case.name: f"{loader} to the loader, {found} to the recount"
        for case, found in zip(corpus, as_the_recount_sees_it(records), strict=True)
        if found != (loader := as_the_loader_sees_it(case.value, now))
    }
    assert {name: what for name, what in different.items() if name not in RECOUNT} == {}
    assert RECOUNT.keys() - different.keys() == set(), "read alike: no difference any more"


def test_every_kind_of_poison_is_drawn_and_has_a_reason() -> None:
    draw = random.Random(1)
    records: list[Raw] = [(0, offset, poison(draw), False) for offset, poison in enumerate(POISON)]
    reasons = {reason for (reason,) in judged(records).execute("SELECT reason FROM judged").fetchall()}
    assert None not in reasons and len(reasons) == 12, reasons


def test_lines_that_the_database_refuses_are_dead_letters_where_it_does() -> None:
    records = drawn(5, refuse=True)
    query = (
        "SELECT count(*) FILTER (reason = 'refused_by_database'), count(*) FILTER (kind = 'order' AND quantity = ?) FROM judged"
    )
    refused, kept = judged(records, refused=REFUSED_QUANTITY).execute(query, [REFUSED_QUANTITY]).fetchall()[0]
    assert refused > 0 and kept == 0
    assert judged(records).execute(query, [REFUSED_QUANTITY]).fetchall() == [(0, refused)]


def test_what_was_removed_before_it_was_loaded_is_not_expected() -> None:
    rows = judged(drawn(6, 50), lost=[Lost(0, 10, 20)]).execute('SELECT "offset" FROM judged').fetchall()
    assert {offset for (offset,) in rows}.isdisjoint(range(10, 20)) and len(rows) >= 40
