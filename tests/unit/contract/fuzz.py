"""Strategies for what may be in a topic: any bytes, any JSON, and events with something wrong, or something odd, in them."""

from __future__ import annotations

import json
from typing import Any, Final

from hypothesis import strategies as st

from .corpus_base import BASE

KINDS: Final[dict[str, tuple[str, ...]]] = {
    "order": ("order_id", "user_id", "product_id", "product_title", "category", "price", "quantity", "revenue", "timestamp"),
    "order_returned": ("order_id", "product_id", "quantity", "timestamp"),
    "order_cancelled": ("order_id", "product_id", "quantity", "timestamp"),
    "user_registered": ("user_id", "timestamp"),
    "user_updated": ("user_id", "timestamp"),
}
OPTIONAL: Final = (
    "reason",
    "name",
    "email",
    "city",
    "country",
    "event_id",
    "schema_version",
    "event_type",
    "x",
    "user_id",
    "currency",
)
ODD_TEXTS: Final = (
    "", " ", "\0", "a\0b", "\ud800", "\udfff\ud800", "\u202e", "e\u0301" * 150, "x" * 64, "x" * 65, "é" * 200, "😀" * 201,
    "\x1b[2J",
    "\uffff", "'; --", "\\N", "\\.", '"', "7", "007", "-1", "7\n", "9" * 19, "9" * 20, "2026-01-01", "2026-02-30T10:00",
    "2026-01-01T10:00:00\0", "9999-12-31T23:59:59-23:59", "order", "order_returned",
)  # fmt: skip
NUMBERS: Final = (
    "0", "-0", "-0.0", "1", "1.0", "1e0", "1e2", "1E+2", "2", "2.00", "-1", "10000", "10001", "19.99", "59.97",
    "0.30000000000000004",
    "1e999", "-1e999", "1e-999", "0e999", "0e99999999999999999999", "1e99999999999999999999", "9223372036854775807",
    "9223372036854775808", "1" * 30, "9" * 64, "9" * 65, "0." + "3" * 30, "19.99" + "0" * 40, "99999999.99", "100000000",
    "NaN", "Infinity",
    "01", "1.", ".5", "1767225600", "1767225600000", "1767225600000.5", "946684799999", "1e300", "253402300799000",
)  # fmt: skip
# Nearly right for their field: the right type, and just outside its limits.
NEAR: Final[dict[str, tuple[str, ...]]] = {
    "timestamp": (
        '"1999-12-31T23:59:59Z"',
        '"2026-02-30"',
        '"soon"',
        '"2026-01-01\\u0000"',
        "946684799999",
        "1e300",
        '"2999-01-01"',
    ),
    "list_price": ("24.99", "0", "null", '""', '"24.99"', "-0.01", "24.995", "100000000", "1e9", '"24,99"', "true"),
    "currency": ('"EURO"', '"JPY"', '"KWD"', '"eur"', '"\\u0000"', '""', "978"),
    "quantity": ("0", "-1", "10001", "2147483648", '"2"', "2.0", '"2.0"', '" 2"', "2.5"),
    "price": ("-0.01", "100000000", "1e9", '"19.99"', '"19,99"', '"1e2"'),
    "revenue": ("null", '"59.97"', "-59.97", "59.975"),
    "product_id": ("0", '"0"', "9223372036854775808", '"MUG-042/blue"', "5.0", "5.5", '"007"', "null"),
    "user_id": ('"018f3f6e-7c1a-7b1e-8000-2b1e7c1a9f3f"', '"7"', "7.0", "null", '""'),
    "category": ("null", '""', "5"),
    "order_id": ('""', '"a\\u0000b"', json.dumps("x" * 65)),
    "product_title": ('""', "null", '"\\u0000"', json.dumps("é" * 201)),
}

