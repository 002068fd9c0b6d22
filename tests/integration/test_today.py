"""What boards say of today and of this hour, held against a recount of the facts below the cut by plain SQL."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ecom_lite.rollups import Rollups
from ecom_lite.warehouse.connect import Address

from .facts import Line, load, rows

COUNTRIES = ("Chile", "Norway", None)
FILTERS: Sequence[tuple[list[str], list[str]]] = (
    (["*"], ["*"]),
    (["Garden"], ["*"]),
    (["Books", "Toys"], ["Chile"]),
    (["*"], ["Norway", "(unknown)"]),
    (["nothing of the kind"], ["*"]),
)
# Orders count at their first line in the load order, and once in each category at their first line there.
RECOUNT = """
WITH lines AS (
    SELECT f.load_xid, f.ordered_at, f.quantity, f.revenue, c.category, coalesce(u.country, '(unknown)') AS country,
           NOT EXISTS (SELECT FROM warehouse.fact_sales o WHERE o.order_id = f.order_id
                       AND (o.load_xid, o.ordered_at, o.category_key, o.product_key)
                           < (f.load_xid, f.ordered_at, f.category_key, f.product_key)) AS starts_order,
           NOT EXISTS (SELECT FROM warehouse.fact_sales o WHERE o.order_id = f.order_id AND o.category_key = f.category_key
                       AND (o.load_xid, o.ordered_at, o.product_key)
                           < (f.load_xid, f.ordered_at, f.product_key)) AS starts_in_category
    FROM warehouse.fact_sales f
    JOIN warehouse.dim_user u USING (user_key)
    JOIN warehouse.dim_category c USING (category_key)
)
SELECT category, country, count(*), count(*) FILTER (WHERE starts_order), count(*) FILTER (WHERE starts_in_category),
       sum(quantity), sum(revenue)
FROM lines
WHERE load_xid < (SELECT load_xid_below FROM realtime.rolled)
    AND ordered_at >= %s AND ordered_at < %s
    AND ('*' = ANY (%s) OR category = ANY (%s)) AND ('*' = ANY (%s) OR country = ANY (%s))
GROUP BY category, country ORDER BY category, country
"""
DST = [
    ("UTC", datetime(2026, 11, 18, 14, 37, 12, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 29, 9, 20, 41, tzinfo=UTC)),  # this night had no hour from two to three
    ("Europe/Berlin", datetime(2026, 10, 26, 0, 30, 5, tzinfo=UTC)),  # yesterday had that hour twice
    (
        "America/New_York",
        datetime(2026, 11, 8, 4, 30, tzinfo=UTC),
    ),  # a week ago the clock was set back: 23:30 of its evening before
    ("Asia/Kolkata", datetime(2026, 11, 18, 19, 3, 59, tzinfo=UTC)),  # days begin at half past
]


def _lines(at: datetime, count: int, seed: int) -> list[Line]:
    """Over ten days before `at`, the last hours dense; a third of the orders has lines of two minutes."""
    rng = random.Random(seed)
    lines: dict[tuple[str, int], Line] = {}
    while len(lines) < count:
        back = rng.choice(
            [rng.uniform(0, 7_200), rng.uniform(0, 864_000), 86_400 + rng.uniform(0, 90_000), 604_800 + rng.uniform(0, 90_000)]
        )
        order, user, ordered_at = f"t-{seed}-{rng.randrange(count)}", rng.randint(1, 9), at - timedelta(seconds=back)
        for _ in range(rng.randint(1, 3)):
            product = rng.randint(1, 12)
            moved = ordered_at + timedelta(seconds=rng.choice([0, 0, 45]))
            price = Decimal(rng.randint(1, 9_999)) / 100
            lines.setdefault((order, product), Line(order, user, product, rng.randint(1, 5), price, moved))
    return list(lines.values())


def _clock(warehouse: Address, zone: str) -> None:
    with warehouse.connect("ecom_owner") as owner:
        owner.execute("UPDATE ops.calendar SET time_zone = %s", [zone])


def _countries(warehouse: Address) -> None:
    with warehouse.connect("ecom_loader") as loader:
        for number, country in enumerate(COUNTRIES):
            loader.execute(
                "INSERT INTO warehouse.dim_user (user_id, country) SELECT g::text, %s FROM generate_series(1, 9) g "
                "WHERE g %% 3 = %s ON CONFLICT (user_id) DO UPDATE SET country = excluded.country", [country, number],
            )  # fmt: skip


def _spans(at: datetime, zone: str) -> dict[str, tuple[datetime, datetime]]:
    """The spans by Python's own calendar."""
    where = ZoneInfo(zone)
    minute = at.replace(second=0, microsecond=0)
    clock = minute.astimezone(where).replace(tzinfo=None)

    def moment(naive: datetime) -> datetime:
        return naive.replace(tzinfo=where).astimezone(UTC)

    def day(back: int) -> tuple[datetime, datetime]:
        then = clock - timedelta(days=back)
        return moment(then.replace(hour=0, minute=0)), moment(then)

    return {
        "today": (day(0)[0], minute),
        "this minute": (minute, minute + timedelta(minutes=1)),
        "yesterday": day(1),
        "last week": day(7),
    }


