"""Records of producers that write in a shape of their own, and the [events] that reads them: other names, or whole orders."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from .records import (
    BROKEN,
    CATEGORIES,
    DECIMALS,
    NOTHING,
    PARTITIONS,
    PRODUCTS,
    REFUSED_QUANTITY,
    RUBBISH,
    Drawn,
    Money,
    Sent,
    identity,
    line,
    moment,
    text,
    title,
)

CONTRACT: Final = "contract"
RENAMED: Final = "renamed"
ORDERS: Final = "orders"
FORMS: Final = (CONTRACT, RENAMED, ORDERS)
ROUNDS: Final = (CONTRACT, CONTRACT, RENAMED, ORDERS)  # of each four rounds, in a drawn order
NAMES: Final = {
    "order_id": "orderNo", "user_id": "customerId", "product_id": "sku", "product_title": "title", "price": "unitPrice",
    "list_price": "listPrice",
    "revenue": "total", "timestamp": "createdAt",
}  # fmt: skip
EVENTS: Final[Mapping[str, Mapping[str, Any]]] = {  # of the round's settings; sql/documents_FORM.sql says the same
    CONTRACT: {},
    RENAMED: {"fields": NAMES, "unit": "cents"},
    ORDERS: {
        "fields": {
            "order_id": "id", "user_id": ["customer.id", "guest"], "timestamp": "created_at", "product_id": "items[].sku",
            "product_title": "items[].name", "category": "items[].group", "price": "items[].unit_price",
            "list_price": "items[].was", "quantity": "items[].qty",
        },
        "lines": "items[]",
    },
}  # fmt: skip
OWN_SHARE: Final = 0.3  # of a round's records are our own shop's, which no mapping touches
MAX_LINES: Final = 6


def form_of(seed: int, number: int) -> str:
    """The form of a round's foreign records."""
    four, place = divmod(number, len(ROUNDS))
    return random.Random(f"form/{seed}/{four}").sample(ROUNDS, len(ROUNDS))[place]


def drawn(form: str, draw: random.Random, refuse: bool) -> Drawn:
    """What draws the records of a round of this form."""
    return Drawn(draw, refuse) if form == CONTRACT else DrawnInShape(draw, refuse, form=form)


@dataclass(slots=True)
class DrawnInShape(Drawn):
    """Foreign records in a shape of their own, among some of our own shop's."""

    form: str = RENAMED
    _foreign: list[bytes] = field(default_factory=list)
    _orders: list[dict[str, Any]] = field(default_factory=list)  # those that load, so that one can come again and longer
    _products: dict[str, set[int]] = field(default_factory=dict)
    _next_foreign: int = 0
    _next_foreign_product: int = 0

    def _known(self) -> tuple[int, ...]:
        return len(self.values), len(self._foreign), len(self._orders)

    def _forget(self, known: tuple[int, ...]) -> None:
        values, foreign, orders = known
        del self.values[values:], self._foreign[foreign:], self._orders[orders:]

    def _record(self) -> Sent:
        draw = self.draw
        if draw.random() < OWN_SHARE:
            own = Drawn._record(self)
            return replace(own, own=True)
        kind = draw.random()
        if kind < 0.7:
            value: bytes | None = self._renamed() if self.form == RENAMED else self._order()
        elif kind < 0.85 and self._foreign:
            near = draw.random() < 0.5
            value = draw.choice(self._foreign[-20:] if near else self._foreign)
        elif kind < 0.9:
            value = self._kept(self._other_event())
        else:
            value = self._poison()
        return Sent(draw.randrange(PARTITIONS), str(draw.randrange(60)).encode(), value, False)

    def _kept(self, value: bytes) -> bytes:
        self._foreign.append(value)
        return value

    def _product(self) -> int:
        self._next_foreign_product += 1
        return self._next_foreign_product % PRODUCTS + 1

    def _new_product(self, order: str) -> int:
        """One that was never in this order: a key must not come with two contents, for which is the truth would be open."""
        known = self._products.setdefault(order, set())
        product = next(number for _ in range(PRODUCTS) if (number := self._product()) not in known)
        known.add(product)
        return product

    def _quantity(self) -> int:
        return REFUSED_QUANTITY if self.refuse and self.draw.random() < 0.01 else self.draw.randint(1, 20)

    def _renamed(self) -> bytes:
        if self.draw.random() < 0.6:
            self._next_foreign += 1
        return self._kept(renamed(self.draw, f"R-{self._next_foreign}", self._product(), self._quantity()))

    def _order(self) -> bytes:
        draw = self.draw
        if self._orders and draw.random() < 0.08:  # once more, with a line that was not in it
            order = dict(draw.choice(self._orders))
            order["items"] = [*order["items"], item(draw, self._new_product(order["id"]), self._quantity(), order)]
        else:
            self._next_foreign += 1
            order = head(draw, f"W-{self._next_foreign}")
            products = [self._new_product(order["id"]) for _ in range(draw.randint(1, MAX_LINES))]
            order["items"] = [item(draw, product, self._quantity(), order) for product in products]
            if draw.random() < 0.1 and (twice := draw.choice(order["items"]))["qty"] != REFUSED_QUANTITY:
                order["items"].append({**twice, "qty": 1})  # a product in two lines is one line
            if draw.random() < 0.08:
                return self._kept(text(spoiled(draw, order)))
        if all(one["qty"] != REFUSED_QUANTITY for one in order["items"]) and len(self._products[order["id"]]) < PRODUCTS // 2:
            self._orders.append(order)
        return self._kept(text(order))

    def _other_event(self) -> bytes:
        """A return, or a customer's profile."""
        draw, at = self.draw, moment(self.draw)
        if draw.random() < 0.5:
            user = identity(draw, draw.randint(1, 80))
            profile = {"event_type": draw.choice(("user_registered", "user_updated")), "name": "Zoë", "city": "Köln"}
            if self.form == RENAMED:
                return text({**profile, "customerId": user, "createdAt": at})
            return text({**profile, "customer": {"id": user}, "created_at": at})
        kind, number = draw.choice(("order_cancelled", "order_returned")), draw.randint(1, max(1, self._next_foreign))
        if self.form == RENAMED:
            product = identity(draw, draw.randint(1, PRODUCTS))
            return text({"event_type": kind, "orderNo": f"R-{number}", "sku": product, "quantity": 1, "createdAt": at})
        items = [{"sku": identity(draw, product), "qty": 1} for product in draw.sample(range(1, PRODUCTS), draw.randint(1, 3))]
        return text({"event_type": kind, "id": f"W-{number}", "created_at": at, "items": items})

    def _poison(self) -> bytes | None:
        draw = self.draw
        if draw.random() < 0.5:
            return draw.choice(RUBBISH)(draw)
        order, product, broken = f"broken-{draw.randrange(10**6)}", draw.randint(1, 99), draw.choice(BROKEN)
        if draw.random() < 0.2:
            return line(draw, order, product, 2)  # the contract's own names, where others are to be looked for
        if self.form == RENAMED:
            return renamed(draw, order, product, 2, broken)
        whole = head(draw, order)
        whole["items"] = draw.choice(([], None, "none", {}, [7], [item(draw, product, 2, whole), "none"]))
        return text(whole)


