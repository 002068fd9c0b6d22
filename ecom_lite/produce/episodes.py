"""Bursts and silences: in which seconds a shop that is paced by a rate sends five times as much, or nothing."""

from __future__ import annotations

import hashlib
from typing import Final

from ..settings.tree import Faults

BURST: Final = 5  # so many times the rate
SLICE_S: Final = 1


class Episodes:
    """Which slices of the wall clock are hit is a function of (seed, slice, shares). For one thread."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._slice = -1
        self._factor = 1

    def factor(self, settings: Faults, now_s: float) -> tuple[int, str]:
        """By how much the rate is multiplied at `now_s` (Unix seconds); and "burst" or "silence" where one begins, else ""."""
        if not (settings.burst or settings.silence):
            self._slice, self._factor = -1, 1
            return 1, ""
        number = int(now_s / SLICE_S)
        if number == self._slice:
            return self._factor, ""
        self._slice = number
        draw = int.from_bytes(hashlib.blake2b(b"ecom_lite slice %d %d" % (self._seed, number), digest_size=8).digest())
        share = draw / 2**64
        # Both ends of one draw: shares up to a half each never meet.
        name = "silence" if share < settings.silence else "burst" if share >= 1 - settings.burst else ""
        self._factor = {"silence": 0, "burst": BURST, "": 1}[name]
        return self._factor, name