def _counted(
    warehouse: Address, bounds: tuple[datetime, datetime], categories: list[str], countries: list[str]
) -> list[tuple[Any, ...]]:
    with warehouse.connect("ecom_reader") as reader:
        return reader.execute(RECOUNT, [*bounds, categories, categories, countries, countries]).fetchall()


def _said(warehouse: Address, at: datetime, categories: list[str], countries: list[str]) -> dict[str, list[tuple[Any, ...]]]:
    with warehouse.connect("ecom_reader") as reader:
        found: dict[str, list[tuple[Any, ...]]] = {}
        for span, *figures in reader.execute(
            "SELECT span, category, country, lines, orders, category_orders, units, revenue FROM realtime.so_far(%s, %s, %s) "
            "ORDER BY category, country", [at, categories, countries],
        ):  # fmt: skip
            found.setdefault(span, []).append(tuple(figures))
        return found


def _same(warehouse: Address, at: datetime, zone: str) -> int:
    seen = 0
    for categories, countries in FILTERS:
        said = _said(warehouse, at, categories, countries)
        for span, bounds in _spans(at, zone).items():
            counted = _counted(warehouse, bounds, categories, countries)
            assert said.get(span, []) == counted, (zone, at, span, categories, countries)
            seen += len(counted)
    return seen


@pytest.mark.parametrize(("zone", "at"), DST, ids=lambda value: str(value).replace("/", "-"))
def test_today_is_the_facts_at_every_cut_by_the_shops_clock(warehouse: Address, zone: str, at: datetime) -> None:
    _clock(warehouse, zone)
    _countries(warehouse)
    rollups = Rollups(warehouse, lambda: at)
    lines = _lines(at, 900, seed=int(at.timestamp()) % 1_000)
    seen = []
    for part in range(3):
        load(warehouse, lines[part::3])
        assert part or _same(warehouse, at, zone) == 0, "nothing is summed up yet"
        seen.append(_same(warehouse, at, zone))
        rollups.refresh()
        seen.append(_same(warehouse, at, zone))
    assert seen == sorted(seen) and seen[1] > 25 and seen[-1] > 40 and seen[2] == seen[1], seen


def test_what_is_older_than_nine_days_goes_and_today_stays_right(warehouse: Address) -> None:
    zone, at = DST[0]
    _countries(warehouse)
    load(warehouse, _lines(at, 300, seed=5))
    Rollups(warehouse, lambda: at).refresh()
    later = at + timedelta(days=6)
    load(warehouse, _lines(later, 300, seed=6))
    Rollups(warehouse, lambda: later).refresh()
    assert _same(warehouse, later, zone) > 25
    ((oldest, minutes),) = rows(warehouse, "SELECT min(begins), count(DISTINCT minutes) FROM realtime.recent_sales")
    assert minutes == 2 and later - timedelta(days=9, hours=1) <= oldest
    ((oldest,),) = rows(warehouse, "SELECT min(begins) FROM realtime.recent_products")
    assert oldest >= later - timedelta(days=3, hours=1)


