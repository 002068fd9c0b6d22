"""Macros expand as Grafana's PostgreSQL data source documents them; ranges and steps as Grafana rounds them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ecom_lite.dashboards.frames import Column, Frame, frame, moved, time_series
from ecom_lite.dashboards.macros import Fill, expand
from ecom_lite.dashboards.timerange import TimeRange, before, duration_ms, parse_range, step_ms, step_text
from ecom_lite.errors import DashboardError

RANGE = TimeRange(datetime(2026, 4, 21, 5, 1, 17, tzinfo=UTC), datetime(2026, 4, 21, 5, 6, 17, 500_000, tzinfo=UTC))


@pytest.mark.parametrize(
    ("macro", "expected"),
    [
        ("$__time(at)", 'at AS "time"'),
        ("$__timeEpoch(at)", 'extract(epoch from at) as "time"'),
        ("$__timeFilter(at)", "at BETWEEN '2026-04-21T05:01:17Z' AND '2026-04-21T05:06:17.5Z'"),
        ("$__timeFrom()", "'2026-04-21T05:01:17Z'"),
        ("$__timeTo()", "'2026-04-21T05:06:17.5Z'"),
        ("$__timeGroup(at,'5m')", "floor(extract(epoch from at)/300)*300"),
        ("$__timeGroup(at, 1h)", "floor(extract(epoch from at)/3600)*3600"),
        ("$__timeGroup(at,'500ms')", "floor(extract(epoch from at)/0.5)*0.5"),
        ("$__timeGroup(date_trunc('day', at),'1d', 0)", "floor(extract(epoch from date_trunc('day', at))/86400)*86400"),
        ("$__timeGroupAlias(at,'5m')", 'floor(extract(epoch from at)/300)*300 AS "time"'),
        ("$__timeGroupAlias(at, $__interval)", 'floor(extract(epoch from at)/60)*60 AS "time"'),
        ("$__unixEpochFilter(at)", "at >= 1776747677 AND at <= 1776747977"),
        ("$__unixEpochFrom()", "1776747677"),
        ("$__unixEpochTo()", "1776747977"),
        ("$__unixEpochNanoFilter(at)", "at >= 1776747677000000000 AND at <= 1776747977500000000"),
        ("$__unixEpochNanoFrom()", "1776747677000000000"),
        ("$__unixEpochNanoTo()", "1776747977500000000"),
        ("$__unixEpochGroup(at,'5m')", "floor((at)/300)*300"),
        ("$__unixEpochGroupAlias(at,'5m', NULL)", 'floor((at)/300)*300 AS "time"'),
        ("$__interval ${__interval} $__interval_ms", "1m 1m 60000"),
        ("$__from $__to", "1776747677000 1776747977500"),
        ("SELECT 'it''s 100%', a->>'$.b' FROM t", "SELECT 'it''s 100%', a->>'$.b' FROM t"),
    ],
)
def test_expansion(macro: str, expected: str) -> None:
    assert expand(macro, RANGE, 60_000).sql == expected


def test_values_of_a_variable_are_parameters_and_never_text() -> None:
    evil = "x'); DROP TABLE t; --"
    sql = "SELECT '5%' WHERE '*' IN (${category:sqlstring}) OR a IN (${category:sqlstring}) AND b > $__timeFrom() AND c % 2 = 0"
    found = expand(sql, RANGE, 60_000, {"category": ("Toys", evil)})
    assert found.sql == (
        "SELECT '5%%' WHERE '*' IN (%s, %s) OR a IN (%s, %s) AND b > '2026-04-21T05:01:17Z' AND c %% 2 = 0"
    )  # fmt: skip
    assert found.parameters == ("Toys", evil) * 2
    assert expand("SELECT 5 % 2", RANGE, 60_000, {"category": ("Toys",)}).parameters is None
    with pytest.raises(DashboardError, match="category has no value"):
        expand(sql, RANGE, 60_000, {"other": ("x",)})


def test_the_range_before_is_as_long_and_whole_steps_back() -> None:
    earlier, by_ms = before(RANGE, 7_000)
    assert by_ms % 7_000 == 0 and abs(by_ms - (RANGE.end_ms - RANGE.start_ms)) <= 3_500
    assert before(RANGE, 3_600_000)[1] == 3_600_000
    assert (earlier.start_ms + by_ms, earlier.end_ms + by_ms) == (RANGE.start_ms, RANGE.end_ms)
    found = moved(Frame((Column("time", "time"), Column("at", "time")), [[1_000, 5], [None, 6]]), by_ms)
    assert found.rows == [[1_000 + by_ms, 5], [None, 6]]


@pytest.mark.parametrize(("third", "value"), [("NULL", None), ("previous", "previous"), ("0", 0.0), ("-1.5", -1.5)], ids=str)
def test_fill(third: str, value: float | str | None) -> None:
    assert expand(f"$__timeGroupAlias(at, '5m', {third})", RANGE, 60_000).fill == Fill(300_000, value)


@pytest.mark.parametrize(
    "bad",
    [
        *(
            "$__timeNow()",
            "$__timeGroup(at)",
            "$__timeFilter()",
            "$__timeGroup(at, 'soon')",
            "$__timeGroup(at, 5m, lots)",
        ),
        *("$__timeFilter(at", "SELECT $category", "SELECT ${category}", "SELECT [[category]]", "$__timeFrom(at)"),
    ],
)
def test_what_cannot_be_expanded_is_refused(bad: str) -> None:
    with pytest.raises(DashboardError):
        expand(bad, RANGE, 60_000)


def test_ranges() -> None:
    now = datetime(2026, 11, 23, 7, tzinfo=UTC)
    assert parse_range("now-30m", "now", now) == TimeRange(now - timedelta(minutes=30), now)
    assert parse_range("now-90d", "now-1d", now) == TimeRange(now - timedelta(days=90), now - timedelta(days=1))
    assert parse_range("1776747677000", "1776747977500", now) == RANGE
    assert parse_range("all", "now", now, datetime(2026, 1, 1, tzinfo=UTC)).start == datetime(2026, 1, 1, tzinfo=UTC)
    assert parse_range("all", "now", now).start == now - timedelta(days=1)
    assert parse_range("all", "now-3d", now).start == now - timedelta(days=4), "a live view is let in before the oldest is known"
    assert parse_range("now-999999w", "now", now).start == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end"),
    [("yesterday", "now"), ("now", "now"), ("now", "now-5m"), ("", ""), ("now-5m'; --", "now"), ("-5", "now")],
)
def test_ranges_that_are_none(start: str, end: str) -> None:
    with pytest.raises(DashboardError):
        parse_range(start, end, datetime(2026, 11, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    ("span", "points", "expected"),
    [
        (timedelta(minutes=5), 300, 1_000),
        (timedelta(minutes=30), 240, 10_000),
        (timedelta(hours=6), 240, 120_000),
        (timedelta(hours=24), 240, 300_000),
        (timedelta(days=7), 240, 1_800_000),
        (timedelta(days=90), 240, 43_200_000),
        (timedelta(days=365 * 10), 100, 2_592_000_000),
        (timedelta(milliseconds=1), 100, 10),
    ],
)
def test_steps_are_rounded_as_grafana_does(span: timedelta, points: int, expected: int) -> None:
    end = datetime(2026, 11, 23, tzinfo=UTC)
    assert step_ms(TimeRange(end - span, end), points) == expected


def test_least_step_and_texts() -> None:
    assert step_ms(RANGE, 100, at_least_ms=60_000) == 60_000
    assert [step_text(ms) for ms in (500, 10_000, 60_000, 3_600_000, 86_400_000, 604_800_000)] == [
        "500ms",
        "10s",
        "1m",
        "1h",
        "1d",
        "7d",
    ]
    assert duration_ms("5s") == 5_000


@pytest.mark.parametrize("days", [1, 90, 365 * 10, 365 * 14, 365 * 27, 365 * 56])
@pytest.mark.parametrize("points", [1, 24, 120, 240])
def test_a_series_of_any_range_has_a_step_that_its_macro_understands(days: int, points: int) -> None:
    end = datetime(2026, 11, 23, tzinfo=UTC)
    step = step_ms(found := TimeRange(end - timedelta(days=days), end), points)
    seconds = step // 1000
    assert expand("$__timeGroup(at, $__interval)", found, step).sql == f"floor(extract(epoch from at)/{seconds})*{seconds}"


LONG = (Column("time", "number"), Column("metric", "string"), Column("value", "number"))


def test_a_long_series_becomes_wide() -> None:
    wide = time_series(Frame(LONG, [[60, "b", 1], [60, "a", 2], [120, "a", 3]]), None, RANGE)
    assert [column.name for column in wide.columns] == ["time", "a", "b"]
    assert wide.rows == [[60_000, 2, 1], [120_000, 3, None]]


def test_filling_covers_the_range() -> None:
    begin = RANGE.start_ms // 60_000 * 60
    long = Frame(LONG, [[begin + 60, "a", 5.0]])
    zeros = time_series(long, Fill(60_000, 0.0), RANGE)
    assert [row[1] for row in zeros.rows] == [0.0, 5.0, 0.0, 0.0, 0.0, 0.0]
    previous = time_series(long, Fill(60_000, "previous"), RANGE)
    assert [row[1] for row in previous.rows] == [None, 5.0, 5.0, 5.0, 5.0, 5.0]
    with pytest.raises(DashboardError, match="points"):
        time_series(long, Fill(1, 0.0), RANGE)


def test_a_series_without_time_is_refused() -> None:
    with pytest.raises(DashboardError, match="time"):
        time_series(Frame((Column("at", "time"),), []), None, RANGE)
    with pytest.raises(DashboardError, match="not the text '2026-11-28'"):
        time_series(Frame((Column("time", "string"), Column("value", "number")), [["2026-11-28", 1]]), None, RANGE)


def test_values_are_plain_json() -> None:
    made = frame(["n", "t", "s"], [1700, 1082, 25], [[float("nan"), datetime(2026, 1, 1, tzinfo=UTC).date(), "x"]])
    assert [column.kind for column in made.columns] == ["number", "time", "string"]
    assert made.rows == [[None, 1_767_225_600_000, "x"]]
