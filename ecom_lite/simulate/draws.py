"""Uniform draws, permutations and long tails in integers: the same on every machine, reachable at any index without replay."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable
from decimal import Decimal, localcontext
from itertools import accumulate
from math import gcd
from struct import Struct, unpack
from typing import Final

WORD: Final = 2**32  # a word is uniform in 0 .. WORD - 1
MILLION: Final = 1_000_000  # shares in the settings are turned into parts per million, once
_MASK: Final = 2**64 - 1
_GOLDEN: Final = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: multiples of it are spread evenly
EXACT_RANKS: Final = 16  # of a long tail each have a weight of their own; after them a step has an eighth of the ranks before it
_SCALE: Final = 10**15  # of a long tail's integer weights


def words(label: str, count: int) -> tuple[int, ...]:
    """`count` uniform 32-bit integers, a function of the label alone: the same on any machine and any Python."""
    return unpack(f"<{count}I", hashlib.shake_128(f"ecom_lite {label}".encode()).digest(4 * count))


def word_source(label: str, count: int) -> Callable[[int], tuple[int, ...]]:
    """A fast f with f(i) == words(f"{label} {i}", count)."""
    shake, decode, size, pattern = hashlib.shake_128, Struct(f"<{count}I").unpack, 4 * count, f"ecom_lite {label} %d".encode()
    return lambda index: decode(shake(pattern % index).digest(size))


def salt(label: str) -> int:
    """64 bits from a label: where a family of `mix` draws begins."""
    low, high = words(label, 2)
    return high << 32 | low


def mix(salt: int, index: int) -> int:
    """64 uniform bits of entity `index` (splitmix64): three times as cheap as `words`, good enough for one entity."""
    z = (salt + index * _GOLDEN) & _MASK
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & _MASK
    return z ^ z >> 31


def ppm(share: float) -> int:
    """A share as parts per million: the one place where a float of the settings becomes an integer."""
    return round(share * MILLION)


def below(share: float) -> int:
    """A word is below this with probability `share`."""
    return ppm(share) * WORD // MILLION


def spread(index: int, size: int) -> int:
    """A number in 0 .. size - 1: a walk by the golden ratio, in which none comes twice within size / 3 indexes."""
    return (index * _GOLDEN & _MASK) * size >> 64


class Shuffle:
    """A permutation of 0 .. size - 1 without a table: place -> (place * step + first) mod size."""

    __slots__ = ("back", "first", "size", "step")

    def __init__(self, size: int, bits: int) -> None:
        self.size = size
        self.first = (bits >> 32) % size
        step = (bits & 0xFFFFFFFF) % size | 1
        while gcd(step, size) != 1:
            step += 1
        self.step = step
        self.back = pow(step, -1, size) if size > 1 else 0

    def at(self, place: int) -> int:
        return (place * self.step + self.first) % self.size

    def place_of(self, value: int) -> int:
        return (value - self.first) * self.back % self.size


class LongTail:
    """Ranks 0 .. size - 1 with weights (rank + 1 + offset) ** -exponent; past EXACT_RANKS in steps of equal weight.

    Holds some hundred integers whatever the size is.
    """

    def __init__(self, size: int, exponent: float, offset: int = 0) -> None:
        self._first: list[int] = []
        self._weight: list[int] = []
        counts: list[int] = []
        with localcontext() as context:
            context.prec = 40  # far more digits than the integers keep, so that rounding cannot show
            power = -Decimal(ppm(exponent)) / MILLION
            first = 0
            while first < size:
                count = min(1 if first < EXACT_RANKS else first // 8, size - first)
                middle = Decimal(2 * first + count + 1) / 2 + offset
                self._first.append(first)
                self._weight.append(max(1, int(middle**power * _SCALE)))
                counts.append(count)
                first += count
        *self._starts, self._total = accumulate(
            (weight * count for weight, count in zip(self._weight, counts, strict=True)), initial=0
        )

    def rank(self, word: int) -> int:
        """The rank that a uniform word falls on."""
        mark = word * self._total >> 32
        step = bisect_right(self._starts, mark) - 1
        return self._first[step] + (mark - self._starts[step]) // self._weight[step]

    def draw(self, order: Shuffle) -> Callable[[int], int]:
        """A fast f with f(word) == order.at(self.rank(word))."""
        starts, ranks, weights, total = self._starts, self._first, self._weight, self._total
        step, first, size = order.step, order.first, order.size

        def draw(word: int) -> int:
            mark = word * total >> 32
            at = bisect_right(starts, mark) - 1
            return ((ranks[at] + (mark - starts[at]) // weights[at]) * step + first) % size

        return draw

    def share(self, rank: int) -> float:
        """The probability of one rank, for tests and documentation."""
        return self._weight[bisect_right(self._first, rank) - 1] / self._total
