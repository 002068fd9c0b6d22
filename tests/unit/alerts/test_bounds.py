"""When a number is out of bounds, and how an alert goes from state to state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ecom_lite.alerts.bounds import Deviation, Threshold, Verdict, weeks_before
from ecom_lite.alerts.question import Answer
from ecom_lite.alerts.states import Standing, step

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
OUT, WELL, NOTHING = Verdict(True, 9.0, "9 (fires above 5)"), Verdict(False, 1.0, "1"), Verdict(None, None, "no data")


def given(value: float | None, step: float = 1.0) -> Answer | None:
    return None if value is None else Answer(value, step)


@pytest.mark.parametrize(
    ("above", "below", "value", "out"),
    [
        (5, None, 5, False), (5, None, 5.1, True), (None, 2, 2, False), (None, 2, 1.9, True), (5, 2, 3, False), (5, 2, 1, True),
        (5, 2, 6, True), (5, None, None, None),
    ],
)  # fmt: skip
def test_a_threshold(above: float | None, below: float | None, value: float | None, out: bool | None) -> None:
    verdict = Threshold(above=above, below=below).judge(lambda _: given(value), NOW, "UTC", "GB")
    assert verdict.out is out and verdict.value == value
    assert value is None or verdict.told.startswith(f"{value:g} GB (fires ")


def judged(bounds: Deviation, now: float | None, *before: float | None, step: float = 1.0) -> Verdict:
    """`before` in the weeks before, the newest first."""
    values = {NOW: now, **{NOW - timedelta(weeks=week): value for week, value in enumerate(before, 1)}}
    answers = {moment: given(value, step) for moment, value in values.items()}
    return bounds.judge(answers.get, NOW, "UTC", "orders")


@pytest.mark.parametrize(
    ("now", "out"), [(100, False), (41, False), (40, True), (0, True), (256, False), (257, True), (None, None)]
)
def test_percent_of_the_same_weekday_both_ways(now: float | None, out: bool | None) -> None:
    assert judged(Deviation(below=-60, above=150), now, 100, 95, 105, 9_000).out is out, "the median is 102.5"


def test_one_odd_week_moves_the_median_little_and_empty_weeks_do_not_count() -> None:
    bounds = Deviation(below=-50)
    assert judged(bounds, 60, 100, 0, None, 110).out is False
    few = judged(bounds, 0, 100, 0, None, 0)
    assert few.out is None and few.told == (
        "nothing to compare with: 1 of the last 4 weeks have something at this time, 2 are needed"
    )
    assert judged(bounds, 40, 100, 110).told == "40 orders, usually 105: -62 % (fires below -50 %)"


@pytest.mark.parametrize(
    ("now", "usual", "step", "out"),
    [
        (0, 16, 1, False), (0, 17, 1, True), (5, 30, 1, True), (7, 30, 1, False),  # four times the root of both together
        (18, 1, 1, False), (19, 1, 1, True), (0, 40, 2.5, False), (0, 41, 2.5, True),
        (50, 100, 1, False), (26, 100, 1, True), (240, 100, 1, False), (260, 100, 1, True),  # with enough of them the percentage
        (2.0, 8.0, 0.1, True), (2.0, 8.0, 0.3, False),  # shares: 20 of 80, where one more is 0.1; 7 of 27, where one is 0.3
    ],
)  # fmt: skip
def test_what_counting_brings_by_chance_is_not_out(now: float, usual: float, step: float, out: bool) -> None:
    found = judged(Deviation(below=-60, above=150, chance=4), now, usual, usual, usual, usual, step=step)
    assert found.out is out, found


def test_what_may_be_chance_says_so() -> None:
    bounds = Deviation(below=-60, above=150, chance=4)
    assert judged(bounds, 2, 9, 9).told == "2 orders, usually 9: -78 %, but up to 13.3 more or less may be chance"
    assert judged(bounds, 0, 90, 90).told.endswith("-100 % (fires below -60 % or above +150 %, beyond chance)")


def test_robust_deviations() -> None:
    bounds = Deviation(measure="deviations", above=3, below=-3)
    assert judged(bounds, 121, 100, 110, 90, 100).out is False and judged(bounds, 123, 100, 110, 90, 100).out is True
    assert judged(bounds, 79, 100, 110, 90, 100).out is False and judged(bounds, 77, 100, 110, 90, 100).out is True
    assert bounds.distance(200, [100, 120, 80, 100]) == pytest.approx(100 / 14.826)
    assert bounds.distance(110, [100, 100, 100]) == pytest.approx(2.0), "weeks that were alike: a twentieth of the median"
    assert bounds.shown() == "below -3 deviations or above +3 deviations"


def test_the_same_weekday_is_by_the_shops_clock() -> None:
    """On 25 October 2026 clocks in Berlin went back: noon there is 11:00 UTC after it, 10:00 UTC before it."""
    noon = datetime(2026, 10, 26, 11, tzinfo=UTC)
    assert weeks_before(noon, 2, "Europe/Berlin") == [
        datetime(2026, 10, 19, 10, tzinfo=UTC),
        datetime(2026, 10, 12, 10, tzinfo=UTC),
    ]
    assert weeks_before(noon, 1, "UTC") == [datetime(2026, 10, 19, 11, tzinfo=UTC)]


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_it_fires_after_its_time_and_is_over_at_once() -> None:
    standing: Standing | None = None
    states = []
    for seconds, verdict in [(0, WELL), (10, OUT), (20, OUT), (30, WELL), (40, OUT), (50, OUT), (60, OUT), (70, OUT), (80, WELL)]:
        standing = step(standing, verdict, at(seconds), 20)
        states.append((standing.state, (standing.since - NOW).total_seconds()))
    assert states == [
        ("ok", 0), ("pending", 10), ("pending", 10), ("ok", 30), ("pending", 40), ("pending", 40), ("firing", 60), ("firing", 60),
        ("ok", 80),
    ]  # fmt: skip


def test_a_clock_that_is_put_back_is_not_waited_for() -> None:
    pending = step(step(None, OUT, at(3_600), 20), OUT, at(0), 20)
    assert (pending.state, pending.since) == ("pending", NOW)
    assert step(pending, OUT, at(20), 20).state == "firing"
    assert step(Standing("firing", at(3_600)), OUT, at(0), 20).since == NOW


def test_what_cannot_be_judged_is_unknown_and_does_not_end_an_alert() -> None:
    assert step(None, NOTHING, NOW, 0).state == "unknown"
    assert step(Standing("ok", NOW), NOTHING, at(5), 0) == Standing("unknown", at(5), None, "", "no data")
    assert step(Standing("pending", NOW), NOTHING, at(5), 0).state == "unknown"
    firing = step(Standing("firing", NOW, 9.0, "9"), NOTHING, at(5), 0)
    assert (firing.state, firing.since, firing.value, firing.problem) == ("firing", NOW, 9.0, "no data")
    assert step(firing, OUT, at(6), 60) == Standing("firing", NOW, 9.0, OUT.told), "no second time"
    assert step(firing, WELL, at(6), 60).state == "ok"
    assert step(Standing("unknown", NOW), OUT, at(5), 60).state == "pending"
    assert step(Standing("unknown", NOW), OUT, at(5), 0).state == "firing"
