"""The tests' own reader of figures: what it takes for the same figure, and what not."""

from __future__ import annotations

import pytest

from tests.browser.shown import shows


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("$495,687", 495_686.6, "currencyUSD"),
        ("$413.07", 413.07, "currencyUSD"),
        ("-$1,913.48", -1913.48, "currencyUSD"),
        ("€12", 12, "currency:€"),
        ("12.3K", 12_345, "short"),
        ("1.20 Mil", 1_204_000, "short"),
        ("20.5%", 0.20464, "percentunit"),
        ("+12.3 %", 12.3, "percent"),
        ("213 ms", 0.212979, "s"),
        ("3 min 5 s", 185.4, "s"),
        ("2 h 10 min", 7_830, "s"),
        ("8.3 days", 8.32, "d"),
        ("1.5 GiB", 1_610_612_736, "bytes"),
        ("0", 0, "none"),
    ],
)
def test_the_same_figure(text: str, value: float, unit: str) -> None:
    assert shows(text, value, unit)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("$495,687", 495_601.0, "currencyUSD"),
        ("12.3K", 12_450, "short"),
        ("20.5%", 0.3, "percentunit"),
        ("3 min 5 s", 200, "s"),
        ("–", 5, "none"),
        ("Electronics", 7, "none"),
        ("-5", 5, "none"),
    ],
)
def test_another_figure(text: str, value: float, unit: str) -> None:
    assert not shows(text, value, unit)


def test_a_figure_that_goes_on_with_the_clock_lies_between_two_looks() -> None:
    assert shows("48 s", 53.6, "s", before=4.1) and shows("4 s", 53.6, "s", before=4.1)
    assert not shows("60 s", 53.6, "s", before=4.1) and not shows("1 s", 53.6, "s", before=4.1)