def renamed(draw: random.Random, order: str, product: int, quantity: int, broken: Mapping[str, Any] = NOTHING) -> bytes:
    """An order line under other names, its money in the currency's smallest units."""
    small = draw.randint(0, 99_999)
    base = {
        "order_id": order, "user_id": identity(draw, draw.randint(1, 60)), "product_id": identity(draw, product),
        "product_title": title(draw, product), "category": CATEGORIES[product % len(CATEGORIES)],
        "price": draw.choice((small, str(small))), "quantity": quantity, "revenue": draw.choice((small * quantity, None)),
        "timestamp": moment(draw), "currency": draw.choice(tuple(DECIMALS)) if draw.random() < 0.15 else None,
        "list_price": small + draw.randint(-50, 500) if small > 50 and draw.random() < 0.2 else None,
    }  # fmt: skip
    return text({NAMES.get(name, name): value for name, value in {**base, **broken}.items() if value is not None})


def head(draw: random.Random, order: str) -> dict[str, Any]:
    """An order without its lines."""
    user = identity(draw, draw.randint(1, 60))
    who: dict[str, Any] = {"customer": {"id": user}} if draw.random() < 0.8 else {"customer": None, "guest": user}
    currency = draw.choice(tuple(DECIMALS)) if draw.random() < 0.15 else None
    return {"id": order, **who, "created_at": moment(draw), **({"currency": currency} if currency is not None else {})}


def item(draw: random.Random, product: int, quantity: int, order: Mapping[str, Any]) -> dict[str, Any]:
    decimals, small = DECIMALS.get(order.get("currency"), 2), draw.randint(0, 99_999)
    listed = {"was": draw.choice((Money(small + draw.randint(0, 500), decimals), ""))} if draw.random() < 0.2 else {}
    return {
        "sku": identity(draw, product), "name": title(draw, product), "group": CATEGORIES[product % len(CATEGORIES)],
        "unit_price": Money(small, decimals), "qty": quantity, **listed,
    }  # fmt: skip


def spoiled(draw: random.Random, order: Mapping[str, Any]) -> dict[str, Any]:
    """The order with one bad line: none of it must load."""
    items = [dict(one) for one in order["items"]]
    bad = draw.randrange(len(items))
    wrong = draw.choice((
        {"qty": 0}, {"qty": 10_001}, {"qty": "two"}, {"qty": None}, {"sku": None}, {"sku": ""}, {"unit_price": None},
        {"unit_price": "19,99"}, {"was": "19,99"}, {"was": True}, {"was": Money(-1)},
        {"group": 5}, {"name": 17}, {"sku": "nul \0 inside"}, {"currency": "EURO"},
        {"revenue": Money(123_456_789)},
    ))  # fmt: skip
    items[bad] |= wrong
    if draw.random() < 0.2:  # or a product at two prices, or with two list prices
        items[bad] = dict(order["items"][bad])
        items.append({**items[bad], draw.choice(("unit_price", "was")): Money(7_654_321)})
    return {**order, "items": items}
