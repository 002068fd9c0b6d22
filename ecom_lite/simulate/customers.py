"""The customers: who signs up when, who buys how often, who stays away for a while, and who moves house."""

from __future__ import annotations

from math import gcd
from typing import Final, NamedTuple

from ..settings.tree import Shop as ShopSettings
from .draws import MILLION, LongTail, mix, ppm, salt, spread

IMPORTED_PER_ORDER: Final = 10  # sign-ups at most before one order, of those who are there at the opening
SIGN_UP_ORDERS: Final = 35  # later there is one in so many orders ...
SIGN_UP_JITTER: Final = 16  # ... and up to 15 later: 20 to 50 orders after the one before
SMALL_SHOP: Final = 10_000  # customers; up to here 50/30/20 unless the settings say otherwise, above it a long tail
GROUP: Final = 10  # of so many customers in a row 2 are heavy, 3 regular, 5 casual: 50, 30, 20 % of the orders
GROUP_RANKS: Final = (0,) * 25 + (1,) * 25 + tuple(2 + n // 10 for n in range(30)) + tuple(5 + n // 4 for n in range(20))
BLOCK: Final = 1024  # of so many customers in a row each block has the whole long tail
TAIL_OFFSET: Final = 60  # ranks: flattens the top, as nobody shops every hour: the first of a block places 1.8 % of its orders
LOOKS: Final = 6  # draws for a buyer who is known and not away; after that one who is away comes all the same
CYCLE_DAYS: Final = (60, 180)  # virtual days from one spell away to the next, inclusive; each customer has a length
CACHED: Final = 32_768
NEVER: Final = 2**63  # an order that no shop gets to


class Buyer(NamedTuple):
    """A customer as the events name them."""

    customer: int
    key: bytes  # of the record: the id in digits
    cycle: int  # virtual days
    phase: int
    away: int  # days of the cycle, from its start


class Customers:
    """Who exists, buys and moves at which order. Functions of (seed, settings, order); nothing is kept per customer.

    Ids are 1, 2, 3, ... in the order of sign-up. Those of `customers_start` come before the first orders, ten at a
    time; then one every 20 to 50 orders, until there are `customers`.
    """

    def __init__(self, settings: ShopSettings) -> None:
        seed = settings.seed
        self.most = settings.customers
        self.start = min(settings.customers_start or max(1, self.most // 20), self.most)
        self._import_ends = (self.start - 1) // IMPORTED_PER_ORDER  # the order before which the last of them signs up
        self._sign_ups = salt(f"sign-ups {seed}")
        self._everyone_from = self._import_ends + SIGN_UP_ORDERS * (self.most - self.start) + SIGN_UP_JITTER
        self._ppm_away = ppm(settings.lapsed)
        self._spells = salt(f"spells {seed}")
        self._looks = salt(f"buyers {seed}")
        self._cards: dict[int, Buyer] = {}
        self._places: dict[int, tuple[int, int]] = {}
        groups = settings.buyers == "50/30/20" or (settings.buyers is None and self.most <= SMALL_SHOP)
        self.block = GROUP if groups else BLOCK
        tail = LongTail(BLOCK, settings.buyers_tail, TAIL_OFFSET)
        self._rank_of = _group_rank if groups else tail.rank
        self._steps = [step for step in range(1, self.block) if gcd(step, self.block) == 1]
        self._move_orders = MILLION // ppm(settings.moves) if ppm(settings.moves) else 0
        self._moves = salt(f"moves {seed}")

    def known_at(self, sequence: int) -> int:
        """How many have signed up when order `sequence` is placed."""
        if sequence >= self._everyone_from:
            return self.most
        if sequence < self._import_ends:
            return IMPORTED_PER_ORDER * (sequence + 1)
        later, left = divmod(sequence - self._import_ends, SIGN_UP_ORDERS)
        # The last one of them may still be to come: the jitter decides.
        if later and left < SIGN_UP_JITTER - 1 and left < mix(self._sign_ups, later) % SIGN_UP_JITTER:
            later -= 1
        return min(self.start + later, self.most)

    def sign_up_of(self, customer: int) -> int:
        """The order before which a customer signs up; past the last one of all, an order that never comes."""
        if customer <= self.start:
            return (customer - 1) // IMPORTED_PER_ORDER
        later = customer - self.start
        return (
            self._import_ends + SIGN_UP_ORDERS * later + mix(self._sign_ups, later) % SIGN_UP_JITTER
            if customer <= self.most
            else NEVER
        )

    def buyer(self, who: int, where: int, known: int, day: int) -> Buyer:
        """Who places an order: by two uniform words, among the first `known`, on a virtual day."""
        size, rank_of = self.block, self._rank_of
        blocks = (known + size - 1) // size
        choice = None
        for _ in range(LOOKS):
            block = where * blocks >> 32
            step, first = self._places.get(block) or self._place(block)
            customer = block * size + (rank_of(who) * step + first) % size + 1
            if customer <= known:
                choice = self._cards.get(customer) or self._card(customer)
                if (day + choice.phase) % choice.cycle >= choice.away:
                    return choice
            bits = mix(self._looks, who << 32 | where)
            who, where = bits >> 32, bits & 0xFFFFFFFF
        return choice or self._card(1 + (where * known >> 32))

    def next_move(self, sequence: int) -> int:
        """The first order from `sequence` on before which someone moves: one in 1/moves orders."""
        if not self._move_orders:
            return NEVER
        turn = sequence // self._move_orders
        at = self._move_at(turn)
        return at if at >= sequence else self._move_at(turn + 1)

    def mover(self, sequence: int, known: int) -> tuple[int, int]:
        """(customer, 64 uniform bits) of the move before an order that has one."""
        turn = sequence // self._move_orders
        # A walk, not a draw: the same customer does not move again soon.
        return 1 + spread(turn, known), mix(self._moves, 2 * turn + 1)

    def _move_at(self, turn: int) -> int:
        return turn * self._move_orders + mix(self._moves, 2 * turn) % self._move_orders

    def rank(self, customer: int) -> int:
        """The customer's place in the law of its block: 0 buys most."""
        block, place = divmod(customer - 1, self.block)
        step, first = self._place(block)
        return (place - first) * pow(step, -1, self.block) % self.block

    def is_away(self, customer: int, day: int) -> bool:
        """Whether the customer is in a spell without orders on that virtual day."""
        card = self._card(customer)
        return (day + card.phase) % card.cycle < card.away

    def _place(self, block: int) -> tuple[int, int]:
        """The permutation of ranks within a block: (step, first)."""
        bits = mix(self._looks, ~block)
        place = (self._steps[(bits >> 32) % len(self._steps)], (bits & 0xFFFFFFFF) % self.block)
        if len(self._places) >= CACHED:
            self._places.clear()
        self._places[block] = place
        return place

    def _card(self, customer: int) -> Buyer:
        bits = mix(self._spells, customer)
        shortest, longest = CYCLE_DAYS
        cycle = shortest + (bits & 0xFFFFFF) % (longest - shortest + 1)
        # Rounded by a draw, so that over all customers the share is exact.
        away = (cycle * self._ppm_away + (bits >> 24 & 0xFFFF) * MILLION // 0x10000) // MILLION
        card = Buyer(customer, b"%d" % customer, cycle, (bits >> 40) % cycle, away)
        if len(self._cards) >= CACHED:
            self._cards.clear()
        self._cards[customer] = card
        return card


def _group_rank(word: int) -> int:
    return GROUP_RANKS[word * 100 >> 32]