def test_other_rates_and_another_reporting_currency_count_the_last_days_anew(warehouse: Address) -> None:
    _, at = DST[0]
    load(warehouse, _lines(at, 200, seed=7))
    rollups = Rollups(warehouse, lambda: at)
    rollups.refresh()
    with warehouse.connect("ecom_owner") as owner:
        owner.execute("UPDATE ops.reporting_currency SET currency = 'EUR'")
    assert rows(warehouse, "SELECT count(*) FROM realtime.recent_sales") == [(0,)]
    with warehouse.connect("admin") as admin:
        admin.execute("INSERT INTO warehouse.rates (currency, reporting, day, rate) VALUES ('USD', 'EUR', '2026-01-01', 0.5)")
    for _ in range(2):
        rollups.refresh()
        ((said,),) = rows(warehouse, f"SELECT sum(revenue) FROM realtime.so_far('{at.isoformat()}') WHERE span = 'today'")
        begins, ends = _spans(at, "UTC")["today"]
        ((counted,),) = rows(
            warehouse,
            "SELECT sum(round(revenue / 2, 2)) FROM warehouse.fact_sales "
            f"WHERE ordered_at >= '{begins}' AND ordered_at < '{ends}'",
        )
        assert said == counted > 0


def _one(warehouse: Address, query: str, *values: Any) -> tuple[Any, ...]:
    with warehouse.connect("ecom_reader") as reader:
        return reader.execute(query.encode(), values).fetchone() or ()


def test_an_empty_warehouse_and_a_first_day_have_no_comparison(warehouse: Address) -> None:
    _, at = DST[0]
    assert _one(warehouse, "SELECT * FROM realtime.day_so_far(%s)", at) == (0, None, None, 0, None, None)
    assert _one(warehouse, "SELECT realtime.headline(%s)", at) == ("Nothing sold yet this Wednesday",)
    assert _one(warehouse, "SELECT * FROM realtime.pace(%s)", at) == (1440, 0, 0, None, None)
    assert rows(warehouse, "SELECT * FROM realtime.movers(5)") == []
    load(warehouse, [Line(f"o-{n}", 1, n % 2 + 1, 1, Decimal(5 + n % 2), at - timedelta(minutes=n)) for n in range(4)])
    Rollups(warehouse, lambda: at).refresh()
    assert _one(warehouse, "SELECT * FROM realtime.day_so_far(%s)", at) == (22, None, None, 4, None, None)
    sentence = _one(warehouse, "SELECT realtime.headline(%s)", at)[0]
    assert sentence == "Wednesday has no day before to be compared with yet; Toys leads"


@pytest.mark.parametrize(
    ("yesterday", "last_week", "today", "sentence"),
    [
        (100, 100, 112, "Wednesday is 12 % ahead of last Wednesday"),
        (500, 200, 150, "Wednesday is 25 % behind last Wednesday"),
        (500, 1000, 1004, "Wednesday is level with last Wednesday"),
        (100, 0, 103, "Wednesday is 3.0 % ahead of yesterday"),
        (100, 100, 0, "Wednesday has sold nothing yet, unlike last Wednesday"),
    ],
)
def test_the_day_in_one_line(warehouse: Address, yesterday: int, last_week: int, today: int, sentence: str) -> None:
    _, at = DST[0]
    hour = at - timedelta(hours=1)
    sold = [(today, 0), (yesterday, 1), (last_week, 7)]
    load(warehouse, [Line(f"d-{back}", 1, 1, 1, Decimal(amount), hour - timedelta(days=back)) for amount, back in sold if amount])
    rollups = Rollups(warehouse, lambda: at)
    rollups.refresh()
    assert _one(warehouse, "SELECT realtime.headline(%s)", at) == (sentence,)
    revenue, by_day, by_week, *_ = _one(warehouse, "SELECT * FROM realtime.day_so_far(%s)", at)
    assert revenue == today
    for change, before in ((by_day, yesterday), (by_week, last_week)):
        assert change == (f"{100 * (today - before) / before:+.1f} %" if before else None)
    load(warehouse, [Line("more", 1, 2, 1, Decimal(9_000), at + timedelta(seconds=3))])
    rollups.refresh()
    assert _one(warehouse, "SELECT realtime.headline(%s)", at)[0].endswith("; Toys leads" if today else "last Wednesday")


