"""What an order holds: how many lines, which products, how many of each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Sequence
from typing import Final

from ..settings.tree import Shop as ShopSettings
from .catalogue import Catalogue
from .draws import WORD, below, ppm

LINE_WORDS: Final = 3  # draws of a line: product, second look, chance and quantity
QUANTITIES: Final = (1,) * 8 + (2,) * 4 + (3,) * 2 + (4, 5)  # chosen by 4 bits
QUANTITY_BITS: Final = 3  # a line is one integer: product index << QUANTITY_BITS | quantity


class Baskets:
    """The lines of an order, from its draws and from who is on promotion that week."""

    def __init__(self, settings: ShopSettings, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.most_lines = min(settings.max_lines, catalogue.size)
        self._related_below = below(settings.related)
        chance, more, marks = ppm(settings.more_lines), WORD, []
        for _ in range(self.most_lines - 1):
            more = more * chance // 1_000_000
            marks.append(WORD - more)
        self._line_marks = marks  # so many words are below each: one line, at most two, ...

    def lines(self, count_word: int, draws: Sequence[int], promoted: Container[int]) -> list[int]:
        """One integer per line: product index << QUANTITY_BITS | quantity. The products are distinct.

        The first line is by popularity, and with chance `related` a further one goes with it. Whoever is about to take
        something that is not on promotion looks once more, and takes what is: promotions are bought almost twice as often.
        """
        catalogue, related_below = self._catalogue, self._related_below
        popular, relations, size = catalogue.popular, catalogue.relations, catalogue.size
        lines: list[int] = []
        taken: list[int] = []
        at = 0
        for _ in range(bisect_right(self._line_marks, count_word) + 1):
            one, other, rest = draws[at : at + LINE_WORDS]
            at += LINE_WORDS
            if taken and rest < related_below:
                product = (taken[0] + relations[one >> 30]) % size
            else:
                product = popular(one)
                if promoted and product not in promoted:
                    look = popular(other)
                    if look in promoted:
                        product = look
            if product in taken:
                product = popular(other)
                while product in taken:
                    product = (product + 1) % size
            taken.append(product)
            lines.append(product << QUANTITY_BITS | QUANTITIES[rest & 15])
        return lines
