"""The shop: order events as a pure function of (seed, settings, order sequence number, time)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from ..config import Shop as ShopSettings
from ..events import SCHEMA_VERSION, OrderLine, encode
from .catalogue import PRODUCTS, Product, money
from .customers import ORDER_SHARES, Customers, words

BLOCK: Final = 1024  # orders whose draws are made in one go; part of the stream: another value is another stream
WORDS: Final = 8  # 32-bit draws an order has: kind of buyer, buyer, lines, basket, three of quantities, one spare
LINES_PER_WORD: Final = 8  # 4 bits choose a quantity
QUANTITIES: Final = (1,) * 8 + (2,) * 4 + (3,) * 2 + (4, 5)
BASKETS: Final = 1024  # orders of preference through the catalogue; an order takes the first lines of one
_HEAVY_BELOW: Final = int(ORDER_SHARES[0] * 2**32)
_REGULAR_BELOW: Final = int((ORDER_SHARES[0] + ORDER_SHARES[1]) * 2**32)


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """One event on its way to the topic. `revenue_cents` is 0 unless `kind` is "order"."""

    key: bytes
    value: bytes
    kind: str
    sequence: int  # of the order it belongs to; a sign-up belongs to the order it precedes
    revenue_cents: int


class Shop:
    """What the shop of these settings does. Holds no progress: ask for any stretch of orders, in any order, again.

    Two shops with equal settings give equal bytes for the same (sequence, time), on any machine.
    """

    def __init__(self, settings: ShopSettings) -> None:
        self.shop_id = f"seed-{settings.seed}"
        self._seed = settings.seed
        self._products = PRODUCTS[: settings.products]
        self._lines = min(settings.max_lines, len(self._products))
        self._customers = Customers(settings.seed, settings.customers_start, settings.customers_max)
        self._baskets = self._make_baskets()
        self._line_ends = [_line_end(line) for line in range(1, self._lines + 1)]
        self._block: tuple[int, tuple[int, ...]] = (-1, ())
        self._buyers: tuple[int, list[list[tuple[bytes, bytes]]]] = (-1, [])

    def batch(self, first_sequence: int, orders: int, time: datetime) -> list[Outgoing]:
        """The events of orders `first_sequence` .. `first_sequence + orders - 1`, all at `time` (with a zone).

        Costs the same wherever it begins: nothing is replayed. Sign-ups stand right before the order they precede.
        """
        time = time.astimezone(UTC)
        time_text = msgspec.json.encode(time)[1:-1]
        out: list[Outgoing] = []
        sequence, end = first_sequence, first_sequence + orders
        while sequence < end:
            for customer in self._customers.signing_up_at(sequence):
                profile = self._customers.profile(customer, time)
                out.append(Outgoing(b"%d" % customer, encode(profile), profile.event_type, sequence, 0))
            upto = min(end, (sequence // BLOCK + 1) * BLOCK, self._customers.next_sign_up(sequence) or end)
            self._place(out, sequence, upto, time_text)
            sequence = upto
        return out

    def _place(self, out: list[Outgoing], first: int, end: int, time_text: bytes) -> None:
        """Append the lines of orders `first` .. `end - 1`: one block of draws, one set of customers."""
        draws = self._draws(first // BLOCK)
        heavy, regular, casual = self._buyers_at(first)
        baskets, line_ends, most_lines = self._baskets, self._line_ends, self._lines
        seed, append, new = self._seed, out.append, Outgoing
        at = first % BLOCK * WORDS
        for sequence in range(first, end):
            kind, who, count, basket = draws[at : at + 4]
            buyers = heavy if kind < _HEAVY_BELOW else regular if kind < _REGULAR_BELOW else casual
            key, user = buyers[who * len(buyers) >> 32]
            lines = 1 + (count * most_lines >> 32)
            head = b'{"order_id":"%d-%d"%b' % (seed, sequence, user)
            middle = b'%b","event_id":"%d-%d-' % (time_text, seed, sequence)
            quantities = draws[at + 4]
            for line, product in enumerate(baskets[basket % BASKETS][:lines]):
                if line % LINES_PER_WORD == 0:
                    quantities = draws[at + 4 + line // LINES_PER_WORD]
                fragment, revenue_cents = product[quantities & 15]
                quantities >>= 4
                append(new(key, head + fragment + middle + line_ends[line], "order", sequence, revenue_cents))
            at += WORDS

    def _draws(self, block: int) -> tuple[int, ...]:
        if self._block[0] != block:
            self._block = (block, words(f"orders {self._seed} {block}", BLOCK * WORDS))
        return self._block[1]

    def _buyers_at(self, sequence: int) -> list[list[tuple[bytes, bytes]]]:
        """Per kind of buyer: (record key, JSON fragment) of each customer known by then."""
        known = self._customers.known_at(sequence)
        if self._buyers[0] != known:
            groups = self._customers.buyers(known)
            self._buyers = (known, [[(b"%d" % user, b',"user_id":%d' % user) for user in group] for group in groups])
        return self._buyers[1]

    def _make_baskets(self) -> list[list[list[tuple[bytes, int]]]]:
        """BASKETS x lines x quantity draw -> (JSON fragment, cents). Popular products stand early more often."""
        options = [[_fragment(product, quantity) for quantity in QUANTITIES] for product in self._products]
        size = len(options)
        draws = words(f"baskets {self._seed}", BASKETS * size)
        weights = [product.popularity for product in self._products]
        baskets = []
        for first in range(0, BASKETS * size, size):
            left = list(range(size))
            basket = []
            for draw in draws[first : first + self._lines]:
                # Integers only: a float's last bit could differ between machines.
                mark = draw * sum(weights[product] for product in left) >> 32
                for place, product in enumerate(left):  # noqa: B007
                    mark -= weights[product]
                    if mark < 0:
                        break
                basket.append(options[left.pop(place)])
            baskets.append(basket)
        return baskets


def _fragment(product: Product, quantity: int) -> tuple[bytes, int]:
    """The part of an order line's JSON that only depends on product and quantity, and its revenue in cents."""
    revenue_cents = product.price_cents * quantity
    line = OrderLine(
        order_id="-",
        user_id=1,
        product_id=product.product_id,
        product_title=product.title,
        category=product.category,
        price=Decimal(money(product.price_cents)),
        quantity=quantity,
        revenue=Decimal(money(revenue_cents)),
        timestamp=datetime(2000, 1, 1, tzinfo=UTC),
    )
    # Cut out of what `encode` makes of a whole line, so that the contract stays in one place.
    whole = encode(line)
    start, end = whole.index(b',"product_id"'), whole.index(b'"timestamp":"') + len(b'"timestamp":"')
    return whole[start:end], revenue_cents


def _line_end(line: int) -> bytes:
    return b'%d","event_type":"order","schema_version":%d}' % (line, SCHEMA_VERSION)