@pytest.mark.parametrize(("every_s", "minutes"), [(20, 5), (70, 15), (300, 60), (1_500, 360), (7_200, 1_440)])
def test_the_window_of_the_pace_widens_until_it_has_ten_orders(warehouse: Address, every_s: int, minutes: int) -> None:
    _, at = DST[0]
    minute = at.replace(second=0)
    times = [at - timedelta(seconds=every_s * n) for n in range(120)]
    times += [at - timedelta(days=7, seconds=2 * every_s * n) for n in range(60)]
    lines = [
        Line(f"p-{n}", n % 9 + 1, n % 2 + 1, 1, Decimal(3), when)
        for n, when in enumerate(times)
        if when > at - timedelta(days=8.5)
    ]
    load(
        warehouse,
        [*lines, *(Line(line.order_id, line.user_id, line.product_id + 2, 1, Decimal(1), line.ordered_at) for line in lines)],
    )
    begin = minute - timedelta(minutes=minutes)

    def between(begin: datetime, end: datetime) -> int:
        return sum(begin <= line.ordered_at < end for line in lines)

    week = timedelta(days=7)
    day = timedelta(days=1)
    orders = between(begin, minute)
    expected = (minutes, orders, orders * 4, between(begin - day, minute - day), between(begin - week, minute - week))
    Rollups(warehouse, lambda: at).refresh()
    assert _one(warehouse, "SELECT * FROM realtime.pace(%s)", at) == expected
    assert orders >= 10 and (minutes == 5 or between(minute - timedelta(minutes=minutes // 6), minute) < 10)
    assert _one(warehouse, "SELECT realtime.window_words(%s)", minutes)[0] in {
        "the last 5 minutes", "the last 15 minutes", "the last hour", "the last 6 hours", "the last 24 hours",
    }  # fmt: skip


@pytest.mark.parametrize(("age_s", "every_s", "minutes"), [(10, 1, 1), (170, 10, 3), (900, 120, 14), (1_300, 300, 20)])
def test_the_pace_of_a_shop_that_is_younger_than_the_window_is_that_of_its_minutes(
    warehouse: Address, age_s: int, every_s: int, minutes: int
) -> None:
    _, at = DST[0]
    minute = at.replace(second=0)
    times = [minute - timedelta(seconds=second) for second in range(-5, age_s + 1, every_s)]
    load(warehouse, [Line(f"y-{n}", 1, n % 2 + 1, 1, Decimal(3), when) for n, when in enumerate(times)])
    Rollups(warehouse, lambda: at).refresh()
    orders = sum(when < minute for when in times)
    assert _one(warehouse, "SELECT * FROM realtime.pace(%s)", at) == (minutes, orders, orders * 3, None, None)


@pytest.mark.parametrize(("every_s", "minutes"), [(30, 60), (600, 360), (3_600, 1_440)])
def test_movers_are_the_products_that_changed_most(warehouse: Address, every_s: int, minutes: int) -> None:
    _, at = DST[0]
    rng = random.Random(3)
    times = [at - timedelta(seconds=every_s * n) for n in range(1, 200) if every_s * n < 200_000]
    lines = [
        Line(f"m-{n}", 1, rng.randint(1, 9), 1, Decimal(rng.randint(100, 9_900)) / 100, when) for n, when in enumerate(times)
    ]
    load(warehouse, lines[::2])
    Rollups(warehouse, lambda: at).refresh()
    load(warehouse, lines[1::2])
    Rollups(warehouse, lambda: at).refresh()
    end = at.replace(minute=at.minute // 10 * 10, second=0)
    width = timedelta(minutes=minutes)
    now: defaultdict[str, Decimal] = defaultdict(Decimal)
    before: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        if end - 2 * width <= line.ordered_at < end:
            (now if line.ordered_at >= end - width else before)[str(line.product_id)] += line.revenue
    wanted = sorted(now.keys() | before.keys(), key=lambda key: -abs(now[key] - before[key]))[:4]
    with warehouse.connect("ecom_reader") as reader:
        query = "SELECT product_id, minutes, revenue, before FROM realtime.movers(4, %s, %s)"
        said = reader.execute(query, [at, ["*"]]).fetchall()
        assert said == [(key, minutes, now[key], before[key]) for key in wanted]
        product = wanted[0]
        (category,) = reader.execute(
            "SELECT category FROM warehouse.dim_product JOIN warehouse.dim_category USING (category_key) WHERE product_id = %s",
            [product],
        ).fetchone() or ("",)
        assert reader.execute(query, [at, [category]]).fetchall()[0][0] == product
        assert reader.execute(query, [at, ["nothing of the kind"]]).fetchall() == []
