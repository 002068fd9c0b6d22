"""A file of rates: what is read, and what each wrong line is told."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from ecom_lite.errors import UsageError
from ecom_lite.rates.file import read_rates

EUR = ("EUR", date(2026, 1, 2), Decimal("1.085"))
JPY = ("JPY", date(2026, 1, 3), Decimal("0.0064"))


def read(text: str) -> list[tuple[str, date, Decimal]]:
    return [tuple(rate) for rate in read_rates(text.splitlines(keepends=True), "r.csv", "USD")]  # type: ignore[misc]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02,EUR,1.085\n2026-01-03,JPY,0.0064\n",
        "date,currency,rate\n2026-01-02,EUR,1.0850\n2026-01-03,jpy,64e-4\n",
        "\ufeffRate;Currency;Date\r\n1.085;EUR;2026-01-02\r\n0.0064;JPY;2026-01-03",
        "source\tday\tcode\tvalue\nECB\t2026-01-02\tEUR\t1.085\nECB\t2026-01-03\tJPY\t0.0064\n",
        "\ufeff# rates, from the bank\n\ndate;currency;rate\n2026-01-02;EUR;1.085\n2026-01-03;JPY;0.0064\n",
        " # EUR;JPY\n2026-01-02,EUR,1.085\n2026-01-03,JPY,0.0064\n",
        "# the bank's\n\n2026-01-02, EUR ,1.085\n\n2026-01-02,USD,1\n2026-01-03,JPY,0.0064\n2026-01-03,JPY,0.00640\n",
    ],
)
def test_columns_stand_in_their_order_or_under_a_header(text: str) -> None:
    assert read(text) == [EUR, JPY]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("2026-01-02,EURO,1.08", "line 2: 'EURO' is no ISO 4217 code"),
        ("02.01.2026,EUR,1.08", "line 2: '02.01.2026' is no date such as 2026-01-31"),
        ("2026-02-30,EUR,1.08", "no date"),
        ("0026-01-02,EUR,1.08", "is outside 1999-01-01"),
        ("2026-01-02,EUR,abc", "rate 'abc' is no number"),
        ("2026-01-02,EUR,", "rate '' is no number"),
        ("2026-01-02,EUR,1_08", "rate '1_08' is no number"),
        ("2026-01-02,EUR,NaN", "rate 'NaN' is no number"),
        ("2026-01-02,EUR,0", "is outside 0"),
        ("2026-01-02,EUR,-1.08", "is outside 0"),
        ("2026-01-02,EUR,1e-13", "is outside 0"),
        ("2026-01-02,EUR,1e99", "it is what one EUR is worth in USD"),
        ("2026-01-02,EUR,1,08", "4 cells, where date, currency and rate should be; write the decimals behind a point"),
        ("2026-01-02,EUR", "2 cells"),
        ('2026-01-02,EUR,"1,08"', "write the decimals behind a point"),
        ("2026-01-02,USD,1.1", "USD is the reporting currency itself"),
        ("2026-01-01,GBP,1.31", "GBP of 2026-01-01 has the rate 1.31"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_taken(line: str, says: str) -> None:
    with pytest.raises(UsageError) as told:
        read(f"2026-01-01,GBP,1.3\n{line}\n")
    assert says in str(told.value) and str(told.value).startswith("r.csv, line 2") and "nothing was loaded" in str(told.value)


def test_of_many_wrong_lines_some_are_named_and_all_counted() -> None:
    with pytest.raises(UsageError) as told:
        read("2026-01-02,EUR,x\n" * 9)
    assert str(told.value).count("is no number") == 5 and "... and 4 more lines" in str(told.value)


@pytest.mark.parametrize(
    ("text", "says"), [("", "has no rates"), ("date,currency,rate\n", "has no rates"), ("date,code\n", "no rate")]
)
def test_a_file_without_rates_or_columns_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read(text)
