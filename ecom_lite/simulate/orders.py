"""What is in an order: its buyer and its lines, for any order number at any time."""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import lru_cache
from itertools import pairwise

from ..settings.tree import Shop as ShopSettings
from .baskets import LINE_WORDS, Baskets
from .campaigns import Campaign, OnOffer
from .catalogue import CATEGORIES, Catalogue
from .customers import Buyer, Customers
from .draws import word_source
from .offers import PROMOTION_DAYS, Offers

_FIRST_LINE: int = 3  # words before it: two for the buyer, one for the number of lines


class Orders:
    """Orders by number. Time in here is the virtual day: order number over `orders_per_day`."""

    def __init__(self, settings: ShopSettings, campaigns: Sequence[Campaign] = ()) -> None:
        self.catalogue = Catalogue(settings)
        self.offers = Offers(settings)
        self.customers = Customers(settings)
        self.per_day = settings.orders_per_day
        self.campaigns = tuple(campaigns)
        self._offered = lru_cache(maxsize=64)(self._on_offer)
        self._baskets = Baskets(settings, self.catalogue)
        self._draws = word_source(f"orders {settings.seed}", _FIRST_LINE + LINE_WORDS * self._baskets.most_lines)

    def order(self, sequence: int, known: int) -> tuple[Buyer, list[int]]:
        """The buyer and the lines (see Baskets.lines) of one order; `known` is Customers.known_at of it."""
        draws = self._draws(sequence)
        day = sequence // self.per_day
        return (
            self.customers.buyer(draws[0], draws[1], known, day),
            self._baskets.lines(draws[2], draws[_FIRST_LINE:], self._promoted(sequence, day // PROMOTION_DAYS)),
        )

    def lines(self, sequence: int) -> list[int]:
        """The lines alone."""
        draws = self._draws(sequence)
        week = sequence // self.per_day // PROMOTION_DAYS
        return self._baskets.lines(draws[2], draws[_FIRST_LINE:], self._promoted(sequence, week))

    def buyer(self, sequence: int) -> Buyer:
        """The buyer alone."""
        who, where, *_ = self._draws(sequence)
        return self.customers.buyer(who, where, self.customers.known_at(sequence), sequence // self.per_day)

    def discounts(self, sequence: int) -> dict[int, float]:
        """Of the campaigns at that order: shares of the price, by the category's place in CATEGORIES."""
        names = [category.name for category in CATEGORIES]
        return {names.index(each.category): each.discount for each in self.campaigns if each.holds(sequence)}

    def stretches(self, first: int, end: int) -> list[tuple[int, int]]:
        """Orders `first` .. `end` - 1 in pieces in which no campaign begins or ends."""
        cuts = {cut for each in self.campaigns for cut in (each.first, each.end) if cut is not None and first < cut < end}
        marks = [first, *sorted(cuts), end]
        return list(pairwise(marks))

    def _promoted(self, sequence: int, week: int) -> Container[int]:
        """Who is on promotion at that order: by the calendar, and by campaigns. An empty one is false."""
        if self.campaigns and (on := frozenset(self.discounts(sequence))):
            return self._offered(on, week)
        return self.offers.promoted(week)

    def _on_offer(self, categories: frozenset[int], week: int) -> Container[int]:
        return OnOffer(self.catalogue, categories, self.offers.promoted(week))
