"""Numbers in tables: whole ones by thousands, amounts with two decimals, or as many as they need."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ecom_lite.terminal.printing import thousands


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1234567, "1,234,567"),
        (-1234, "-1,234"),
        (True, "True"),
        ("12 .. 15", "12 .. 15"),
        (Decimal("18822.5700"), "18,822.57"),
        (Decimal("18822.57"), "18,822.57"),
        (Decimal("18822.5"), "18,822.50"),
        (Decimal("0.1250"), "0.125"),
        (Decimal("1200"), "1,200"),
        (Decimal("1200.00"), "1,200.00"),
        (Decimal("1E-7"), "0.0000001"),  # as a check has it from JSON: it was shown as 0
        (Decimal("1234567890123456789012345678.91"), "1,234,567,890,123,456,789,012,345,678.91"),
        (Decimal("NaN"), "NaN"),
    ],
)
def test_numbers_are_shown_alike_whatever_their_scale(value: Any, shown: str) -> None:
    assert thousands(value) == shown
