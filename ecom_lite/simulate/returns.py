"""What comes back: which orders are cancelled or returned, why, and before which later order it shows."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from ..settings.tree import Shop as ShopSettings
from .baskets import QUANTITY_BITS
from .catalogue import CATEGORIES, Category
from .customers import Buyer
from .draws import MILLION, WORD, mix, ppm, salt
from .orders import Orders

CELL: Final = 64  # orders whose fates are drawn in one go; every delay is a multiple of it
# Delays in hundredths of a virtual day. The fate of an order is one of these or, mostly, none.
CANCEL_DELAYS: Final = (1, 5, 15, 50)
RETURN_DELAYS: Final = (300, 400, 500, 700, 900, 1100, 1400, 1700, 2100)
LEAN: Final = 40  # percent: in a category that leans late the longest delay is so much more frequent, the shortest less
CANCEL_REASONS: Final = ("changed my mind", "ordered by mistake", "found it cheaper", "delivery takes too long")
_FATES: Final = 256  # a fate is one byte


class Reversal(NamedTuple):
    """One line that is taken back right before order `before`."""

    before: int
    kind: Literal["order_cancelled", "order_returned"]
    order: int
    buyer: Buyer
    product: int  # index in the catalogue
    quantity: int
    reason: bytes


class _Fate(NamedTuple):
    """One way an order may end: what, how much later, and who really does among those that drew it."""

    kind: Literal["order_cancelled", "order_returned"]
    cells: int
    accept_below: tuple[int, ...]  # per category: the words below it


class Returns:
    """Finds what shows before an order by looking back at the orders one of the few delays before it: no replay.

    Each order has one fate, so that nothing is taken back twice.
    """

    def __init__(self, settings: ShopSettings, orders: Orders) -> None:
        self._orders = orders
        self._salt = salt(f"returns {settings.seed}")
        self._label = f"ecom_lite fates {settings.seed} %d".encode()
        sold = CATEGORIES[: orders.catalogue.categories]
        self._fates: list[_Fate] = []
        table = bytearray(_FATES)
        for kind, share, delays in (
            ("order_cancelled", ppm(settings.cancelled), CANCEL_DELAYS),
            ("order_returned", ppm(settings.returned), RETURN_DELAYS),
        ):
            for place, delay in enumerate(delays if share else ()):
                wanted = [_wanted(kind, category, share, place, len(delays)) for category in sold]
                # So many of the 256 byte values draw this fate; the category then decides who accepts it.
                values = min(-(-max(wanted) * _FATES // MILLION), table.count(0))
                at = _FATES - table.count(0)
                self._fates.append(
                    _Fate(
                        "order_cancelled" if kind == "order_cancelled" else "order_returned",
                        max(1, round_div(delay * settings.orders_per_day, 100 * CELL)),
                        tuple(share * _FATES * WORD // (values * MILLION) if values else 0 for share in wanted),
                    )
                )
                table[at : at + values] = bytes([len(self._fates)]) * values
        self._table = bytes(table)
        self._longest = max((fate.cells for fate in self._fates), default=0)
        self.before_cell = lru_cache(maxsize=8)(self._before_cell)

    def _before_cell(self, cell: int) -> dict[int, list[Reversal]]:
        """What shows right before the orders of a cell, by order."""
        found: dict[int, list[Reversal]] = {}
        for number, fate in enumerate(self._fates, 1):
            source = cell - fate.cells
            if source < 0:
                continue
            drawn = hashlib.shake_128(self._label % source).digest(CELL).translate(self._table)
            at = drawn.find(number)
            while at >= 0:
                lines = self._taken_back(source * CELL + at, fate, cell * CELL + at)
                if lines:
                    found.setdefault(cell * CELL + at, []).extend(lines)
                at = drawn.find(number, at + 1)
        return found

    def _taken_back(self, sequence: int, fate: _Fate, before: int) -> list[Reversal]:
        """The lines of one order that come back by a fate that it drew."""
        bits = mix(self._salt, sequence)
        accept = bits & 0xFFFFFFFF
        if accept >= max(fate.accept_below):
            return []
        orders = self._orders
        lines = orders.lines(sequence)  # most who drew a fate do not accept it: the buyer is found after that
        mask = (1 << QUANTITY_BITS) - 1
        if fate.kind == "order_cancelled":
            if accept >= fate.accept_below[orders.catalogue.category(lines[0] >> QUANTITY_BITS)]:
                return []
            buyer = orders.buyer(sequence)
            reason = CANCEL_REASONS[(bits >> 32 & 0xFF) % len(CANCEL_REASONS)].encode()
            return [Reversal(before, fate.kind, sequence, buyer, line >> QUANTITY_BITS, line & mask, reason) for line in lines]
        line = lines[(bits >> 32 & 0xFFFF) * len(lines) >> 16]
        category = orders.catalogue.category(line >> QUANTITY_BITS)
        if accept >= fate.accept_below[category]:
            return []
        quantity = 1 + ((bits >> 48 & 0xFF) * (line & mask) >> 8)
        reasons = CATEGORIES[category].reasons
        reason = reasons[(bits >> 56) * len(reasons) >> 8].encode()
        return [Reversal(before, fate.kind, sequence, orders.buyer(sequence), line >> QUANTITY_BITS, quantity, reason)]


def _wanted(kind: str, category: Category, share: int, place: int, delays: int) -> int:
    """Parts per million of a category's orders that come to this end after this delay."""
    # Cancellations differ half as much between the categories as returns do.
    percent = (category.takeback + 100) // 2 if kind == "order_cancelled" else category.takeback
    lean = 100 + LEAN * category.lean * (2 * place - delays + 1) // (delays - 1)
    return min(MILLION, share * percent * lean // (100 * 100 * delays))


def round_div(number: int, by: int) -> int:
    """To the nearest integer, halves up."""
    return (2 * number + by) // (2 * by)
