"""What a product costs on a virtual day: prices that move every 30 days, and the promotions of a week."""

from __future__ import annotations

from collections.abc import Container
from functools import lru_cache
from typing import Final

from ..settings.tree import Shop as ShopSettings
from .draws import MILLION, WORD, Shuffle, mix, ppm, salt

PRICE_DAYS: Final = 30  # virtual days a price holds; each product has its own day of change
PHASE_STEP: Final = 7  # days between the changes of one product and of the next: spread over the 30
PROMOTION_DAYS: Final = 7  # virtual days a promotion lasts; all begin on the same day
LISTED: Final = 1000  # up to so many promoted products are kept as a set, which is quicker to ask
_EPOCHS: Final = 2**24  # room for the price epochs of a product in one index


class Promoted:
    """The products on promotion in one week: the first `count` of a permutation, which is no table."""

    __slots__ = ("_count", "_shuffle")

    def __init__(self, shuffle: Shuffle, count: int) -> None:
        self._shuffle = shuffle
        self._count = count

    def __contains__(self, product: object) -> bool:
        shuffle = self._shuffle
        return (product - shuffle.first) * shuffle.back % shuffle.size < self._count  # type: ignore[operator]


class Offers:
    """Prices in cents, and who is on promotion: functions of (seed, settings, product index, virtual day)."""

    def __init__(self, settings: ShopSettings) -> None:
        self._size = settings.products
        self._change = ppm(settings.price_change)
        self._discount = ppm(settings.discount)
        self._promotions = ppm(settings.promotions)
        self._prices = salt(f"prices {settings.seed}")
        self._weeks = salt(f"promotions {settings.seed}")
        self.promoted = lru_cache(maxsize=64)(self._promoted)

    def price(self, product: int, list_cents: int, day: int) -> tuple[int, int]:
        """What one piece costs on a virtual day, in cents, at least one; and the first day on which that may be another."""
        phase = product * PHASE_STEP % PRICE_DAYS
        epoch = (day + phase) // PRICE_DAYS
        until = (epoch + 1) * PRICE_DAYS - phase
        draw = mix(self._prices, product * _EPOCHS + epoch) >> 32
        cents = list_cents + list_cents * self._change * (2 * draw - WORD) // (MILLION * WORD)
        if self._promotions:
            week = day // PROMOTION_DAYS
            until = min(until, (week + 1) * PROMOTION_DAYS)
            if product in self.promoted(week):
                cents -= (cents * self._discount + MILLION // 2) // MILLION
        return max(1, cents), until

    def _promoted(self, week: int) -> Container[int]:
        """Who is on promotion in that week, counted from 0; an empty one is false."""
        size = self._size
        bits = mix(self._weeks, 2 * week)
        # Rounded up or down by a draw, so that small ranges have their share over the weeks too.
        count = (size * self._promotions + (mix(self._weeks, 2 * week + 1) >> 32) * MILLION // WORD) // MILLION
        shuffle = Shuffle(size, bits)
        return frozenset(map(shuffle.at, range(count))) if count <= LISTED else Promoted(shuffle, count)
