"""The customers: who signs up when, who buys how often, and what a profile says."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from struct import unpack
from typing import TYPE_CHECKING, Final

from ..events import UserChange

if TYPE_CHECKING:
    from datetime import datetime

    from faker import Faker

ORDERS_BETWEEN_SIGN_UPS: Final = (20, 50)  # inclusive
GROUP: Final = 10  # of so many customers in a row ...
HEAVY, REGULAR, CASUAL = 0, 1, 2
GROUP_KINDS: Final = (HEAVY,) * 2 + (REGULAR,) * 3 + (CASUAL,) * 5  # ... so many are of each kind: 20, 30, 50 %
ORDER_SHARES: Final = (0.50, 0.30, 0.20)  # of all orders, by kind
LOCALES: Final = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "nl_NL")
COUNTRIES: Final = ("United States", "United Kingdom", "Germany", "France", "Spain", "Netherlands")


def words(label: str, count: int) -> tuple[int, ...]:
    """`count` uniform 32-bit integers, a function of the label alone: the same on any machine and any Python."""
    return unpack(f"<{count}I", hashlib.shake_128(f"ecom_lite {label}".encode()).digest(4 * count))


class Customers:
    """Who exists at which order sequence number. All of it is a function of the seed and the two limits.

    Customer ids are 1, 2, 3, ... in the order of sign-up. The first `start` sign up before order 0, each further one
    20 to 50 orders after the one before, until there are `most`.
    """

    def __init__(self, seed: int, start: int, most: int) -> None:
        self.seed = seed
        self.start = min(start, most)
        self.most = most
        low, high = ORDERS_BETWEEN_SIGN_UPS
        gaps = (low + word % (high - low + 1) for word in words(f"sign-ups {seed}", most - self.start))
        self._later = list(accumulate(gaps))  # order sequence before which customer start + 1 + i signs up

    def known_at(self, sequence: int) -> int:
        """How many customers have signed up when order `sequence` is placed."""
        return self.start + bisect_right(self._later, sequence)

    def next_sign_up(self, sequence: int) -> int | None:
        """The first order sequence above `sequence` that a sign-up precedes; None once all have signed up."""
        at = bisect_right(self._later, sequence)
        return self._later[at] if at < len(self._later) else None

    def signing_up_at(self, sequence: int) -> range:
        """The ids of those who sign up right before order `sequence`."""
        first = 1 if sequence == 0 else self.known_at(sequence - 1) + 1
        return range(first, self.known_at(sequence) + 1)

    @cached_property
    def kinds(self) -> Sequence[int]:
        """HEAVY, REGULAR or CASUAL; position 0 is customer 1. Every 10 in a row hold exactly 2, 3 and 5 of them."""
        kinds: list[int] = []
        draws = words(f"kinds {self.seed}", self.most + GROUP)
        for first in range(0, self.most, GROUP):
            ranked = sorted(zip(draws[first : first + GROUP], GROUP_KINDS, strict=True))
            kinds += [kind for _, kind in ranked]
        return kinds[: self.most]

    def buyers(self, known: int) -> list[list[int]]:
        """The ids of the first `known` customers by kind. A kind without anyone yet is stood in for by everybody."""
        groups: list[list[int]] = [[], [], []]
        for customer, kind in enumerate(self.kinds[:known], 1):
            groups[kind].append(customer)
        return [group or list(range(1, known + 1)) for group in groups]

    def profile(self, customer: int, time: datetime) -> UserChange:
        """The sign-up event of one customer; the profile is a function of the seed and the id."""
        which = words(f"locale {self.seed} {customer}", 1)[0] % len(LOCALES)
        fake = self._fakers[which]
        fake.seed_instance(words(f"profile {self.seed} {customer}", 1)[0])
        first, last = fake.first_name(), fake.last_name()
        return UserChange(
            event_type="user_registered",
            user_id=customer,
            name=f"{first} {last}",
            email=f"{_mailbox(first)}.{_mailbox(last)}.{customer}@example.com",
            city=fake.city(),
            country=COUNTRIES[which],
            timestamp=time,
            event_id=f"{self.seed}-user-{customer}",
            schema_version=1,
        )

    @cached_property
    def _fakers(self) -> list[Faker]:
        from faker import Faker  # a third of a second, and not needed once all have signed up

        return [Faker(locale) for locale in LOCALES]


def _mailbox(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "", plain) or "customer"
