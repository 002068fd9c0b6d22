"""What is changed of the simulated shop's settings while it runs, by a person or by the run: to the producer, and no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from ..errors import UsageError
from .tree import Faults
from .values import share_of

# What can be switched, and what it does: the shares of [faults], all 0 by default.
FAULTS: Final = Faults.switches()
# What a campaign may promote: the categories of the simulated shop. One of up to 20 products sells the first four.
CATEGORIES: Final = (
    "Electronics", "Home & Kitchen", "Sports & Outdoors", "Books", "Fashion", "Shoes & Bags", "Beauty", "Toys & Games", "Garden",
    "Office", "Pets", "Grocery",
)  # fmt: skip


class ShopOverride(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is None or absent stays as it is. `rate` is orders per second, or max, or natural; `faults` are shares,
    `campaigns` shares off the price by category. `no_room` is the run's own pause while the disk is nearly full: beside that of
    a person, so that neither ends the other."""

    rate: float | str | None = None
    paused: bool | None = None
    faults: Mapping[str, float] = {}
    campaigns: Mapping[str, float] = {}
    no_room: bool | None = None

    def then(self, later: ShopOverride) -> ShopOverride:
        """Both, the later one on top."""
        return ShopOverride(
            self.rate if later.rate is None else later.rate,
            self.paused if later.paused is None else later.paused,
            {**self.faults, **later.faults},
            {**self.campaigns, **later.campaigns},
            self.no_room if later.no_room is None else later.no_room,
        )


def fault_shares(words: Sequence[str]) -> dict[str, float]:
    """`["late=5%", "malformed=0.01"]` as {"late": 0.05, "malformed": 0.01}; `["off"]` as all of them at 0.

    Raises UsageError, which says what there is.
    """
    return _shares("fault", words, tuple(FAULTS), "late=5%")


def campaign_shares(words: Sequence[str]) -> dict[str, float]:
    """As `fault_shares`, of categories: `["Books=30%"]` as {"Books": 0.3}. Raises UsageError."""
    return _shares("campaign", words, CATEGORIES, "Books=30%")


def _shares(what: str, words: Sequence[str], known: Sequence[str], example: str) -> dict[str, float]:
    if list(words) == ["off"]:
        return dict.fromkeys(known, 0.0)
    shares: dict[str, float] = {}
    for word in words:
        name, equals, share = word.partition("=")
        if name not in known or not equals:
            no_such = f"no such {'category' if what == 'campaign' else what}"
            problem = no_such if equals else f"write NAME=SHARE, such as {example}, or off alone"
            raise UsageError(f"{what} {word!r}: {problem}; there is: {', '.join(known)}")
        try:
            shares[name] = share_of(share)
        except ValueError as error:
            raise UsageError(f"{what} {word!r}: {error}") from None
    return shares
