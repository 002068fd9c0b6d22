"""What a mapping costs: the same order lines as the contract writes them, under other names, and as whole orders."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from ..contract.events import utc_now
from ..errors import UsageError
from ..settings.events import Events
from ..settings.tree import Settings
from ..simulate import Outgoing, Shop
from ..topic.batch_producer import BatchProducer
from ..topic.client import explained
from .backlog import ACK_TIMEOUT_S, BATCH_ORDERS, MAX_UNACKED, Sent
from .process import load
from .rig import Rig

TURNS: Final = 2  # each case in turn, then each again: the machine is not always as quick; the better one counts
NAMES: Final = {
    "order_id": "orderId", "user_id": "customerId", "product_id": "sku", "product_title": "title", "price": "unitPrice",
    "revenue": "total", "timestamp": "createdAt",
}  # fmt: skip
ORDER: Final = {"order_id": "id", "user_id": "customer.id", "timestamp": "created_at"}
ITEM: Final = {
    "product_id": "sku", "product_title": "name", "category": "category", "price": "unit_price", "quantity": "qty",
}  # fmt: skip
_decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode

Document = dict[str, Any]


class Record(NamedTuple):
    """What goes on the topic: `lines` of one order, worth `cents`."""

    key: bytes
    value: bytes
    lines: int
    cents: int


class Case(NamedTuple):
    """How the lines of one order are written, and the [events] that reads it."""

    events: Events
    write: Callable[[Sequence[Document]], list[Document]]


def _renamed(lines: Sequence[Document]) -> list[Document]:
    return [{NAMES.get(name, name): value for name, value in line.items()} for line in lines]


def _whole(lines: Sequence[Document]) -> list[Document]:
    first = lines[0]
    items = [{to: line[name] for name, to in ITEM.items()} for line in lines]
    order = {"id": first["order_id"], "customer": {"id": first["user_id"]}, "created_at": first["timestamp"]}
    return [{**order, "items": items}]


CASES: Final = {
    "none": Case(Events(), list),
    "rename": Case(Events.model_validate({"fields": NAMES}), _renamed),
    "lines": Case(
        Events.model_validate({"fields": {**ORDER, **{name: f"items[].{to}" for name, to in ITEM.items()}}, "lines": "items[]"}),
        _whole,
    ),
}


def cases_of(text: str) -> list[str]:
    """The option --mapping. Raises UsageError."""
    names = [name.strip() for name in text.split(",")]
    if unknown := [name for name in names if name not in CASES]:
        raise UsageError(f"--mapping {text}: there is {', '.join(CASES)}, not {unknown[0]!r}")
    return list(dict.fromkeys(names))


def mapping_rates(rig: Rig, names: Sequence[str], lines: int, say: Callable[[str], None]) -> dict[str, float]:
    """Facts per second of one loader process, by case. Raises CheckFailed where a count does not close."""
    backlogs = {}
    for name in names:
        settings = rig.topic(f"mapping_{name}").model_copy(update={"events": CASES[name].events})
        backlogs[name] = (settings, fill(settings, rig.client, CASES[name], lines))
    rates = dict.fromkeys(names, 0.0)
    for turn in range(TURNS):
        for name, (settings, sent) in backlogs.items():
            with rig.warehouse(f"mapping_{name}_{turn}") as address:
                rate = load(rig, settings, address, sent).rate
            say(f"  {name:<10} {rate:>10,.0f} facts/s")
            rates[name] = max(rates[name], rate)
    return rates


def ratios(rates: dict[str, float]) -> dict[str, float]:
    """Of each mapping to none, where that was measured in the same run."""
    if "none" not in rates:
        return {}
    return {f"mapping_{name}_to_none": round(rate / rates["none"], 3) for name, rate in rates.items() if name != "none"}


def fill(settings: Settings, client: dict[str, Any], case: Case, lines: int) -> Sent:
    """At least so many order lines on the new topic of `settings`, whole orders only."""
    began = time.perf_counter()
    unacked: deque[Any] = deque()
    done = cents = 0
    with explained(client, "sending the backlog"):
        producer = BatchProducer(client)
        try:
            for record in _records(settings, case):
                unacked.append(producer.send(settings.kafka.topic, record.value, record.key))
                done, cents = done + record.lines, cents + record.cents
                while len(unacked) > (MAX_UNACKED if done < lines else 0):
                    unacked.popleft().get(timeout=ACK_TIMEOUT_S)
                if done >= lines:
                    break
        finally:
            producer.close(timeout=2)
    return Sent(done, done, cents, time.perf_counter() - began)


def _records(settings: Settings, case: Case) -> Iterator[Record]:
    """Without end: the orders of the shop."""
    shop, first = Shop(settings.shop), 0
    while True:
        order: list[Outgoing] = []
        for event in shop.batch(first, BATCH_ORDERS, utc_now()):
            if event.kind != "order":
                continue
            if order and order[0].sequence != event.sequence:
                yield from written(order, case)
                order = []
            order.append(event)
        if order:
            yield from written(order, case)
        first += BATCH_ORDERS


def written(order: Sequence[Outgoing], case: Case) -> Iterator[Record]:
    """The lines of one order as a case writes them."""
    documents = case.write([_decode(event.value or b"") for event in order])
    whole = len(documents) < len(order)
    for event, document in zip(order, documents, strict=False):
        lines, cents = (len(order), sum(one.revenue_cents for one in order)) if whole else (1, event.revenue_cents)
        yield Record(event.key, _encode(document), lines, cents)
