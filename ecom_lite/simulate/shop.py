"""The shop: its events as a pure function of (seed, settings, order sequence number, time)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

from ..settings.tree import Shop as ShopSettings
from .baskets import QUANTITY_BITS
from .campaigns import Campaign
from .catalogue import product as make_product
from .catalogue import product_id
from .draws import MILLION, ppm
from .orders import Orders
from .outgoing import Outgoing
from .people import Address, People
from .returns import CELL, Returns, Reversal
from .timetable import Timetable
from .wire import LINE_END, LINE_HEAD, LINE_MONEY, LINE_PRODUCT, LINE_TIME, PROFILE, REVERSAL, json_text, time_text

CACHED_LINES: Final = 32_768  # product and quantity as JSON, with the virtual day until which its price holds
CACHED_PRODUCTS: Final = 32_768  # their ids and titles as JSON
_QUANTITY: Final = (1 << QUANTITY_BITS) - 1


class Shop:
    """What the shop of these settings does. Holds no progress: ask for any stretch of orders, in any order, again.

    Two shops with equal settings and campaigns give equal bytes for the same (sequence, time), on any machine. For one thread.
    """

    def __init__(self, settings: ShopSettings, campaigns: Sequence[Campaign] = ()) -> None:
        self.shop_id = settings.shop_id
        self._seed = settings.seed
        self._orders = Orders(settings, campaigns)
        self._returns = Returns(settings, self._orders)
        self._people = People(settings.seed, settings.countries)
        self._line_ends = [LINE_END % line for line in range(1, settings.max_lines + 1)]
        self._product = lru_cache(maxsize=CACHED_PRODUCTS)(self._product_text)
        self._lines: dict[int, tuple[bytes, int, int, int]] = {}
        self._discounts: dict[int, float] = {}  # of the campaigns that the prices in `_lines` are those of

    def batch(self, first_sequence: int, orders: int, times: datetime | Timetable) -> list[Outgoing]:
        """The events of orders `first_sequence` .. `first_sequence + orders - 1`, in the order of the stream.

        `times` is the moment of sending, with a zone: order k of the batch then is k microseconds after it; or the
        timetable. Costs the same wherever it begins: nothing is replayed. Before the lines of an order stand the
        sign-ups, the move and the reversals that precede it. Raises EcomLiteError past a timetable's last year.
        """
        end = first_sequence + orders
        stamps = times.stamps(first_sequence, end) if isinstance(times, Timetable) else _ticks(times, orders)
        if not self._orders.campaigns:
            return self._stretch(first_sequence, end, stamps)
        out: list[Outgoing] = []
        for since, until in self._orders.stretches(first_sequence, end):
            discounts = self._orders.discounts(since)
            if discounts != self._discounts:
                self._discounts, self._lines = discounts, {}
            out += self._stretch(since, until, stamps[since - first_sequence : until - first_sequence])
        return out

    def _stretch(self, first_sequence: int, end: int, stamps: Sequence[bytes]) -> list[Outgoing]:
        """In which prices are moved by the calendar alone."""
        out: list[Outgoing] = []
        append, new, seed, line_ends = out.append, Outgoing, self._seed, self._line_ends
        order_of, customers, per_day = self._orders.order, self._orders.customers, self._orders.per_day
        known = customers.known_at(first_sequence - 1) if first_sequence else 0
        next_sign_up, next_move = customers.sign_up_of(known + 1), customers.next_move(first_sequence)
        back: dict[int, list[Reversal]] = {}
        lines = self._lines
        cell_ends = first_sequence
        for sequence, stamp in zip(range(first_sequence, end), stamps, strict=True):
            if sequence >= cell_ends:
                cell = sequence // CELL
                back, cell_ends = self._returns.before_cell(cell), (cell + 1) * CELL
            while sequence == next_sign_up:
                known += 1
                append(self._profile("user_registered", known, None, sequence, stamp))
                next_sign_up = customers.sign_up_of(known + 1)
            if sequence == next_move:
                mover, bits = customers.mover(sequence, known)
                append(self._profile("user_updated", mover, self._people.new_home(mover, bits), sequence, stamp))
                next_move = customers.next_move(sequence + 1)
            if sequence in back:
                out += self._reversals(back[sequence], stamp)
            buyer, codes = order_of(sequence, known)
            order_id = b"%d-%d" % (seed, sequence)
            key = buyer.key
            head = LINE_HEAD % (order_id, key)
            middle = LINE_TIME % (stamp, order_id)
            day = sequence // per_day
            for line, code in enumerate(codes):
                product, revenue_cents, since, until = lines.get(code) or self._line(code, day)
                if not since <= day < until:
                    product, revenue_cents, _, _ = self._line(code, day)
                append(new(key, head + product + middle + line_ends[line], "order", sequence, revenue_cents))
        return out

    def _line(self, code: int, day: int) -> tuple[bytes, int, int, int]:
        """The part of a line's JSON that only depends on product, quantity and price, its revenue in cents; on which days."""
        index, quantity = code >> QUANTITY_BITS, code & _QUANTITY
        text, list_cents = self._product(index)
        price_cents, until = self._orders.offers.price(index, list_cents, day)
        if off := self._discounts.get(self._orders.catalogue.category(index)):
            price_cents = max(1, price_cents - (price_cents * ppm(off) + MILLION // 2) // MILLION)
        revenue_cents = price_cents * quantity
        text += LINE_MONEY % (*divmod(price_cents, 100), quantity, *divmod(revenue_cents, 100))
        if len(self._lines) >= CACHED_LINES:
            self._lines.clear()
        line = self._lines[code] = (text, revenue_cents, day, until)
        return line

    @staticmethod
    def _product_text(index: int) -> tuple[bytes, int]:
        """The part of a line's JSON that names the product, and its list price in cents."""
        product = make_product(index)
        return LINE_PRODUCT % (product.product_id, json_text(product.title), json_text(product.category)), product.price_cents

    def _profile(
        self,
        kind: Literal["user_registered", "user_updated"],
        customer: int,
        home: Address | None,
        sequence: int,
        stamp: bytes,
    ) -> Outgoing:
        person = self._people.person(customer)
        city, country = home or person.home
        what = b"user%d" % customer if kind == "user_registered" else b"moved"
        key = b"%d" % customer
        event_id = b"%d-%d-%b" % (self._seed, sequence, what)
        value = PROFILE[kind] % (key, person.name, person.email, city, country, stamp, event_id)
        return Outgoing(key, value, kind, sequence, 0)

    def _reversals(self, reversals: list[Reversal], stamp: bytes) -> list[Outgoing]:
        out = []
        for number, (before, kind, order, buyer, product, quantity, reason) in enumerate(reversals, 1):
            value = REVERSAL[kind] % (
                b"%d-%d" % (self._seed, order),
                buyer.key,
                product_id(product),
                quantity,
                reason,
                stamp,
                b"%d-%d-back%d" % (self._seed, before, number),
            )
            out.append(Outgoing(buyer.key, value, kind, before, 0))
        return out


def _ticks(time: datetime, count: int) -> list[bytes]:
    """The JSON texts of `count` times, each a microsecond after the one before."""
    time = time.astimezone(UTC)
    stamps: list[bytes] = []
    while len(stamps) < count:
        upto = min(1_000_000, time.microsecond + count - len(stamps))
        second = time_text(time.replace(microsecond=0))[:-1]
        stamps += [b"%b.%06dZ" % (second, microsecond) for microsecond in range(time.microsecond, upto)]
        if time.microsecond == 0:
            stamps[time.microsecond - upto] = second + b"Z"
        time = time.replace(microsecond=0) + timedelta(seconds=1)
    return stamps
