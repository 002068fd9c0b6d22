"""What is in an order: its buyer and its lines, for any order number at any time."""

from __future__ import annotations

from ..settings.tree import Shop as ShopSettings
from .baskets import LINE_WORDS, Baskets
from .catalogue import Catalogue
from .customers import Buyer, Customers
from .draws import word_source
from .offers import PROMOTION_DAYS, Offers

_FIRST_LINE: int = 3  # words before it: two for the buyer, one for the number of lines


class Orders:
    """Orders by number. Time in here is the virtual day: order number over `orders_per_day`."""

    def __init__(self, settings: ShopSettings) -> None:
        self.catalogue = Catalogue(settings)
        self.offers = Offers(settings)
        self.customers = Customers(settings)
        self.per_day = settings.orders_per_day
        self._baskets = Baskets(settings, self.catalogue)
        self._draws = word_source(f"orders {settings.seed}", _FIRST_LINE + LINE_WORDS * self._baskets.most_lines)

    def order(self, sequence: int, known: int) -> tuple[Buyer, list[int]]:
        """The buyer and the lines (see Baskets.lines) of one order; `known` is Customers.known_at of it."""
        draws = self._draws(sequence)
        day = sequence // self.per_day
        return (
            self.customers.buyer(draws[0], draws[1], known, day),
            self._baskets.lines(draws[2], draws[_FIRST_LINE:], self.offers.promoted(day // PROMOTION_DAYS)),
        )

    def lines(self, sequence: int) -> list[int]:
        """The lines alone."""
        draws = self._draws(sequence)
        return self._baskets.lines(
            draws[2], draws[_FIRST_LINE:], self.offers.promoted(sequence // self.per_day // PROMOTION_DAYS)
        )

    def buyer(self, sequence: int) -> Buyer:
        """The buyer alone."""
        who, where, *_ = self._draws(sequence)
        return self.customers.buyer(who, where, self.customers.known_at(sequence), sequence // self.per_day)
