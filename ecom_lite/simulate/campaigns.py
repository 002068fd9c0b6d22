"""Campaigns: promotions of a whole category that somebody begins and ends while the shop runs, told apart by order numbers."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .catalogue import CATEGORIES, Catalogue


@dataclass(frozen=True)
class Campaign:
    """`discount`, a share of the price, on all products of `category`, from order `first` to the one before `end`."""

    category: str
    discount: float
    first: int
    end: int | None = None  # None: it goes on

    def holds(self, sequence: int) -> bool:
        return self.first <= sequence and (self.end is None or sequence < self.end)


def read_campaigns(kept: Any) -> tuple[Campaign, ...]:
    """From the JSON that `ops.shops` keeps; what is no campaign of this version is left out."""
    known = {category.name for category in CATEGORIES}
    return tuple(Campaign(**each) for each in kept or () if isinstance(each, Mapping) and each.get("category") in known)


def changed(campaigns: Sequence[Campaign], wanted: Mapping[str, float], sequence: int) -> tuple[Campaign, ...]:
    """With what is `wanted`, shares by category, from order `sequence` on; what is on and not wanted ends before it."""
    open_ = {each.category: each for each in campaigns if each.end is None}
    kept = [
        each
        if each.end is not None or wanted.get(each.category) == each.discount
        else Campaign(each.category, each.discount, each.first, sequence)
        for each in campaigns
    ]
    new = [
        Campaign(category, share, sequence)
        for category, share in wanted.items()
        if share and (category not in open_ or open_[category].discount != share)
    ]
    return tuple(each for each in (*kept, *new) if each.end is None or each.first < each.end)


class OnOffer:
    """The products of some categories (places in CATEGORIES), and those that are on promotion anyway."""

    __slots__ = ("_catalogue", "_categories", "_others")

    def __init__(self, catalogue: Catalogue, categories: Collection[int], others: Container[int]) -> None:
        self._catalogue = catalogue
        self._categories = categories
        self._others = others

    def __contains__(self, product: object) -> bool:
        return self._catalogue.category(product) in self._categories or product in self._others  # type: ignore[arg-type]
