"""What `dead list` shows of a letter."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ecom_lite.cli.dead import shown_detail
from ecom_lite.contract.events import parse
from ecom_lite.contract.rejected import Rejected

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (b'{"orderId": 1, "user_id": 2}', "order_id"),
        (b'{"schema": {"type": "struct"}, "payload": {"order_id": 1}}', "schemas.enable=false"),
    ],
)
def test_a_detail_is_shown_up_to_what_to_change(value: bytes, advice: str) -> None:
    with pytest.raises(Rejected) as rejected:
        parse(value, NOW)
    shown = shown_detail(rejected.value.detail)
    assert advice in shown and not shown.endswith("...")
