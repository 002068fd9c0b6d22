"""Which clock a shop gets, by its settings, by what it was opened with, and by the time of its first start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecom_lite.errors import EcomLiteError
from ecom_lite.produce.plan import Opening, Plan, as_opened, decide, plan
from ecom_lite.settings.tree import Shop

NOW = datetime(2026, 7, 15, 13, 37, 5, 123456, tzinfo=UTC)
START = datetime(2026, 1, 1, 6, tzinfo=UTC)
DAY = timedelta(days=1)


def midnight(time: datetime) -> datetime:
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def shop(**given: Any) -> Shop:
    return Shop.model_validate(given)


def first(**given: Any) -> tuple[Opening, Plan]:
    opening = decide(shop(**given), Opening(), False, NOW)
    return opening, plan(shop(**given), opening)


def again(opening: Opening, **given: Any) -> Plan:
    return plan(shop(**given), decide(shop(**given), opening, True, NOW + DAY))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Plan(None, None, 5.0, None, False)),
        ({"rate": 12}, Plan(None, None, 12.0, None, False)),
        ({"rate": "max"}, Plan(None, None, "max", None, False)),
        ({"start": START}, Plan(START, None, 5.0, None, True)),
        ({"start": START, "rate": "max"}, Plan(START, None, "max", None, True)),
        ({"start": START, "rate": "natural"}, Plan(START, NOW, "natural", None, True)),
        ({"start": START, "speed": 60}, Plan(START, None, "natural", 60.0, True)),
        ({"history": "90d"}, Plan(midnight(NOW - 90 * DAY), NOW, "natural", None, False)),
        ({"history": "90d", "rate": 50}, Plan(midnight(NOW - 90 * DAY), NOW, 50.0, None, False)),
        ({"history": "90d", "start": START}, Plan(midnight(START - 90 * DAY), START, 5.0, None, True)),
        ({"history": "90d", "start": START, "speed": 9}, Plan(midnight(START - 90 * DAY), START, "natural", 9.0, True)),
        ({"speed": 60}, Plan(NOW - DAY, None, "natural", 60.0, True)),
        ({"history": "90d", "speed": 60}, Plan(midnight(NOW - 91 * DAY), NOW - DAY, "natural", 60.0, True)),
        ({"rate": "natural"}, Plan(NOW, None, "natural", None, False)),
    ],
)
def test_the_settings_decide_the_first_start(given: dict[str, Any], expected: Plan) -> None:
    assert first(**given)[1] == expected


@pytest.mark.parametrize(
    "given",
    [
        {"start": START, "rate": 7},
        {"start": START, "speed": 60},
        {"history": "90d"},
        {"history": "90d", "start": START},
        {"speed": 60},
        {"rate": "natural"},
        {},
    ],
)
def test_a_later_start_with_the_same_settings_goes_on_from_the_same_opening(given: dict[str, Any]) -> None:
    opening, then = first(**given)
    assert again(opening, **given) == then


def test_a_later_start_need_not_say_again_how_the_shop_was_opened() -> None:
    for given in ({"start": START}, {"history": "90d"}, {"history": "90d", "start": START}, {"start": START, "speed": 60}):
        opening, then = first(**given)
        assert again(opening) == then


def test_a_later_start_may_change_the_rate_and_the_speed() -> None:
    opening, _ = first(start=START, speed=60)
    assert again(opening, rate="max") == Plan(START, None, "max", None, True)
    assert again(opening, speed=5).speed == 5
    opening, _ = first(history="30d")
    assert again(opening, history="30d", rate=20) == Plan(opening.opened_at, NOW, 20.0, None, False)
    assert again(opening, speed=5).keeps_time


def test_what_was_not_begun_is_decided_anew() -> None:
    opening, _ = first(history="30d")
    assert decide(shop(), opening, False, NOW).opened_at is None


@pytest.mark.parametrize(
    ("before", "now", "match"),
    [
        ({}, {"products": 30}, r"shop\.products was 20 and is 30.*Put them back.*--fresh.*--seed"),
        ({}, {"customers_start": 3}, r"shop\.customers_start was unset and is 3"),
        ({"countries": ("US",)}, {"countries": ("US", "DE")}, r"shop\.countries was \['US'\] and is \['US', 'DE'\]"),
        ({"start": START}, {"start": NOW - DAY}, r"shop\.start was 2026-01-01T06:00:00Z and is 2026-07-14.*--fresh"),
        ({"start": START}, {"history": "5d", "products": 20, "customers": 200}, r"shop\.history was unset and is 5d"),
        ({"history": "90d"}, {"history": "30d"}, r"shop\.history was 90d and is 30d"),
        ({}, {"history": "30d"}, r"without a clock.*shop\.history = 30d cannot.*Leave it out.*--fresh.*--data-dir"),
        ({"rate": 7}, {"speed": 2}, r"without a clock.*shop\.speed = 2\.0"),
    ],
)
def test_settings_that_would_make_another_stream_are_refused(before: dict[str, Any], now: dict[str, Any], match: str) -> None:
    opening, _ = first(**before)
    with pytest.raises(EcomLiteError, match=match):
        again(opening, **now)


def test_settings_that_cannot_be_meant_are_refused() -> None:
    with pytest.raises(EcomLiteError, match=r"shop\.speed = 60 and shop\.rate = 5\.0.*one of them"):
        first(speed=60, rate=5)
    with pytest.raises(EcomLiteError, match=r"shop\.start = 2026-07-15T13:37:06.* is in the future"):
        first(start=NOW + timedelta(seconds=1))
    with pytest.raises(EcomLiteError, match=r"shop\.history = 11000d before 2026-07-15 is before 2000"):
        first(history="11000d")


def test_a_history_brings_defaults_of_its_own_that_a_later_start_need_not_repeat() -> None:
    opening, _ = first(history="90d")
    assert again(opening) == again(opening, history="90d")
    assert as_opened(shop(), opening).customers == shop(history="90d").customers
    with pytest.raises(EcomLiteError, match=r"shop\.customers was .* and is 77"):
        again(opening, customers=77)


def test_a_shop_from_before_the_settings_were_kept_gets_those_of_now() -> None:
    opening = decide(shop(products=12, rate=7), Opening(None, None, None), True, NOW)
    assert opening.opened_at is None and opening.settings is not None and opening.settings["products"] == 12
    with pytest.raises(EcomLiteError, match="without a clock"):
        decide(shop(history="3d"), Opening(None, None, None), True, NOW)


def test_rate_events_and_enabled_may_change_and_a_setting_that_is_new_counts_as_its_default() -> None:
    opening, _ = first(products=12)
    older = Opening(None, None, {name: value for name, value in (opening.settings or {}).items() if name != "discount"})
    again(older, products=12, rate="max", events=9, enabled=False)
    with pytest.raises(EcomLiteError, match=r"shop\.discount was 0\.2 and is 0\.5"):
        again(older, products=12, discount=0.5)
