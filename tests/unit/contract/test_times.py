"""Epoch numbers are exact to the microsecond, whichever way they are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecom_lite.contract.events import parse
from ecom_lite.contract.rejected import Rejected
from ecom_lite.contract.times import EARLIEST, LATEST_AHEAD, event_time

from .corpus_base import NOW, order

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.datetimes(datetime(2000, 1, 1), (NOW + LATEST_AHEAD).replace(tzinfo=None), timezones=st.just(UTC))


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(moments, st.sampled_from((1, 1000)), st.text("0123456789", max_size=12), st.booleans())
def test_a_number_is_read_as_it_is_written_and_finer_digits_are_cut_off(
    moment: datetime, per_second: int, finer: str, quoted: bool
) -> None:
    micros = (moment - EPOCH) // timedelta(microseconds=1) * per_second
    text = f"{micros // 1_000_000}.{micros % 1_000_000:06d}"
    finer = finer if per_second == 1 else ""  # of milliseconds the last three digits are finer already, and zero
    text = f'"{text}{finer}"' if quoted else text + finer
    assert parse(order(product_id="1", timestamp=text), NOW).timestamp == moment


def test_a_float_a_moment_and_a_whole_number_are_times_too() -> None:
    assert event_time(1767225600.25, NOW) == event_time(1767225600250, NOW) == datetime(2026, 1, 1, 0, 0, 0, 250_000, UTC)
    assert event_time(EARLIEST, NOW) == EARLIEST
    assert event_time(datetime(2026, 1, 1), NOW) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -float("inf"), 1e300, -1, 10**13, 10**400, b"1e-99999999999999999999"]
)
def test_what_no_clock_shows_is_rejected(value: float | bytes) -> None:
    with pytest.raises(Rejected, match="bad_timestamp"):
        event_time(value, NOW)


@pytest.mark.parametrize(("value", "unit"), [(1767225600123456, "micro"), ("1767225600123456789", "nano")])
def test_a_finer_unit_is_named(value: int | str, unit: str) -> None:
    with pytest.raises(Rejected, match=f"looks like epoch {unit}seconds"):
        event_time(value, NOW)
