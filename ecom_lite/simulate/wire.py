"""The shop's events as byte templates, cut out of what `events.encode` writes, so that the contract stays in one place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, Literal

import msgspec

from ..contract.events import SCHEMA_VERSION, Event, OrderLine, OrderReversal, UserChange, encode

_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
_TIME_TEXT: Final = "2000-01-01T00:00:00Z"
_LINE_NUMBER: Final = 1006


def _template(event: Event, marks: Mapping[str, str]) -> bytes:
    """The event's bytes with each marker text replaced by a conversion, for the % operator."""
    text = encode(event).decode().replace("%", "%%")
    for marker, conversion in marks.items():
        before, found, after = text.partition(marker)
        assert found and marker not in after, marker
        text = before + conversion + after
    return text.encode()


_LINE: Final = _template(
    OrderLine(
        order_id="@order",
        user_id=1001,
        product_id=1002,
        product_title="@title",
        category="@category",
        price=Decimal("1003.00"),
        quantity=1004,
        revenue=Decimal("1005.00"),
        timestamp=_TIME,
        event_id=f"@event-{_LINE_NUMBER}",
        event_type="order",
        schema_version=SCHEMA_VERSION,
    ),
    {
        "@order": "%b",
        "1001": "%b",
        "1002": "%d",
        '"@title"': "%b",
        '"@category"': "%b",
        "1003.00": "%b",
        "1004": "%d",
        "1005.00": "%b",
        _TIME_TEXT: "%b",
        "@event": "%b",
        str(_LINE_NUMBER): "%d",
    },
)
# A line is these, joined. LINE_HEAD and LINE_TIME change with the order only, LINE_PRODUCT with the product only.
_product_at: Final = _LINE.index(b',"product_id":')
_price_at: Final = _LINE.index(b',"price":')
_time_at: Final = _LINE.rindex(b"%b", 0, _LINE.index(b'","event_id"'))
_end_at: Final = _LINE.rindex(b"%d", 0, _LINE.index(b'","event_type"'))
LINE_HEAD: Final = _LINE[:_product_at]  # order id, user id
LINE_PRODUCT: Final = _LINE[_product_at:_price_at]  # product id, title and category as JSON
LINE_MONEY: Final = _LINE[_price_at:_time_at].replace(b"%b", b"%d.%02d")  # price in units and cents, quantity, revenue likewise
LINE_TIME: Final = _LINE[_time_at:_end_at]  # time, order id
LINE_END: Final = _LINE[_end_at:]  # line number

_REVERSALS: Final[tuple[Literal["order_cancelled", "order_returned"], ...]] = ("order_cancelled", "order_returned")
_PROFILES: Final[tuple[Literal["user_registered", "user_updated"], ...]] = ("user_registered", "user_updated")

REVERSAL: Final = {  # order id, user id, product id, quantity, reason, time, event id
    kind: _template(
        OrderReversal(
            event_type=kind,
            order_id="@order",
            user_id=1001,
            product_id=1002,
            quantity=1004,
            reason="@reason",
            timestamp=_TIME,
            event_id="@event",
            schema_version=SCHEMA_VERSION,
        ),
        {
            "@order": "%b",
            "1001": "%b",
            "1002": "%d",
            "1004": "%d",
            "@reason": "%b",
            _TIME_TEXT: "%b",
            "@event": "%b",
        },
    )
    for kind in _REVERSALS
}

PROFILE: Final = {  # user id, name, email, city, country, time, event id
    kind: _template(
        UserChange(
            event_type=kind,
            user_id=1001,
            name="@name",
            email="@mail",
            city="@city",
            country="@country",
            timestamp=_TIME,
            event_id="@event",
            schema_version=SCHEMA_VERSION,
        ),
        {
            "1001": "%b",
            "@name": "%b",
            "@mail": "%b",
            "@city": "%b",
            "@country": "%b",
            _TIME_TEXT: "%b",
            "@event": "%b",
        },
    )
    for kind in _PROFILES
}


def json_text(text: str) -> bytes:
    """A text as an event's JSON has it, quotes included."""
    return msgspec.json.encode(text)


def time_text(time: datetime) -> bytes:
    """A time as an event's JSON has it, without the quotes."""
    return msgspec.json.encode(time.astimezone(UTC))[1:-1]
