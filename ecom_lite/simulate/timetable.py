"""When the orders of a shop with an opening come in: by hour, weekday and season, to the microsecond, without replay."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final

from ..errors import EcomLiteError
from ..settings.tree import Shop as ShopSettings
from .draws import MILLION, WORD, ppm, word_source, words

# What a usual shop does, in thousandths of the average, UTC.
HOURS: Final = (
    *(430, 300, 220, 180, 180, 230, 400, 700, 1010, 1250, 1370, 1430),
    *(1450, 1340, 1250, 1210, 1230, 1310, 1450, 1620, 1760, 1680, 1280, 720),
)
WEEKDAYS: Final = (1120, 1040, 1010, 1000, 930, 870, 1030)  # from Monday
MONTHS: Final = (930, 900, 950, 960, 980, 950, 880, 870, 980, 1030, 1250, 1320)  # at the middle of each; between them a line
DAY_NOISE: Final = 200_000  # parts per million: the sum of two draws, so mostly within half of it
HOUR_NOISE: Final = 300_000
_HOUR_US: Final = 3_600_000_000
_SECOND_US: Final = 1_000_000
_DAY: Final = timedelta(days=1)
_SHIFT: Final = 20  # expected orders are kept in units of 2**-20
_CELL: Final = 256  # orders whose places within their slots are drawn in one go; part of the stream
_MINUTE_SECOND: Final = [b"%02d:%02d" % divmod(second, 60) for second in range(3600)]


class Timetable:
    """T(n) of order n, strictly increasing from `opened_at` on: a function of (seed, settings, opened_at, n).

    Over a year `orders_per_day` come a day. Each hour gets its share by cumulative rounding, and its orders lie in
    slots of equal length, each somewhere in its own. Keeps one integer per day that was asked for. For one thread.
    """

    def __init__(self, settings: ShopSettings, opened_at: datetime) -> None:
        self.opened_at = opened_at.astimezone(UTC)
        self._seed = settings.seed
        self._orders = settings.orders_per_day
        self._hours = _blend(HOURS, settings.hours)
        self._weekdays = _blend(WEEKDAYS, settings.weekdays)
        self._season = _seasons(settings.season)
        self._hour_noise = HOUR_NOISE * ppm(settings.hours) // MILLION
        self._day_noise = DAY_NOISE * ppm(settings.weekdays) // MILLION
        self._places = lru_cache(maxsize=16)(word_source(f"moments {settings.seed}", _CELL))
        self._plan = lru_cache(maxsize=64)(self._make_plan)
        self._first_date = self.opened_at.date()
        self._ends: list[int] = []  # expected orders up to the end of each day, cumulative
        self._skipped = 0  # orders of the first day that would have come before the opening
        self._skipped = self.due(self.opened_at - timedelta(microseconds=1))

    def time(self, sequence: int) -> datetime:
        """When order `sequence` comes in. Raises EcomLiteError past the year 9999."""
        number = sequence + self._skipped
        day = self._day_of(number)
        hour, low, orders = self._hour_of(day, number)
        moment = self._moment(number, number - low, orders)
        midnight = datetime.combine(self._date(day), time(tzinfo=UTC))
        return midnight + timedelta(hours=hour, microseconds=moment)

    def stamps(self, first: int, end: int) -> list[bytes]:
        """The times of orders `first` .. `end - 1` as an event's JSON has them."""
        stamps: list[bytes] = []
        number, last = first + self._skipped, end + self._skipped
        while number < last:
            day = self._day_of(number)
            hour, low, orders = self._hour_of(day, number)
            prefix = b"%bT%02d:" % (self._date(day).isoformat().encode(), hour)
            upto = min(last, low + orders)
            while number < upto:
                cell_end = min(upto, (number // _CELL + 1) * _CELL)
                words = self._places(number // _CELL)[number % _CELL :]
                start = (number - low) * _HOUR_US // orders
                for place, word in zip(range(number - low + 1, cell_end - low + 1), words, strict=False):
                    following = place * _HOUR_US // orders
                    second, microsecond = divmod(start + (word * (following - start) >> 32), _SECOND_US)
                    if microsecond:
                        stamps.append(b"%b%b.%06dZ" % (prefix, _MINUTE_SECOND[second], microsecond))
                    else:
                        stamps.append(b"%b%bZ" % (prefix, _MINUTE_SECOND[second]))
                    start = following
                number = cell_end
        return stamps

    def due(self, time: datetime) -> int:
        """How many orders have come in by `time`, itself included: the first order that is later."""
        time = time.astimezone(UTC)
        day = (time.date() - self._first_date).days
        if day < 0:
            return 0
        bounds = self._plan(day)
        low, orders = bounds[time.hour], bounds[time.hour + 1] - bounds[time.hour]
        moment = (time.minute * 60 + time.second) * _SECOND_US + time.microsecond
        if orders:
            place = ((moment + 1) * orders - 1) // _HOUR_US  # the slot that `time` lies in: all before it have come
            low += place + (self._moment(low + place, place, orders) <= moment)
        return max(0, low - self._skipped)

    def _moment(self, number: int, place: int, orders: int) -> int:
        """Microseconds into the hour of the order in slot `place` of `orders`."""
        start, following = place * _HOUR_US // orders, (place + 1) * _HOUR_US // orders
        return start + (self._places(number // _CELL)[number % _CELL] * (following - start) >> 32)

    def _day_of(self, number: int) -> int:
        expected = (number + 1) << _SHIFT
        while not self._ends or self._ends[-1] < expected:
            self._add_day()
        return bisect_left(self._ends, expected)

    def _hour_of(self, day: int, number: int) -> tuple[int, int, int]:
        """(hour of the day, first order of that hour, orders in it)."""
        bounds = self._plan(day)
        hour = bisect_right(bounds, number) - 1
        return hour, bounds[hour], bounds[hour + 1] - bounds[hour]

    def _make_plan(self, day: int) -> list[int]:
        """25 numbers: the first order of each hour of the day, and of the next day."""
        while len(self._ends) <= day:
            self._add_day()
        before = self._ends[day - 1] if day else 0
        expected = self._ends[day] - before
        draws = words(f"hours {self._seed} {self._date(day).toordinal()}", 48)
        shares = list(
            accumulate(
                (
                    weight * (MILLION + _noise(draws[hour], draws[hour + 24], self._hour_noise))
                    for hour, weight in enumerate(self._hours)
                ),
                initial=0,
            )
        )
        return [(before + expected * share // shares[-1]) >> _SHIFT for share in shares]

    def _add_day(self) -> None:
        date = self._date(len(self._ends))
        one, other = words(f"day {self._seed} {date.toordinal()}", 2)
        noise = MILLION + _noise(one, other, self._day_noise)
        # Day 366 of the table is the 29th of February's; the others keep their place in every year.
        season = self._season[(date.replace(year=2000) - _LEAP_YEAR).days]
        weight = self._weekdays[date.weekday()] * season * noise
        self._ends.append((self._ends[-1] if self._ends else 0) + (self._orders << _SHIFT) * weight // MILLION**3)

    def _date(self, day: int) -> date:
        try:
            return self._first_date + day * _DAY
        except OverflowError:
            raise EcomLiteError(
                f"the shop's clock would pass the year 9999: with {self._orders:,} orders a day (shop.orders_per_day) "
                f"from {self._first_date} on there are not so many orders"
            ) from None


_LEAP_YEAR: Final = date(2000, 1, 1)


def _noise(one: int, other: int, size: int) -> int:
    """Between -size and +size parts per million, mostly in the middle of it."""
    return (one + other) * size // WORD - size


def _blend(weights: tuple[int, ...], amount: float) -> list[int]:
    """In parts per million with an average of a million: flat at amount 0, the weights at 1."""
    return [MILLION + (1000 * weight - MILLION) * ppm(amount) // MILLION for weight in weights]


def _seasons(amount: float) -> list[int]:
    """366 weights in parts per million, one for each day of a leap year, with an average of a million."""
    middles = [date(2000, month, 15) for month in range(1, 13)]
    days = [(middle - _LEAP_YEAR).days for middle in middles]
    knots = [(days[-1] - 366, MONTHS[-1]), *zip(days, MONTHS, strict=True), (days[0] + 366, MONTHS[0])]
    line = []
    for (day, weight), (next_day, next_weight) in pairwise(knots):
        line += [
            1000 * weight + 1000 * (next_weight - weight) * (at - day) // (next_day - day)
            for at in range(max(day, 0), min(next_day, 366))
        ]
    return [MILLION + (weight * 366 * MILLION // sum(line) - MILLION) * ppm(amount) // MILLION for weight in line]