characters = st.characters() | st.sampled_from("\0\ud800\udfff\u2028\x7f")  # st.characters has surrogates only when asked to
any_text = st.sampled_from(ODD_TEXTS) | st.text(characters, max_size=20)
any_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def json_text(draw: st.DrawFn) -> str:
    """A JSON value, or nearly one, as text: numbers that no library would write, texts escaped or not."""
    kind = draw(st.integers(0, 6))
    if kind == 0:
        return draw(st.sampled_from(NUMBERS))
    if kind == 1:
        digits = draw(st.text("0123456789", min_size=1, max_size=34))
        return digits + draw(st.sampled_from(("", ".0", ".5", ".25", "e1", "e-2", "E400")))
    if kind == 2:
        depth = draw(st.sampled_from((1, 5, 200, 2000)))
        return "[" * depth + "]" * depth
    if kind == 6:
        return json.dumps(draw(st.sampled_from(("\0", "a\0b", "\0" * 64))))
    value = draw(any_text if kind == 3 else any_json)
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


@st.composite
def cents(draw: st.DrawFn) -> tuple[str, str, str]:
    """Price, quantity and revenue that agree, in some spelling."""
    price, quantity = draw(st.integers(0, 9_999_999_999)), draw(st.integers(1, 10_000))
    revenue = price * quantity
    tail = "0" * draw(st.integers(0, 3))
    return f"{price // 100}.{price % 100:02}{tail}", str(quantity), f"{revenue // 100}.{revenue % 100:02}{tail}"


@st.composite
def events(draw: st.DrawFn, changes: tuple[int, ...] = (0, 0, 1, 1, 2, 3)) -> bytes:
    """An event of any type: valid, or with so many fields dropped, replaced, repeated, or cut by a few bytes."""
    kind = draw(st.sampled_from(("order", "order", "order", *KINDS)))
    known = {name: BASE[name] for name in KINDS[kind]} | {"product_id": str(draw(st.integers(1, 10**6)))}
    known["order_id"] = json.dumps(f"{draw(st.integers(0, 10**9))} {draw(st.text(max_size=9))}".replace("\0", ""))
    if "price" in known:
        known["price"], known["quantity"], known["revenue"] = draw(cents())
        if any(changes) and draw(st.integers(0, 7)) == 0:
            known["revenue"] = BASE["revenue"]
    fields = [(name, text) for name, text in known.items() if name in KINDS[kind]]
    if kind != "order" or draw(st.booleans()):
        fields.append(("event_type", json.dumps(kind)))
    if "price" in known and any(changes) and draw(st.integers(0, 7)) == 0:
        fields.append(("currency", draw(st.sampled_from(NEAR["currency"]))))
    if "price" in known and any(changes) and draw(st.integers(0, 7)) == 0:
        fields.append(("list_price", draw(st.sampled_from(NEAR["list_price"]))))
    for _ in range(draw(st.sampled_from(changes))):
        name = draw(st.sampled_from((*KINDS[kind], *KINDS[kind], "timestamp", "currency", *OPTIONAL)))
        replaced = draw(st.sampled_from(NEAR[name]) | json_text() if name in NEAR else json_text())
        what = draw(st.sampled_from(("drop", "replace", "replace", "repeat")))
        if what != "repeat":
            fields = [field for field in fields if field[0] != name]
        if what != "drop":
            fields.insert(draw(st.integers(0, len(fields))), (name, replaced))
    value = ("{" + ",".join(f'"{name}":{text}' for name, text in fields) + "}").encode("utf-8", "surrogatepass")
    if any(changes) and draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(value)))
        value = value[:at] + draw(st.binary(max_size=4)) + value[at + draw(st.integers(0, 3)) :]
    return value


@st.composite
def any_document(draw: st.DrawFn) -> bytes:
    return json.dumps(draw(any_json), ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


values = events((0,)) | events((0,)) | events((0, 1)) | events() | any_document() | st.binary(max_size=200) | st.none()
header_names = st.binary(max_size=12).map(lambda name: name.replace(b"\0", b"")) | st.sampled_from((b"h", b"caf\xe9", b""))
headers = st.lists(st.tuples(header_names, st.none() | st.binary(max_size=20)), max_size=4).map(tuple)
records = st.tuples(values, st.none() | st.binary(max_size=20), headers)
