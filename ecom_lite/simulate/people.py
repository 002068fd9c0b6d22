"""Who the customers are: names, addresses and cities by country, from a bundled file that the locked Faker has made.

`python -m ecom_lite.simulate.people` writes the file anew. At run time Faker is not needed: importing it takes a third
of a second, and other versions of it know other names.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import resources
from itertools import accumulate
from pathlib import Path
from typing import Final, NamedTuple

from .draws import LongTail, mix, salt

FILE: Final = "people.json"
# code: (Faker's locale, name, weight among the countries of a shop)
COUNTRIES: Final = {
    "US": ("en_US", "United States", 40),
    "GB": ("en_GB", "United Kingdom", 18),
    "DE": ("de_DE", "Germany", 16),
    "FR": ("fr_FR", "France", 11),
    "ES": ("es_ES", "Spain", 8),
    "NL": ("nl_NL", "Netherlands", 7),
}
FIRST_NAMES: Final = 200  # per country, where its locale has so many; likewise the next two
LAST_NAMES: Final = 400
CITIES: Final = 150
CITY_TAIL: Final = 0.8  # exponent of how many live where: the first of a country's cities is its largest
ABROAD: Final = 7  # one in so many moves leads to any of the countries, the others stay in theirs
_MAKE_SEED: Final = 20_261_101


class Address(NamedTuple):
    """UTF-8, ready to stand in a JSON text."""

    city: bytes
    country: bytes


class Person(NamedTuple):
    """UTF-8, ready to stand in a JSON text."""

    name: bytes
    email: bytes
    home: Address


class _Pool(NamedTuple):
    """Of one country; a name comes with its part of a mailbox."""

    first_names: list[tuple[bytes, bytes]]
    last_names: list[tuple[bytes, bytes]]
    cities: list[bytes]
    city_tail: LongTail


class People:
    """Profiles as functions of (seed, countries, customer). Reads the bundled file at the first one."""

    def __init__(self, seed: int, countries: Sequence[str]) -> None:
        self._countries = tuple(dict.fromkeys(countries))
        self._marks = list(accumulate(COUNTRIES[code][2] for code in self._countries))
        self._salt = salt(f"people {seed}")

    def person(self, customer: int) -> Person:
        """Name, address and first home of one customer."""
        bits = mix(self._salt, 2 * customer)
        where = self._where(bits & 0xFFFF)
        first_names, last_names, cities, city_tail = self._pools[where]
        first, first_mailbox = first_names[(bits >> 16 & 0xFFFF) * len(first_names) >> 16]
        last, last_mailbox = last_names[(bits >> 32 & 0xFFFF) * len(last_names) >> 16]
        city = cities[city_tail.rank(mix(self._salt, 2 * customer + 1) >> 32)]
        return Person(
            b"%b %b" % (first, last),
            b"%b.%b.%d@example.com" % (first_mailbox, last_mailbox, customer),
            Address(city, self._names[where]),
        )

    def new_home(self, customer: int, bits: int) -> Address:
        """Where a customer moves to, by 64 uniform bits: another city than the first home, mostly in the same country."""
        home = self.person(customer).home
        where = self._names.index(home.country)
        if bits % ABROAD == 0:
            where = self._where(bits >> 8 & 0xFFFF)
        _, _, cities, city_tail = self._pools[where]
        at = city_tail.rank(bits >> 32)
        if cities[at] == home.city:
            at = (at + 1) % len(cities)
        return Address(cities[at], self._names[where])

    def _where(self, bits16: int) -> int:
        mark = bits16 * self._marks[-1] >> 16
        return next(place for place, upto in enumerate(self._marks) if mark < upto)

    @cached_property
    def _names(self) -> list[bytes]:
        return [COUNTRIES[code][1].encode() for code in self._countries]

    @cached_property
    def _pools(self) -> list[_Pool]:
        pools = json.loads(resources.files(__package__).joinpath(FILE).read_bytes())
        return [
            _Pool(
                [(name.encode(), _mailbox(name)) for name in pools[code]["first_names"]],
                [(name.encode(), _mailbox(name)) for name in pools[code]["last_names"]],
                [city.encode() for city in pools[code]["cities"]],
                LongTail(len(pools[code]["cities"]), CITY_TAIL),
            )
            for code in self._countries
        ]


def _mailbox(name: str) -> bytes:
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "", plain).encode() or b"customer"


def make_pools() -> dict[str, dict[str, list[str]]]:
    """What the file holds, drawn from the installed Faker."""
    from faker import Faker  # only here: not a part of the running product

    pools = {}
    for code, (locale, _, _) in COUNTRIES.items():
        fake = Faker(locale)
        fake.seed_instance(_MAKE_SEED)
        pools[code] = {
            "first_names": _distinct(fake.first_name, FIRST_NAMES),
            "last_names": _distinct(fake.last_name, LAST_NAMES),
            "cities": _distinct(fake.city, CITIES),
        }
    return pools


def _distinct(draw: Callable[[], str], count: int) -> list[str]:
    """The first so many different ones, in the order in which they come; fewer where there are fewer."""
    found: dict[str, None] = {}
    for _ in range(100 * count):
        text = draw()
        if not set(text) & {'"', "\\"}:  # they go into JSON as they are
            found[text] = None
        if len(found) == count:
            break
    return list(found)


def pools_text() -> str:
    """The file's content, one list a line."""
    lines = []
    for code, pool in make_pools().items():
        lists = ",\n".join(f'  "{name}": {json.dumps(texts, ensure_ascii=False)}' for name, texts in pool.items())
        lines.append(f' "{code}": {{\n{lists}\n }}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    Path(__file__).with_name(FILE).write_text(pools_text(), encoding="utf-8")
