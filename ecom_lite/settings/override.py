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


class ShopOverride(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is None or absent stays as it is. `rate` is orders per second, or max, or natural; `faults` are shares. `no_room` is
    the run's own pause while the disk is nearly full: beside that of a person, so that neither ends the other."""

    rate: float | str | None = None
    paused: bool | None = None
    faults: Mapping[str, float] = {}
    no_room: bool | None = None

    def then(self, later: ShopOverride) -> ShopOverride:
        """Both, the later one on top."""
        return ShopOverride(
            self.rate if later.rate is None else later.rate,
            self.paused if later.paused is None else later.paused,
            {**self.faults, **later.faults},
            self.no_room if later.no_room is None else later.no_room,
        )


def fault_shares(words: Sequence[str]) -> dict[str, float]:
    """`["late=5%", "malformed=0.01"]` as {"late": 0.05, "malformed": 0.01}; `["off"]` as all of them at 0.

    Raises UsageError, which says what there is.
    """
    if list(words) == ["off"]:
        return dict.fromkeys(FAULTS, 0.0)
    shares: dict[str, float] = {}
    for word in words:
        name, equals, share = word.partition("=")
        if name not in FAULTS or not equals:
            problem = "no such fault" if equals else "write NAME=SHARE, such as late=5%, or off alone"
            raise UsageError(f"fault {word!r}: {problem}; there is: {', '.join(FAULTS)}")
        try:
            shares[name] = share_of(share)
        except ValueError as error:
            raise UsageError(f"fault {word!r}: {error}") from None
    return shares
