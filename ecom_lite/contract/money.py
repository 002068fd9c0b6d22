"""Money: exact decimals out of JSON text, in a currency, and the rule that revenue is price x quantity to its smallest unit."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

import msgspec

from ..settings.currencies import DECIMALS, code_of
from . import hints
from .fields import PRICE_LIMIT
from .rejected import Rejected, short

MAX_MONEY_CHARS: Final = 64
_DIGITS: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_CENT: Final = Decimal("0.01")
_HALF_CENT: Final = Decimal("0.005")


@lru_cache(maxsize=65_536)
def money(
    price_json: bytes, quantity: int, revenue_json: bytes, currency: str, strict: bool = False
) -> tuple[Decimal, Decimal, str]:
    """Price and revenue from their JSON text, and the currency's code; raises Rejected.

    A shop has few prices: most events are answered by the cache. Unless `strict`, either amount may be a text of digits,
    revenue may be null (price x quantity), and the code may be in lower case.
    """
    code = code_of(currency)
    if code is None or (strict and code != currency):
        raise Rejected("unknown_currency", f"currency {short(currency)} is no ISO 4217 code{hints.of_currency(currency)}")
    unit = Decimal(1).scaleb(-DECIMALS[code])
    price = _number("price", price_json, strict)
    revenue = None if revenue_json == b"null" and not strict else _number("revenue", revenue_json, strict)
    price = _price("price", price, code)
    exact = (price * quantity).quantize(unit)
    if revenue is None:
        return price, exact, code
    # Not exactly: many producers multiply floats, and send 72.30000000000001 for 24.10 x 3.
    if (revenue and revenue.adjusted() > MAX_MONEY_CHARS) or abs(revenue - exact) >= min(unit / 2, _HALF_CENT):
        raise Rejected("revenue_mismatch", f"{short(revenue)} is not {price} x {quantity} = {exact}")
    return price, exact, code


@lru_cache(maxsize=65_536)
def list_price(json: bytes, code: str, strict: bool = False) -> Decimal | None:
    """The list price from its JSON text, within the limits of a price. Raises Rejected.

    None where it is null, or, unless `strict`, an empty text. It may be below the price: then there is no discount.
    """
    if json == b"null" or (json == b'""' and not strict):
        return None
    return _price("list_price", _number("list_price", json, strict), code)


def _price(field: str, price: Decimal, code: str) -> Decimal:
    """In whole smallest units of the currency. Raises Rejected."""
    # The fact's unit_price is to the cent, and must fit too.
    if not 0 <= price < PRICE_LIMIT or price.quantize(_CENT) == PRICE_LIMIT:
        raise Rejected("out_of_range", f"{field} {short(price)} is outside 0 .. {PRICE_LIMIT:,}")
    decimals = DECIMALS[code]
    exact = price.quantize(Decimal(1).scaleb(-decimals))
    if price != exact:
        raise Rejected("out_of_range", f"{field} {short(price)} has more decimals than {code} has ({decimals})")
    return exact


def _number(field: str, text: bytes, strict: bool) -> Decimal:
    if text[:1] not in b"-0123456789":
        found = msgspec.json.decode(text) if text[:1] == b'"' else None
        if isinstance(found, str) and not strict and len(found) <= MAX_MONEY_CHARS and _DIGITS.fullmatch(found):
            return Decimal(found)
        raise Rejected("wrong_type", f"{field} is {short(text.decode())}, not a JSON number{hints.of_type(field, found)}")
    if len(text) > MAX_MONEY_CHARS:
        raise Rejected("out_of_range", f"{field} has {len(text):,} characters")
    try:
        return Decimal(text.decode())
    except InvalidOperation:  # an exponent beyond all numbers
        raise Rejected("out_of_range", f"{field} {short(text.decode())} is no amount of money") from None
